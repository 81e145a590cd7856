//! Header fields, read where they lie in the head.

use super::ascii::trim;

/// The header fields of a request: a view of the head's checked bytes. There is no table of them, so that a request
/// costs no memory besides its head; a look-up walks the lines.
#[derive(Clone, Copy, Debug)]
pub struct Headers<'a> {
    lines: &'a [u8],
}

impl<'a> Headers<'a> {
    /// Fields over lines that each end in CRLF and were checked to be `name: value`.
    pub(super) const fn over(lines: &'a [u8]) -> Self {
        Self { lines }
    }

    /// The value of the first field of this name, whose case does not matter.
    pub fn first(&self, name: &str) -> Option<&'a [u8]> {
        self.all(name).next()
    }

    /// The value of the field of this name if it is there exactly once.
    pub fn only(&self, name: &str) -> Option<&'a [u8]> {
        let mut values = self.all(name);
        let value = values.next()?;
        values.next().is_none().then_some(value)
    }

    /// The values of all fields of this name.
    pub fn all<'n>(&self, name: &'n str) -> impl Iterator<Item = &'a [u8]> + use<'a, 'n> {
        self.iter()
            .filter(move |(other, _)| other.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| value)
    }

    /// All fields, as name and value, in order.
    pub const fn iter(&self) -> HeaderIter<'a> {
        HeaderIter { lines: self.lines }
    }
}

impl<'a> IntoIterator for Headers<'a> {
    type Item = (&'a [u8], &'a [u8]);
    type IntoIter = HeaderIter<'a>;

    fn into_iter(self) -> HeaderIter<'a> {
        self.iter()
    }
}

/// Iterates over header fields. Made by [`Headers::iter`].
#[derive(Clone, Debug)]
pub struct HeaderIter<'a> {
    lines: &'a [u8],
}

impl<'a> Iterator for HeaderIter<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (line, rest) = split_line(self.lines)?;
        self.lines = rest;
        let colon = line.iter().position(|&byte| byte == b':')?;
        Some((&line[..colon], trim(&line[colon + 1..])))
    }
}

/// The first line without its CRLF, and what follows. `None` when no whole line is left.
pub(super) fn split_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|&byte| byte == b'\n')?;
    let line = bytes[..end].strip_suffix(b"\r")?;
    Some((line, &bytes[end + 1..]))
}

/// The elements of a comma-separated list of tokens (RFC 9110 §5.6.1), empty ones left out. Not for lists whose
/// elements may hold quoted commas.
pub fn elements(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value
        .split(|&byte| byte == b',')
        .map(trim)
        .filter(|element| !element.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    #[test]
    fn fields_are_found_whatever_their_case() {
        let headers = Headers::over(b"Host: a\r\nX-Two:1\r\nx-tWO: \t2\t \r\nEmpty:\r\n");
        assert_eq!(headers.first("host"), Some(&b"a"[..]));
        assert_eq!(headers.all("X-TWO").collect::<Vec<_>>(), [b"1", b"2"]);
        assert_eq!(headers.only("x-two"), None);
        assert_eq!(headers.only("empty"), Some(&b""[..]));
        assert_eq!(headers.first("hos"), None);
        assert_eq!(headers.iter().count(), 4);
    }

    #[test]
    fn lists_skip_empty_elements() {
        assert_eq!(
            elements(b" ,a, b ,,c,").collect::<Vec<_>>(),
            [b"a", b"b", b"c"]
        );
        assert_eq!(elements(b"").count(), 0);
    }
}
