//! Domain names in wire form (RFC 1035 section 3.1), without compression.

use core::fmt;

/// The octets of the longest name, its lengths and the root's zero included (RFC 1035 section 2.3.4).
pub const MAX_NAME: usize = 255;
/// The octets of the longest label (RFC 1035 section 2.3.4).
pub const MAX_LABEL: usize = 63;

/// A whole domain name. Letters keep their case; comparisons ignore it (RFC 4343).
#[derive(Clone, Copy)]
pub struct Name {
    len: u8,
    octets: [u8; MAX_NAME],
}

impl Name {
    /// The root.
    pub const ROOT: Self = Self {
        len: 1,
        octets: [0; MAX_NAME],
    };

    /// The name that `wire` begins with, which must be whole and not compressed; what comes after it is not looked at.
    pub fn from_wire(wire: &[u8]) -> Option<Self> {
        let len = wire_len(wire)?;
        let mut octets = [0; MAX_NAME];
        octets[..len].copy_from_slice(&wire[..len]);
        Some(Self {
            len: len as u8,
            octets,
        })
    }

    /// The name that `text` is in the presentation form of RFC 1035 section 5.1. A name without a dot at its end is completed
    /// with `origin`.
    ///
    /// # Errors
    ///
    /// [`NameError`].
    pub fn parse(text: &[u8], origin: Option<&Name>) -> Result<Self, NameError> {
        match text {
            b"@" => return origin.copied().ok_or(NameError::Relative),
            b"." => return Ok(Self::ROOT),
            b"" => return Err(NameError::EmptyLabel),
            _ => {}
        }
        let mut builder = Builder::new();
        let mut rest = text;
        while let Some((&first, after)) = rest.split_first() {
            rest = match first {
                b'.' => {
                    builder.end_label()?;
                    after
                }
                b'\\' => {
                    let (octet, after) = unescape(after).ok_or(NameError::Escape)?;
                    builder.push(octet)?;
                    after
                }
                octet => {
                    builder.push(octet)?;
                    after
                }
            };
        }
        if builder.label_len() == 0 {
            // The text ended with a dot.
            return builder.finish(Self::ROOT.wire());
        }
        builder.end_label()?;
        let origin = origin.ok_or(NameError::Relative)?;
        builder.finish(origin.wire())
    }

    /// A name made of the labels in `labels`, each with its length, and then of all of `suffix`. `None` if it is too long.
    pub(crate) fn join(labels: &[u8], suffix: &[u8]) -> Option<Self> {
        let len = labels.len() + suffix.len();
        if len > MAX_NAME {
            return None;
        }
        let mut octets = [0; MAX_NAME];
        octets[..labels.len()].copy_from_slice(labels);
        octets[labels.len()..len].copy_from_slice(suffix);
        Some(Self {
            len: len as u8,
            octets,
        })
    }

    /// Its octets, the root's zero included.
    pub fn wire(&self) -> &[u8] {
        &self.octets[..usize::from(self.len)]
    }

    /// How many labels it has, the root's not counted.
    pub(crate) fn label_count(wire: &[u8]) -> usize {
        let mut rest = wire;
        let mut count = 0;
        while label_step(rest) > 0 {
            rest = &rest[label_step(rest)..];
            count += 1;
        }
        count
    }

    /// The name without its first `count` labels.
    pub(crate) fn skip(wire: &[u8], count: usize) -> &[u8] {
        let mut rest = wire;
        for _ in 0..count {
            rest = &rest[label_step(rest)..];
        }
        rest
    }
}

/// How many octets the first label of a valid name takes; 0 if it is the root's.
pub(crate) fn label_step(wire: &[u8]) -> usize {
    match wire.first() {
        Some(&len) if len > 0 => 1 + usize::from(len),
        _ => 0,
    }
}

/// How many octets the uncompressed name takes that `wire` begins with. `None` if there is no whole one.
pub(crate) fn wire_len(wire: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        let len = usize::from(*wire.get(at)?);
        at += 1 + len;
        if len > MAX_LABEL || at > MAX_NAME {
            return None;
        }
        if len == 0 {
            return Some(at);
        }
    }
}

/// The octet that stands behind a backslash (`\.` or `\046`), and what comes after it.
pub(crate) fn unescape(text: &[u8]) -> Option<(u8, &[u8])> {
    match text {
        [a, b, c, after @ ..] if a.is_ascii_digit() => {
            let digit = |byte: &u8| char::from(*byte).to_digit(10);
            let value = digit(a)? * 100 + digit(b)? * 10 + digit(c)?;
            Some((u8::try_from(value).ok()?, after))
        }
        [digit, ..] if digit.is_ascii_digit() => None,
        [octet, after @ ..] => Some((*octet, after)),
        [] => None,
    }
}

/// Labels on their way to a name.
struct Builder {
    octets: [u8; MAX_NAME],
    /// Where the label in work has its length.
    label: usize,
    len: usize,
}

