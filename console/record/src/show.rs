//! How an entry is shown: a line that a terminal may have.

use core::fmt::{self, Write as _};

use crate::{Entry, Name};

/// A text without anything that a terminal acts upon, or that hides or turns what is beside it: such characters are escaped (`\n`, `\u{1b}`).
#[derive(Clone, Copy, Debug)]
pub struct Harmless<'a>(pub &'a str);

impl fmt::Display for Harmless<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            match character {
                '\n' => f.write_str("\\n")?,
                '\r' => f.write_str("\\r")?,
                '\t' => f.write_str("\\t")?,
                other if is_dangerous(other) => write!(f, "{}", other.escape_unicode())?,
                other => f.write_char(other)?,
            }
        }
        Ok(())
    }
}

/// Whether a terminal acts upon a character, or it hides or turns what is beside it: control characters, those that turn the direction of text, and invisible ones (Unicode's general categories Cc and Cf, as far as they matter).
pub fn is_dangerous(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// An entry as a line: time, domain, level, target, message, fields. A name that the domain itself says has a question mark.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a>(pub &'a Entry);

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(entry) = self;
        let record = &entry.record;
        write!(f, "{} {}", entry.time(), entry.domain.number())?;
        match &entry.name {
            Name::Known(name) if name.is_empty() => {}
            Name::Known(name) => write!(f, ":{}", Harmless(name))?,
            Name::Claimed(name) if name.is_empty() => {}
            Name::Claimed(name) => write!(f, ":{}?", Harmless(name))?,
        }
        let (target, message) = (Harmless(&record.target), Harmless(&record.message));
        write!(f, " {:<5} {target}: {message}", record.level)?;
        for (key, value) in &record.fields {
            write!(f, " {}={}", Harmless(key), Value(value))?;
        }
        Ok(())
    }
}

/// A field's value, in quotes if one could not tell otherwise where it ends.
struct Value<'a>(&'a str);

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = |character: char| !character.is_whitespace() && !matches!(character, '"' | '=');
        if !self.0.is_empty() && self.0.chars().all(plain) {
            return Harmless(self.0).fmt(f);
        }
        f.write_char('"')?;
        for (index, piece) in self.0.split('"').enumerate() {
            if index > 0 {
                f.write_str("\\\"")?;
            }
            Harmless(piece).fmt(f)?;
        }
        f.write_char('"')
    }
}
