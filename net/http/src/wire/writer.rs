//! Writing an answer's head into a buffer, without formatting machinery.

use super::ascii::{is_field_value, is_target, is_token};
use super::{Method, Status};

/// A head that does not fit its buffer, or a field that would break the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnfitHead;

/// Appends a status line and fields to a buffer. It remembers that something did not fit, or that a name or value has
/// bytes that no field may have (so that no app can be made to split a response); [`finish`](Self::finish) tells.
#[derive(Debug)]
pub struct HeadWriter<'b> {
    buffer: &'b mut [u8],
    length: usize,
    broken: bool,
}

impl<'b> HeadWriter<'b> {
    /// A head that begins with the status line, always of HTTP/1.1 (RFC 9110 §6.2).
    pub fn new(buffer: &'b mut [u8], status: Status) -> Self {
        let mut writer = Self {
            buffer,
            length: 0,
            broken: false,
        };
        writer.raw(b"HTTP/1.1 ");
        match status.line() {
            Some(line) => writer.raw(line.as_bytes()),
            None => {
                writer.number(u64::from(status.code()));
                writer.raw(b" ");
            }
        }
        writer.raw(b"\r\n");
        writer
    }

    /// A head that begins with a request line of HTTP/1.1.
    pub(crate) fn request(buffer: &'b mut [u8], method: Method, target: &str) -> Self {
        let broken = !is_target(target.as_bytes());
        let mut writer = Self {
            buffer,
            length: 0,
            broken,
        };
        writer.raw(method.name().as_bytes());
        writer.raw(b" ");
        writer.raw(target.as_bytes());
        writer.raw(b" HTTP/1.1\r\n");
        writer
    }

    /// Appends a field.
    pub fn field(&mut self, name: &str, value: &str) {
        self.name(name);
        self.text(value);
        self.raw(b"\r\n");
    }

    /// Appends a field that somebody else has sent.
    pub fn raw_field(&mut self, name: &[u8], value: &[u8]) {
        self.broken |= !is_token(name) || !is_field_value(value);
        for part in [name, b": ", value, b"\r\n"] {
            self.raw(part);
        }
    }

    /// Appends a field whose value is a number.
    pub fn number_field(&mut self, name: &str, value: u64) {
        self.name(name);
        self.number(value);
        self.raw(b"\r\n");
    }

    /// Begins a field; its value follows in pieces, then [`end_field`](Self::end_field).
    pub fn name(&mut self, name: &str) {
        self.broken |= !is_token(name.as_bytes());
        self.raw(name.as_bytes());
        self.raw(b": ");
    }

    /// Appends a piece of a field's value.
    pub fn text(&mut self, text: &str) {
        self.broken |= !is_field_value(text.as_bytes());
        self.raw(text.as_bytes());
    }

    /// Appends a number in decimal to a field's value.
    pub fn number(&mut self, mut number: u64) {
        // As many digits as u64::MAX has.
        let mut digits = [0u8; 20];
        let mut first = digits.len();
        loop {
            first -= 1;
            digits[first] = b'0' + (number % 10) as u8;
            number /= 10;
            if number == 0 {
                break;
            }
        }
        self.raw(&digits[first..]);
    }

    /// Ends the field that [`name`](Self::name) began.
    pub fn end_field(&mut self) {
        self.raw(b"\r\n");
    }

    /// Ends the head with its empty line and answers its length.
    pub fn finish(mut self) -> Result<usize, UnfitHead> {
        self.raw(b"\r\n");
        if self.broken {
            Err(UnfitHead)
        } else {
            Ok(self.length)
        }
    }

    fn raw(&mut self, bytes: &[u8]) {
        match self.buffer.get_mut(self.length..self.length + bytes.len()) {
            Some(space) => {
                space.copy_from_slice(bytes);
                self.length += bytes.len();
            }
            None => self.broken = true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(
        length: usize,
        fill: impl FnOnce(&mut HeadWriter<'_>),
    ) -> Result<std::string::String, UnfitHead> {
        let mut buffer = std::vec![0; length];
        let mut writer = HeadWriter::new(&mut buffer, Status::OK);
        fill(&mut writer);
        let length = writer.finish()?;
        Ok(std::str::from_utf8(&buffer[..length]).expect("text").into())
    }

    #[test]
    fn heads_are_written() {
        let head = written(100, |writer| {
            writer.field("A", "b");
            writer.number_field("N", 0);
            writer.name("R");
            writer.number(u64::MAX);
            writer.text("/x");
            writer.end_field();
        });
        assert_eq!(
            head.as_deref(),
            Ok("HTTP/1.1 200 OK\r\nA: b\r\nN: 0\r\nR: 18446744073709551615/x\r\n\r\n")
        );
        let mut buffer = [0; 40];
        let odd = HeadWriter::new(&mut buffer, Status::new(299).expect("final")).finish();
        assert_eq!(&buffer[..odd.expect("fits")], b"HTTP/1.1 299 \r\n\r\n");
    }

    #[test]
    fn what_does_not_fit_or_would_split_the_head_is_refused() {
        assert!(written(19, |_| {}).is_ok());
        assert!(written(18, |_| {}).is_err());
        assert!(written(2, |_| {}).is_err());
        for (name, value) in [
            ("A", "b\r\nC: d"),
            ("A", "\n"),
            ("A\r\nB", "c"),
            ("", "c"),
            ("A:", "c"),
            ("A", "\0"),
        ] {
            assert!(written(100, |writer| writer.field(name, value)).is_err());
        }
    }
}
