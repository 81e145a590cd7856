//! Any bytes as text that is safe to print, and back.
//!
//! A value may be anything. What would move the cursor, change colours or hide other characters is written as an escape: `\n`, `\r`, `\t`, `\\`,
//! `\"` (inside quotes), `\x07` for any other byte that is a control character or part of no character, `\u{202e}` for a longer character.

use std::fmt;

use morgana_command::is_dangerous;

/// Whether quotes are part of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Quotes {
    None,
    Around,
}

/// Shows bytes as text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Escaped<'a> {
    bytes: &'a [u8],
    quotes: Quotes,
}

/// As a line of its own.
pub(crate) fn plain(bytes: &[u8]) -> Escaped<'_> {
    let quotes = Quotes::None;
    Escaped { bytes, quotes }
}

/// In double quotes, beside other text.
pub(crate) fn quoted(bytes: &[u8]) -> Escaped<'_> {
    let quotes = Quotes::Around;
    Escaped { bytes, quotes }
}

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write;
        let quote = if self.quotes == Quotes::Around {
            "\""
        } else {
            ""
        };
        f.write_str(quote)?;
        for chunk in self.bytes.utf8_chunks() {
            for character in chunk.valid().chars() {
                match character {
                    '\n' => f.write_str("\\n")?,
                    '\r' => f.write_str("\\r")?,
                    '\t' => f.write_str("\\t")?,
                    '\\' => f.write_str("\\\\")?,
                    '"' if self.quotes == Quotes::Around => f.write_str("\\\"")?,
                    _ if !is_dangerous(character) => f.write_char(character)?,
                    _ if character.is_ascii() => write!(f, "\\x{:02x}", u32::from(character))?,
                    _ => write!(f, "\\u{{{:x}}}", u32::from(character))?,
                }
            }
            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02x}")?;
            }
        }
        f.write_str(quote)
    }
}

/// An escape that is none of those above.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct BadEscape;

/// The bytes that `text` stands for.
pub(crate) fn unescape(text: &[u8]) -> Result<Vec<u8>, BadEscape> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.iter().copied();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        match rest.next().ok_or(BadEscape)? {
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            byte @ (b'\\' | b'"') => out.push(byte),
            b'x' => {
                let digits = [rest.next(), rest.next()].map(|byte| byte.and_then(hex));
                let [Some(high), Some(low)] = digits else {
                    return Err(BadEscape);
                };
                // Two digits fit.
                out.push((high << 4 | low) as u8);
            }
            b'u' => {
                let character = character(&mut rest).ok_or(BadEscape)?;
                out.extend(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
            _ => return Err(BadEscape),
        }
    }
    Ok(out)
}

/// What is behind `\u`.
fn character(rest: &mut impl Iterator<Item = u8>) -> Option<char> {
    if rest.next()? != b'{' {
        return None;
    }
    let mut number = 0;
    for digits in 0..=6 {
        match rest.next()? {
            b'}' if digits > 0 => return char::from_u32(number),
            byte => number = number << 4 | hex(byte)?,
        }
    }
    None
}

fn hex(byte: u8) -> Option<u32> {
    char::from(byte).to_digit(16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_a_terminal_would_act_upon_is_escaped() {
        for (bytes, shown) in [
            (&b"plain"[..], "plain"),
            ("Zürich 日本".as_bytes(), "Zürich 日本"),
            (b"\x1b[31mred\x07", "\\x1b[31mred\\x07"),
            (b"two\nlines\r\t\0", "two\\nlines\\r\\t\\x00"),
            (b"back\\slash \"q\"", "back\\\\slash \"q\""),
            (b"\xff\xc3", "\\xff\\xc3"),
            ("\u{9b}31m\u{202e}".as_bytes(), "\\u{9b}31m\\u{202e}"),
            (b"\x7f", "\\x7f"),
        ] {
            assert_eq!(plain(bytes).to_string(), shown);
        }
        assert_eq!(quoted(b"a \"b\" \\").to_string(), r#""a \"b\" \\""#);
    }

    #[test]
    fn escapes_that_are_none() {
        for bad in [
            "\\",
            "\\q",
            "\\x",
            "\\x1",
            "\\xg0",
            "\\u",
            "\\u{",
            "\\u{}",
            "\\u{110000}",
            "\\u{d800}",
            "\\u{1234567}",
            "\\u1234",
            "\\x+1",
        ] {
            assert_eq!(unescape(bad.as_bytes()), Err(BadEscape), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_come_back(bytes: Vec<u8>) {
            for shown in [plain(&bytes).to_string(), quoted(&bytes).to_string()] {
                prop_assert!(!shown.chars().any(is_dangerous));
            }
            prop_assert_eq!(unescape(plain(&bytes).to_string().as_bytes()), Ok(bytes));
        }

        #[test]
        fn any_text_comes_back(text: String) {
            let shown = plain(text.as_bytes()).to_string();
            prop_assert_eq!(unescape(shown.as_bytes()), Ok(text.into_bytes()));
        }

        #[test]
        fn unescaping_ends_whatever_it_is_given(text: Vec<u8>) {
            let _ = unescape(&text);
        }
    }
}
