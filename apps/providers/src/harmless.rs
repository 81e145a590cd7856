//! Text of others, as it may be shown.

/// The text without what acts upon a terminal, cut to `most` bytes.
pub(crate) fn harmless(text: &str, most: usize) -> String {
    let text = text.trim_end();
    let mut shown = String::new();
    for character in text.chars() {
        if shown.len() + character.len_utf8() > most {
            shown.push('…');
            break;
        }
        shown.push(match character {
            '\n' | '\t' => ' ',
            // Controls, and those that turn the direction of text (UAX #9).
            c if c.is_control() => '?',
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '?',
            c => c,
        });
    }
    shown
}
