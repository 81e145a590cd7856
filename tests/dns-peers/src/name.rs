//! Names as a zone file writes them, and as octets (RFC 1035, sections 5.1 and 3.1).

/// The labels of a name: its text may have escapes, and ends with a dot.
pub(crate) fn labels(text: &str) -> Vec<Vec<u8>> {
    let mut labels = Vec::new();
    let mut label = Vec::new();
    let mut octets = text.bytes();
    while let Some(octet) = octets.next() {
        match octet {
            b'.' if label.is_empty() => {}
            b'.' => labels.push(core::mem::take(&mut label)),
            b'\\' => label.push(escaped(&mut octets)),
            _ => label.push(octet),
        }
    }
    labels
}

/// What stands behind a backslash: three digits, or the octet itself.
fn escaped(octets: &mut core::str::Bytes<'_>) -> u8 {
    let first = octets.next().unwrap_or(b'\\');
    if !first.is_ascii_digit() {
        return first;
    }
    let digits = [
        first,
        octets.next().unwrap_or(b'0'),
        octets.next().unwrap_or(b'0'),
    ];
    digits.iter().fold(0u8, |value, digit| {
        value.wrapping_mul(10).wrapping_add(digit - b'0')
    })
}

/// The octets of a name on the wire, uncompressed.
pub(crate) fn wire(labels: &[Vec<u8>]) -> Vec<u8> {
    let mut octets = Vec::new();
    for label in labels {
        octets.push(label.len() as u8);
        octets.extend_from_slice(label);
    }
    octets.push(0);
    octets
}

/// The length of a name on the wire, which is at most 255 (RFC 1035, section 3.1).
pub(crate) fn length(text: &str) -> usize {
    wire(&labels(text)).len()
}

/// The text of octets on the wire, up to the end of the name.
pub(crate) fn text(wire: &[u8]) -> String {
    let mut text = String::new();
    let mut rest = wire;
    while let Some((&length, more)) = rest.split_first() {
        if length == 0 {
            break;
        }
        let length = usize::from(length).min(more.len());
        for &octet in &more[..length] {
            match octet {
                b'.' | b'\\' => text.extend(['\\', char::from(octet)]),
                0x21..=0x7e => text.push(char::from(octet)),
                _ => text += &format!("\\{octet:03}"),
            }
        }
        text.push('.');
        rest = &more[length..];
    }
    if text.is_empty() { ".".into() } else { text }
}

/// Whether the name `inner` is `outer` or below it.
pub(crate) fn is_within(inner: &str, outer: &str) -> bool {
    let lower = |text: &str| {
        let mut labels = labels(text);
        labels
            .iter_mut()
            .for_each(|label| label.make_ascii_lowercase());
        labels
    };
    lower(inner).ends_with(&lower(outer))
}

#[cfg(test)]
mod tests {
    use super::{is_within, labels, length, text, wire};

    #[test]
    fn reads_escapes() {
        assert_eq!(labels(r"x\.y.\000\255.a."), [&b"x.y"[..], b"\0\xff", b"a"]);
        assert_eq!(
            text(&wire(&labels(r"x\.y.\000\255.a."))),
            r"x\.y.\000\255.a."
        );
        assert_eq!(
            (text(&[0]).as_str(), length("."), length("a.")),
            (".", 1, 3)
        );
    }

    #[test]
    fn knows_what_is_below() {
        assert!(is_within("A.b.test.", "B.test."));
        assert!(is_within("b.test.", "b.test."));
        assert!(!is_within("ab.test.", "b.test."));
        assert!(is_within("ab.test.", "."));
    }
}
