//! The parameters of a request: `name=value`, with `&` between them, percent-encoded (RFC 3986 §2.1). A `+` is a plus.

use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

/// Parameters of a request at the most.
const MOST: usize = 8;

/// Why a parameter is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadParameter {
    /// This one must be there.
    Missing(&'static str),
    /// The value of this one makes no sense, or is beyond its limits.
    Value(&'static str),
    /// This one is there twice.
    Repeated(&'static str),
    /// Here is no parameter of that name.
    Unknown,
}

impl fmt::Display for BadParameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(name) => write!(f, "{name} is missing"),
            Self::Value(name) => write!(f, "{name} has no such value"),
            Self::Repeated(name) => write!(f, "{name} is there twice"),
            Self::Unknown => f.write_str("a parameter that is not known here"),
        }
    }
}

impl core::error::Error for BadParameter {}

/// Parameters whose names are known.
#[derive(Debug)]
pub(crate) struct Parameters<'q>(Vec<(&'static str, &'q str)>);

impl<'q> Parameters<'q> {
    /// Reads a query, which may have these parameters.
    pub(crate) fn parse(
        query: Option<&'q str>,
        known: &[&'static str],
    ) -> Result<Self, BadParameter> {
        let mut found: Vec<(&'static str, &'q str)> = Vec::new();
        let words = query.unwrap_or_default().split('&');
        for word in words.filter(|word| !word.is_empty()).take(MOST + 1) {
            let (name, value) = word.split_once('=').unwrap_or((word, ""));
            let known = known.iter().find(|known| **known == name);
            let name = *known.ok_or(BadParameter::Unknown)?;
            if found.iter().any(|(other, _)| *other == name) {
                return Err(BadParameter::Repeated(name));
            }
            found.push((name, value));
        }
        Ok(Self(found))
    }

    fn value(&self, name: &str) -> Option<&'q str> {
        let mut found = self.0.iter();
        found.find(|(other, _)| *other == name).map(|(_, v)| *v)
    }

    /// A number, if it is there.
    pub(crate) fn number<T: FromStr>(&self, name: &'static str) -> Result<Option<T>, BadParameter> {
        let Some(value) = self.value(name) else {
            return Ok(None);
        };
        // A number may have a sign otherwise.
        let digits = value.bytes().all(|byte| byte.is_ascii_digit());
        let number = value.parse().ok().filter(|_| digits);
        number.map(Some).ok_or(BadParameter::Value(name))
    }

    /// A number that must be there.
    pub(crate) fn wanted<T: FromStr>(&self, name: &'static str) -> Result<T, BadParameter> {
        self.number(name)?.ok_or(BadParameter::Missing(name))
    }

    /// Bytes; none, if it is not there.
    pub(crate) fn bytes(&self, name: &'static str) -> Result<Vec<u8>, BadParameter> {
        let value = self.value(name).unwrap_or_default();
        decode(value.as_bytes()).ok_or(BadParameter::Value(name))
    }
}

fn decode(mut text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    while let Some((&first, rest)) = text.split_first() {
        text = rest;
        bytes.push(match (first, rest) {
            (b'%', [high, low, rest @ ..]) => {
                text = rest;
                let digit = |byte: u8| char::from(byte).to_digit(16);
                (digit(*high)? << 4 | digit(*low)?) as u8
            }
            (b'%', _) => return None,
            (byte, _) => byte,
        });
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[&str] = &["n", "key"];

    #[test]
    fn values_are_decoded() {
        let parameters = Parameters::parse(Some("key=a%20%26+%ff&n=7&"), KNOWN).unwrap();
        assert_eq!(parameters.bytes("key"), Ok(b"a &+\xff".to_vec()));
        assert_eq!(parameters.wanted::<u8>("n"), Ok(7));
        let none = Parameters::parse(None, KNOWN).unwrap();
        assert_eq!(none.bytes("key"), Ok(Vec::new()));
        assert_eq!(none.number::<u8>("n"), Ok(None));
        assert_eq!(none.wanted::<u8>("n"), Err(BadParameter::Missing("n")));
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        let value = |query| {
            let parameters = Parameters::parse(Some(query), KNOWN)?;
            parameters.bytes("key")?;
            parameters.number::<u8>("n")
        };
        for query in ["n=256", "n=-1", "n=+1", "n=", "n", "n=1x"] {
            assert_eq!(value(query), Err(BadParameter::Value("n")), "{query}");
        }
        for query in ["key=%", "key=%4", "key=%g0"] {
            assert_eq!(value(query), Err(BadParameter::Value("key")), "{query}");
        }
        assert_eq!(value("n=1&n=1"), Err(BadParameter::Repeated("n")));
        assert_eq!(value("m=1"), Err(BadParameter::Unknown));
    }
}
