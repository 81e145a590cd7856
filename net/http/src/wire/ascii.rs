//! The byte classes of HTTP's grammar.

/// RFC 9110 §5.6.2 `tchar`: what a method or a field name is made of.
const TOKEN: u8 = 1 << 0;
/// RFC 9110 §5.5: what a field value may hold, which is visible ASCII, obs-text, space and tab.
const VALUE: u8 = 1 << 1;
/// RFC 9112 §3.2: what a request target may hold. Stricter than what some clients send in one point: `"`, `<`, `>`,
/// `\` and the fragment's `#` are refused. Laxer in another: `[ ] ^ { | }` and the backquote pass, as browsers leave
/// them in queries.
const TARGET: u8 = 1 << 2;

const CLASSES: [u8; 256] = {
    let mut classes = [0u8; 256];
    let mut byte = 0usize;
    while byte < 256 {
        let value = byte as u8;
        if value.is_ascii_alphanumeric()
            || matches!(
                value,
                b'!' | b'#'
                    | b'$'
                    | b'%'
                    | b'&'
                    | b'\''
                    | b'*'
                    | b'+'
                    | b'-'
                    | b'.'
                    | b'^'
                    | b'_'
                    | b'`'
                    | b'|'
                    | b'~'
            )
        {
            classes[byte] |= TOKEN;
        }
        if value == b'\t' || value == b' ' || value.is_ascii_graphic() || value >= 0x80 {
            classes[byte] |= VALUE;
        }
        if value.is_ascii_graphic() && !matches!(value, b'"' | b'<' | b'>' | b'\\' | b'#') {
            classes[byte] |= TARGET;
        }
        byte += 1;
    }
    classes
};

fn all(bytes: &[u8], class: u8) -> bool {
    bytes
        .iter()
        .all(|&byte| CLASSES[usize::from(byte)] & class != 0)
}

/// Whether `bytes` is a token (RFC 9110 §5.6.2).
pub(crate) fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && all(bytes, TOKEN)
}

/// Whether `bytes` may stand in a field value (RFC 9110 §5.5).
pub(crate) fn is_field_value(bytes: &[u8]) -> bool {
    all(bytes, VALUE)
}

/// Whether `bytes` may stand in a request target.
pub(crate) fn is_target(bytes: &[u8]) -> bool {
    !bytes.is_empty() && all(bytes, TARGET)
}

/// Whether `byte` may stand in a line of a head or of a chunked body's framing, the line's end aside.
pub(crate) fn is_line_byte(byte: u8) -> bool {
    CLASSES[usize::from(byte)] & VALUE != 0
}

/// Without the spaces and tabs at both ends (OWS, RFC 9110 §5.6.3).
pub(crate) fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

/// The number that a non-empty run of digits writes. `None` for anything else, and for what no u64 holds.
pub(crate) fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0u64, |number, &byte| {
        let digit = byte.checked_sub(b'0').filter(|&digit| digit < 10)?;
        number.checked_mul(10)?.checked_add(u64::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_follow_the_grammar() {
        for byte in 0..=255u8 {
            let separator = matches!(
                byte,
                b'(' | b')'
                    | b'<'
                    | b'>'
                    | b'@'
                    | b','
                    | b';'
                    | b':'
                    | b'\\'
                    | b'"'
                    | b'/'
                    | b'['
                    | b']'
                    | b'?'
                    | b'='
                    | b'{'
                    | b'}'
            );
            assert_eq!(
                is_token(&[byte]),
                byte.is_ascii_graphic() && !separator,
                "{byte:#x}"
            );
            let control = byte < 0x20 || byte == 0x7f;
            assert_eq!(
                is_field_value(&[byte]),
                byte == b'\t' || !control,
                "{byte:#x}"
            );
        }
        assert!(!is_token(b"") && !is_target(b"") && is_field_value(b""));
    }

    #[test]
    fn numbers_are_digits_only_and_never_wrap() {
        assert_eq!(decimal(b"0"), Some(0));
        assert_eq!(decimal(b"18446744073709551615"), Some(u64::MAX));
        for bad in [
            &b""[..],
            b"+1",
            b"-1",
            b" 1",
            b"1 ",
            b"0x1",
            b"1,1",
            b"18446744073709551616",
        ] {
            assert_eq!(decimal(bad), None);
        }
    }

    #[test]
    fn trim_takes_spaces_and_tabs_only() {
        assert_eq!(trim(b" \t a b\t "), b"a b");
        assert_eq!(trim(b" \t "), b"");
        assert_eq!(trim(b"\x0ba"), b"\x0ba");
    }
}
