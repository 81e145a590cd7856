//! The payloads of replies that are more than one string.

use alloc::vec::Vec;
use core::str::FromStr;

use crate::{Fields, Malformed};

/// The payload of a `WatchEvent`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WatchEvent<'a> {
    /// The path that changed, relative if the watch's is.
    pub path: &'a str,
    /// What the watch was named when it was set.
    pub token: &'a str,
}

impl<'a> WatchEvent<'a> {
    /// Reads the payload.
    ///
    /// # Errors
    ///
    /// [`Malformed`].
    pub fn parse(payload: &'a [u8]) -> Result<Self, Malformed> {
        let mut fields = Fields::new(payload);
        Ok(Self {
            path: fields.string()?,
            token: fields.string()?,
        })
    }

    /// Appends the payload.
    pub fn emit(&self, out: &mut Vec<u8>) {
        for text in [self.path, self.token] {
            crate::encode::put(out, text);
        }
    }
}

/// The payload of the reply to `DirectoryPart`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DirectoryPart<'a> {
    /// Changes whenever the list of children does.
    pub generation: u64,
    /// The names from the asked offset on.
    pub names: Vec<&'a str>,
    /// How many bytes of the list these names are: the next part's offset is so much further.
    pub len: u32,
    /// Whether these are the last ones.
    pub complete: bool,
}

impl<'a> DirectoryPart<'a> {
    /// Reads the payload: the generation, then names; an empty name after the last.
    ///
    /// # Errors
    ///
    /// [`Malformed`].
    pub fn parse(payload: &'a [u8]) -> Result<Self, Malformed> {
        let mut fields = Fields::new(payload);
        let generation = fields.number()?;
        let mut part = Self {
            generation,
            names: Vec::new(),
            len: 0,
            complete: false,
        };
        while !fields.is_empty() {
            let name = fields.string()?;
            if name.is_empty() {
                part.complete = true;
                fields.end()?;
                break;
            }
            // At most the payload's length, which fits.
            part.len += name.len() as u32 + 1;
            part.names.push(name);
        }
        Ok(part)
    }
}

/// Reads a list of names, each with its NUL.
///
/// # Errors
///
/// [`Malformed`] if the last NUL is missing, or a name is empty.
pub fn parse_names(payload: &[u8]) -> Result<Vec<&str>, Malformed> {
    let mut fields = Fields::new(payload);
    let mut names = Vec::new();
    while !fields.is_empty() {
        let name = fields.string()?;
        if name.is_empty() {
            return Err(Malformed);
        }
        names.push(name);
    }
    Ok(names)
}

/// Reads one decimal number, such as a new transaction's id.
///
/// # Errors
///
/// [`Malformed`].
pub fn parse_number<N: FromStr>(payload: &[u8]) -> Result<N, Malformed> {
    let mut fields = Fields::new(payload);
    let number = fields.number()?;
    fields.end()?;
    Ok(number)
}

/// Reads `T` or `F`.
///
/// # Errors
///
/// [`Malformed`].
pub fn parse_flag(payload: &[u8]) -> Result<bool, Malformed> {
    match payload {
        b"T\0" => Ok(true),
        b"F\0" => Ok(false),
        _ => Err(Malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn parts_of_directories() {
        let part = DirectoryPart::parse(b"17\0a\0bcd\0").unwrap();
        assert_eq!((part.generation, part.len, part.complete), (17, 6, false));
        assert_eq!(part.names, ["a", "bcd"]);
        let last = DirectoryPart::parse(b"17\0e\0\0").unwrap();
        assert_eq!((last.names, last.complete), (vec!["e"], true));
        let empty = DirectoryPart::parse(b"3\0\0").unwrap();
        assert_eq!((empty.names.len(), empty.complete), (0, true));
        for bad in [
            &b""[..],
            b"17",
            b"x\0a\0",
            b"1\0a",
            b"1\0a\0\0b\0",
            b"-1\0",
            b"+1\0",
        ] {
            assert_eq!(DirectoryPart::parse(bad), Err(Malformed), "{bad:?}");
        }
    }

    #[test]
    fn lists_numbers_and_flags() {
        assert_eq!(parse_names(b""), Ok(vec![]));
        assert_eq!(parse_names(b"a\0b\0"), Ok(vec!["a", "b"]));
        assert_eq!(parse_names(b"a\0b"), Err(Malformed));
        assert_eq!(parse_names(b"a\0\0b\0"), Err(Malformed));
        assert_eq!(parse_number::<u32>(b"4294967295\0"), Ok(u32::MAX));
        assert_eq!(parse_number::<u32>(b"4294967296\0"), Err(Malformed));
        assert_eq!(parse_number::<u32>(b"1\0\0"), Err(Malformed));
        assert_eq!(parse_flag(b"T\0"), Ok(true));
        assert_eq!(parse_flag(b"T"), Err(Malformed));
    }

    #[test]
    fn watch_events() {
        let event = WatchEvent::parse(b"/a\0token\0").unwrap();
        assert_eq!((event.path, event.token), ("/a", "token"));
        let mut out = vec![];
        event.emit(&mut out);
        assert_eq!(out, b"/a\0token\0");
        for bad in [&b""[..], b"/a", b"/a\0", b"/a\0token", b"\xff\0t\0"] {
            assert_eq!(WatchEvent::parse(bad), Err(Malformed));
        }
    }
}
