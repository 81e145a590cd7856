//! The little JSON that the control interface reads: one object of strings (RFC 8259).

use alloc::string::String;
use alloc::vec::Vec;

/// Why a text is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonError {
    /// It is no JSON, or no object whose values are strings.
    Malformed,
    /// A key stands twice.
    Repeated,
    /// More keys than anything here has.
    TooMany,
}

impl core::fmt::Display for JsonError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Malformed => "not a JSON object whose values are strings",
            Self::Repeated => "a key stands twice",
            Self::TooMany => "too many keys",
        })
    }
}

impl core::error::Error for JsonError {}

/// Keys of an object at the most.
const KEYS: usize = 16;

/// The keys and values of an object that has strings only.
///
/// # Errors
///
/// [`JsonError`].
pub fn parse_object(text: &[u8]) -> Result<Vec<(String, String)>, JsonError> {
    let text = str::from_utf8(text).map_err(|_| JsonError::Malformed)?;
    let mut reader = Reader { rest: text };
    let mut pairs: Vec<(String, String)> = Vec::new();
    reader.expect('{')?;
    if !reader.takes('}') {
        loop {
            let key = reader.string()?;
            reader.expect(':')?;
            let value = reader.string()?;
            if pairs.iter().any(|(other, _)| *other == key) {
                return Err(JsonError::Repeated);
            }
            if pairs.len() >= KEYS {
                return Err(JsonError::TooMany);
            }
            pairs.push((key, value));
            if !reader.takes(',') {
                break;
            }
        }
        reader.expect('}')?;
    }
    reader.space();
    match reader.rest {
        "" => Ok(pairs),
        _ => Err(JsonError::Malformed),
    }
}

struct Reader<'t> {
    rest: &'t str,
}

impl Reader<'_> {
    fn space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\r', '\n']);
    }

    /// Whether this comes next; then it is behind.
    fn takes(&mut self, expected: char) -> bool {
        self.space();
        match self.rest.strip_prefix(expected) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, expected: char) -> Result<(), JsonError> {
        match self.takes(expected) {
            true => Ok(()),
            false => Err(JsonError::Malformed),
        }
    }

    fn next(&mut self) -> Result<char, JsonError> {
        let mut characters = self.rest.chars();
        let next = characters.next().ok_or(JsonError::Malformed)?;
        self.rest = characters.as_str();
        Ok(next)
    }

    fn string(&mut self) -> Result<String, JsonError> {
        self.expect('"')?;
        let mut string = String::new();
        loop {
            match self.next()? {
                '"' => return Ok(string),
                '\\' => string.push(self.escaped()?),
                '\0'..='\x1f' => return Err(JsonError::Malformed),
                other => string.push(other),
            }
        }
    }

    fn escaped(&mut self) -> Result<char, JsonError> {
        Ok(match self.next()? {
            same @ ('"' | '\\' | '/') => same,
            'b' => '\x08',
            'f' => '\x0c',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => return self.unicode(),
            _ => return Err(JsonError::Malformed),
        })
    }

    /// Four hexadecimal digits, and those of the other half of a pair.
    fn unicode(&mut self) -> Result<char, JsonError> {
        let first = self.hex()?;
        let code = match first {
            0xd800..=0xdbff => {
                let behind = self.rest.strip_prefix("\\u");
                self.rest = behind.ok_or(JsonError::Malformed)?;
                match self.hex()? {
                    second @ 0xdc00..=0xdfff => {
                        0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00)
                    }
                    _ => return Err(JsonError::Malformed),
                }
            }
            other => other,
        };
        char::from_u32(code).ok_or(JsonError::Malformed)
    }

    fn hex(&mut self) -> Result<u32, JsonError> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.next()?.to_digit(16).ok_or(JsonError::Malformed)?;
            code = code << 4 | digit;
        }
        Ok(code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::borrow::ToOwned;

    #[test]
    fn objects_of_strings_are_read() {
        let read = |text: &str| parse_object(text.as_bytes());
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(read(" { } \n"), Ok(Vec::new()));
        assert_eq!(
            read(
                "{\"a\" : \"b\",\r\n\"\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e4\\ud83d\\ude00\u{e9}\"}"
            ),
            Ok([
                pair("a", "b"),
                pair("", "\"\\/\x08\x0c\n\r\t\u{e4}\u{1f600}\u{e9}")
            ]
            .into())
        );
    }

    #[test]
    fn everything_else_is_refused() {
        for text in [
            "",
            "{",
            "}",
            "[]",
            "\"a\"",
            "{\"a\"}",
            "{\"a\":1}",
            "{\"a\":null}",
            "{\"a\":\"b\",}",
            "{\"a\":\"b\"",
            "{\"a\":\"b\"} x",
            "{\"a\":\"\n\"}",
            "{\"a\":\"\\x\"}",
            "{\"a\":\"\\u12\"}",
            "{\"a\":\"\\ud800\"}",
            "{\"a\":\"\\ud800\\u0041\"}",
            "{\"a\":\"\\udc00\"}",
            "{'a':'b'}",
            "{\"a\":{\"b\":\"c\"}}",
            "{\"a\":\"b\"\"c\":\"d\"}",
            "{\"a\":\"\\u+123\"}",
        ] {
            assert_eq!(
                parse_object(text.as_bytes()),
                Err(JsonError::Malformed),
                "{text}"
            );
        }
        assert_eq!(parse_object(b"{\"a\":\"\xff\"}"), Err(JsonError::Malformed));
        assert_eq!(
            parse_object(b"{\"a\":\"b\",\"a\":\"b\"}"),
            Err(JsonError::Repeated)
        );
        let many: Vec<_> = (0..17).map(|key| std::format!("\"{key}\":\"\"")).collect();
        let many = std::format!("{{{}}}", many.join(","));
        assert_eq!(parse_object(many.as_bytes()), Err(JsonError::TooMany));
    }
}
