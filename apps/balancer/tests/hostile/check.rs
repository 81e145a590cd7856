//! What must hold for any text that the control interface is sent.

use balancer::parse_object;

/// Reads the text. What was read, written again, reads the same.
pub(crate) fn check(input: &[u8]) {
    let Ok(pairs) = parse_object(input) else {
        return;
    };
    assert!(pairs.len() <= 16);
    let mut text = String::from("{");
    for (index, (key, value)) in pairs.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        text += &format!("{}:{}", quoted(key), quoted(value));
    }
    text.push('}');
    assert_eq!(parse_object(text.as_bytes()), Ok(pairs));
}

fn quoted(text: &str) -> String {
    let units = text.encode_utf16().map(|unit| format!("\\u{unit:04x}"));
    format!("\"{}\"", units.collect::<String>())
}
