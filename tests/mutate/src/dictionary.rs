//! The words of a format, as libFuzzer's dictionaries have them: `"a word"` on a line, perhaps a name and `=` before it.

/// Reads the words of a dictionary.
pub(crate) fn words(text: &str) -> Vec<Vec<u8>> {
    text.lines().filter_map(word).collect()
}

fn word(line: &str) -> Option<Vec<u8>> {
    let line = line.trim();
    if line.starts_with('#') {
        return None;
    }
    let (_, rest) = line.split_once('"')?;
    Some(unescaped(rest.strip_suffix('"')?))
}

/// `\xHH`, `\\` and `\"` are one byte each.
fn unescaped(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&first, more)) = rest.split_first() {
        let (byte, after) = match (first, more) {
            (b'\\', [b'x', high, low, after @ ..]) => {
                let digit = |byte: u8| char::from(byte).to_digit(16).unwrap_or(0) as u8;
                (digit(*high) * 16 + digit(*low), after)
            }
            (b'\\', [escaped, after @ ..]) => (*escaped, after),
            _ => (first, more),
        };
        bytes.push(byte);
        rest = after;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn words_are_read() {
        let text =
            "# none\n\"GET /\"\n  name=\"a\\x0d\\x0A\"\n\n\"quote\\\" and \\\\\"\nnothing\n\"open";
        let expected: [&[u8]; 3] = [b"GET /", b"a\r\n", b"quote\" and \\"];
        assert_eq!(words(text), expected);
    }
}