impl Builder {
    fn new() -> Self {
        Self {
            octets: [0; MAX_NAME],
            label: 0,
            len: 1,
        }
    }

    fn label_len(&self) -> usize {
        self.len - self.label - 1
    }

    fn push(&mut self, octet: u8) -> Result<(), NameError> {
        if self.label_len() == MAX_LABEL {
            return Err(NameError::LabelTooLong);
        }
        *self.octets.get_mut(self.len).ok_or(NameError::TooLong)? = octet;
        self.len += 1;
        Ok(())
    }

    fn end_label(&mut self) -> Result<(), NameError> {
        if self.label_len() == 0 {
            return Err(NameError::EmptyLabel);
        }
        self.octets[self.label] = self.label_len() as u8;
        self.label = self.len;
        self.len += 1;
        if self.len > MAX_NAME {
            return Err(NameError::TooLong);
        }
        Ok(())
    }

    fn finish(self, suffix: &[u8]) -> Result<Name, NameError> {
        Name::join(&self.octets[..self.label], suffix).ok_or(NameError::TooLong)
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.wire().eq_ignore_ascii_case(other.wire())
    }
}

impl Eq for Name {}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.wire();
        if rest.len() == 1 {
            return f.write_str(".");
        }
        while label_step(rest) > 0 {
            let step = label_step(rest);
            for &octet in &rest[1..step] {
                match octet {
                    b'.' | b'\\' | b'"' | b';' | b'(' | b')' | b'@' | b'$' => {
                        write!(f, "\\{}", char::from(octet))?;
                    }
                    0x21..=0x7e => write!(f, "{}", char::from(octet))?,
                    _ => write!(f, "\\{octet:03}")?,
                }
            }
            f.write_str(".")?;
            rest = &rest[step..];
        }
        Ok(())
    }
}

/// Why a text is no domain name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NameError {
    /// More than 63 octets between two dots.
    LabelTooLong,
    /// More than 255 octets in wire form.
    TooLong,
    /// Nothing between two dots.
    EmptyLabel,
    /// A backslash with nothing behind it, or with digits that are no octet.
    Escape,
    /// It does not end with a dot, and there is no origin to complete it with.
    Relative,
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LabelTooLong => "a label of a name is longer than 63 octets",
            Self::TooLong => "a name is longer than 255 octets",
            Self::EmptyLabel => "a label of a name is empty",
            Self::Escape => {
                "a backslash is followed by neither a character nor three digits up to 255"
            }
            Self::Relative => "a name is relative, and there is no origin",
        })
    }
}

impl core::error::Error for NameError {}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    fn parse(text: &str) -> Result<Name, NameError> {
        let origin = Name::parse(b"Example.ORG.", None).unwrap();
        Name::parse(text.as_bytes(), Some(&origin))
    }

    #[test]
    fn texts_become_names_and_texts_again() {
        for (text, name) in [
            (".", "."),
            ("@", "Example.ORG."),
            ("a", "a.Example.ORG."),
            ("a.b", "a.b.Example.ORG."),
            ("a.b.", "a.b."),
            (r"a\.b.", r"a\.b."),
            (r"\065.", "A."),
            (r"\000\255.", r"\000\255."),
            ("*.x.", "*.x."),
        ] {
            assert_eq!(parse(text).unwrap().to_string(), name, "{text}");
        }
    }

    #[test]
    fn what_is_no_name_is_refused() {
        let long = "a".repeat(64);
        let labels = "abcdefg.".repeat(32);
        for (text, error) in [
            ("", NameError::EmptyLabel),
            ("a..b", NameError::EmptyLabel),
            (".a", NameError::EmptyLabel),
            (r"a\", NameError::Escape),
            (r"a\25", NameError::Escape),
            (r"a\256", NameError::Escape),
            (&long, NameError::LabelTooLong),
            (&labels, NameError::TooLong),
        ] {
            assert_eq!(parse(text).unwrap_err(), error, "{text}");
        }
        assert_eq!(Name::parse(b"a", None).unwrap_err(), NameError::Relative);
    }

    #[test]
    fn the_longest_name_fits_and_one_more_octet_does_not() {
        let labels = "abcdefg.".repeat(31);
        assert_eq!(
            Name::parse(alloc::format!("{labels}abcde.").as_bytes(), None)
                .unwrap()
                .wire()
                .len(),
            255
        );
        assert!(Name::parse(alloc::format!("{labels}abcdef.").as_bytes(), None).is_err());
    }

    #[test]
    fn names_in_messages_end_in_time() {
        assert_eq!(wire_len(b"\x01a\0rest"), Some(3));
        assert_eq!(wire_len(b"\x01a"), None);
        assert_eq!(wire_len(b"\xc0\x0c"), None);
        assert_eq!(wire_len(&[1; 300]), None);
        assert!(parse("a").unwrap() == parse("A.eXAMPLE.org.").unwrap());
    }
}
