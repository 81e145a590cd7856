//! What an operator's keys do to a line.

use alloc::string::String;
use alloc::vec::Vec;

use crate::InputError;

/// The longest typed line in bytes.
pub const MAX_INPUT: usize = 1024;

/// A line being typed.
#[derive(Debug, Default)]
pub(crate) struct Editor {
    line: Vec<u8>,
    too_long: bool,
    /// The last key was a carriage return: a line feed after it belongs to it.
    returned: bool,
}

/// What a key did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Keyed {
    /// Nothing that can be seen.
    Nothing,
    /// It was appended.
    Appended,
    /// So many characters were taken away at the end.
    Erased(usize),
    /// The line is done.
    Done(Result<String, InputError>),
}

const BACKSPACE: u8 = 0x08;
const DELETE: u8 = 0x7f;
/// Control-U: erase the whole line, as terminals do.
const KILL: u8 = 0x15;

impl Editor {
    /// Takes one byte that was typed.
    pub(crate) fn key(&mut self, byte: u8) -> Keyed {
        let after_return = core::mem::replace(&mut self.returned, byte == b'\r');
        match byte {
            b'\n' if after_return => Keyed::Nothing,
            b'\r' | b'\n' => Keyed::Done(self.finish()),
            BACKSPACE | DELETE => Keyed::Erased(self.erase()),
            KILL => {
                let mut erased = 0;
                while self.erase() > 0 {
                    erased += 1;
                }
                self.too_long = false;
                Keyed::Erased(erased)
            }
            control if control < b' ' && control != b'\t' => Keyed::Nothing,
            _ if self.line.len() == MAX_INPUT => {
                self.too_long = true;
                Keyed::Nothing
            }
            _ => {
                self.line.push(byte);
                Keyed::Appended
            }
        }
    }

    /// Takes the last character away: a byte, with the bytes that continue it in UTF-8. Says how many characters that were.
    fn erase(&mut self) -> usize {
        while let Some(byte) = self.line.pop() {
            let continues = byte & 0xc0 == 0x80;
            if !continues {
                return 1;
            }
        }
        0
    }

    fn finish(&mut self) -> Result<String, InputError> {
        let line = core::mem::take(&mut self.line);
        if core::mem::take(&mut self.too_long) {
            return Err(InputError::TooLong);
        }
        String::from_utf8(line).map_err(|_| InputError::NotText)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use proptest::prelude::*;
    use std::string::ToString;
    use std::vec;

    fn lines(typed: &[u8]) -> Vec<Result<String, InputError>> {
        let mut editor = Editor::default();
        let keyed = typed.iter().map(|&byte| editor.key(byte));
        let done = |keyed| match keyed {
            Keyed::Done(line) => Some(line),
            _ => None,
        };
        keyed.filter_map(done).collect()
    }

    fn good(text: &str) -> Result<String, InputError> {
        Ok(text.to_string())
    }

    #[test]
    fn every_kind_of_end_ends_one_line() {
        let ends = [good("a"), good("b"), good("c"), good(""), good("d")];
        assert_eq!(lines(b"a\rb\nc\r\n\nd\r"), ends);
        assert_eq!(lines(b"\r\r\n"), [good(""), good("")]);
    }

    #[test]
    fn keys_edit() {
        assert_eq!(lines(b"helo\x7flo\r"), [good("hello")]);
        assert_eq!(lines("aä\x08b\r".as_bytes()), [good("ab")]);
        assert_eq!(lines(b"\x7f\x08x\r"), [good("x")]);
        assert_eq!(lines(b"all wrong\x15right\r"), [good("right")]);
        assert_eq!(lines(b"a\x1b[Ab\tc\r"), [good("a[Ab\tc")]);
        assert_eq!(lines(b"\xff\rok\r"), [Err(InputError::NotText), good("ok")]);
    }

    #[test]
    fn a_long_line_is_an_error_and_the_next_one_is_read() {
        let typed = [&vec![b'x'; MAX_INPUT + 1][..], b"\rok\r"].concat();
        assert_eq!(lines(&typed), [Err(InputError::TooLong), good("ok")]);
        let typed = [&vec![b'x'; MAX_INPUT][..], b"\r"].concat();
        assert_eq!(lines(&typed).remove(0).unwrap().len(), MAX_INPUT);
        let typed = [&vec![b'x'; MAX_INPUT + 1][..], b"\x15ok\r"].concat();
        assert_eq!(lines(&typed), [good("ok")]);
    }

    proptest! {
        #[test]
        fn any_keys_are_borne(typed in prop::collection::vec(any::<u8>(), 0..3000)) {
            let ends = typed.iter().filter(|&&byte| byte == b'\r' || byte == b'\n').count();
            let lines = lines(&typed);
            prop_assert!(lines.len() <= ends);
            prop_assert!(lines.iter().flatten().all(|line| line.len() <= MAX_INPUT));
        }
    }
}
