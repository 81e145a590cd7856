//! Finding the end of a request's head in bytes that arrive in pieces.

use super::ascii::is_line_byte;
use super::{HeadError, HeadLimits};

/// Where a whole head lies in the bytes seen so far: `start..end`, the empty line that ends it included. Before `start`
/// are empty lines, which RFC 9112 §2.2 tells a server to ignore.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeadSpan {
    /// The first byte of the request line.
    pub start: usize,
    /// One past the empty line.
    pub end: usize,
}

/// Finds the end of a head, looking at each byte once however it arrives. It also refuses at the first byte what could
/// never become a head (a bare line feed, a control byte as in a TLS hello), so that such a peer does not wait for a
/// time-out. The verdict depends on the bytes alone, never on how they were split.
#[derive(Clone, Copy, Debug, Default)]
pub struct HeadScanner {
    scanned: usize,
    start: usize,
    /// Whether the request line has ended.
    past_first_line: bool,
    /// Bytes in the current line, a carriage return not counted.
    line_length: usize,
    after_carriage_return: bool,
}

impl HeadScanner {
    /// A scanner at the beginning of a head.
    pub const fn new() -> Self {
        Self {
            scanned: 0,
            start: 0,
            past_first_line: false,
            line_length: 0,
            after_carriage_return: false,
        }
    }

    /// Looks at what is new in `bytes`, which holds everything since the head's beginning.
    pub fn scan(
        &mut self,
        bytes: &[u8],
        limits: &HeadLimits,
    ) -> Result<Option<HeadSpan>, HeadError> {
        while let Some(&byte) = bytes.get(self.scanned) {
            if self.scanned >= limits.head {
                return Err(if self.past_first_line {
                    HeadError::HeadTooLong
                } else {
                    HeadError::TargetTooLong
                });
            }
            self.scanned += 1;
            match byte {
                b'\n' if !self.after_carriage_return => return Err(HeadError::BareLineFeed),
                b'\n' => {
                    self.after_carriage_return = false;
                    if self.line_length > 0 {
                        self.past_first_line = true;
                        self.line_length = 0;
                    } else if self.past_first_line {
                        return Ok(Some(HeadSpan {
                            start: self.start,
                            end: self.scanned,
                        }));
                    } else {
                        self.start = self.scanned;
                    }
                }
                _ if self.after_carriage_return => return Err(HeadError::BareCarriageReturn),
                b'\r' => self.after_carriage_return = true,
                _ if is_line_byte(byte) => self.line_length += 1,
                _ => return Err(HeadError::ControlByte),
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LIMITS: HeadLimits = HeadLimits {
        head: 64,
        target: 32,
        headers: 4,
    };

    fn whole(bytes: &[u8]) -> Result<Option<HeadSpan>, HeadError> {
        HeadScanner::new().scan(bytes, &LIMITS)
    }

    #[test]
    fn heads_end_at_the_empty_line() {
        assert_eq!(
            whole(b"GET / HTTP/1.1\r\n\r\nmore"),
            Ok(Some(HeadSpan { start: 0, end: 18 }))
        );
        assert_eq!(
            whole(b"\r\n\r\nA\r\n\r\n"),
            Ok(Some(HeadSpan { start: 4, end: 9 }))
        );
        for partial in [
            &b""[..],
            b"\r",
            b"\r\n",
            b"A",
            b"A\r",
            b"A\r\n",
            b"A\r\n\r",
            b"A\r\nb\r\n",
        ] {
            assert_eq!(whole(partial), Ok(None));
        }
    }

    #[test]
    fn what_can_never_become_a_head_is_refused_at_once() {
        assert_eq!(whole(b"A\n"), Err(HeadError::BareLineFeed));
        assert_eq!(whole(b"\n"), Err(HeadError::BareLineFeed));
        assert_eq!(whole(b"A\r\nb: c\n"), Err(HeadError::BareLineFeed));
        assert_eq!(whole(b"A\rB"), Err(HeadError::BareCarriageReturn));
        assert_eq!(whole(b"A\r\r"), Err(HeadError::BareCarriageReturn));
        assert_eq!(whole(b"\x16\x03\x01"), Err(HeadError::ControlByte));
        assert_eq!(whole(b"GET /\0"), Err(HeadError::ControlByte));
    }

    #[test]
    fn the_limit_is_exact() {
        let mut head = [b'a'; 64];
        head[0] = b'A';
        head[60..].copy_from_slice(b"\r\n\r\n");
        assert_eq!(whole(&head), Ok(Some(HeadSpan { start: 0, end: 64 })));
        let long_line = [b'a'; 65];
        assert_eq!(whole(&long_line[..64]), Ok(None));
        assert_eq!(whole(&long_line), Err(HeadError::TargetTooLong));
        let mut long_head = [b'a'; 65];
        long_head[1..3].copy_from_slice(b"\r\n");
        assert_eq!(whole(&long_head), Err(HeadError::HeadTooLong));
        assert_eq!(whole(&b"\r\n".repeat(33)), Err(HeadError::TargetTooLong));
    }

    proptest! {
        #[test]
        fn the_verdict_does_not_depend_on_the_pieces(
            bytes in proptest::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'a'), any::<u8>()], 0..100),
            mut cuts in proptest::collection::vec(0usize..100, 0..6),
        ) {
            cuts.push(bytes.len());
            cuts.sort_unstable();
            let mut scanner = HeadScanner::new();
            let mut verdict = Ok(None);
            for cut in cuts {
                verdict = scanner.scan(&bytes[..cut.min(bytes.len())], &LIMITS);
                if verdict != Ok(None) {
                    break;
                }
            }
            prop_assert_eq!(verdict, whole(&bytes));
        }
    }
}
