//! The language of xl: `key = value` lines, where a value is a text in quotes, a number, or a list of such.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::iter::Peekable;
use core::str::Chars;

use super::error::{ConfigError, Mistake};
use super::setting::{MOST, Setting, Value};

struct Reader<'a> {
    rest: Peekable<Chars<'a>>,
    line: usize,
}

/// All settings, in order.
pub(super) fn settings(text: &str) -> Result<Vec<Setting>, ConfigError> {
    let mut reader = Reader {
        rest: text.chars().peekable(),
        line: 1,
    };
    let mut settings = Vec::new();
    loop {
        reader.skip(|c| c.is_whitespace() || c == ';');
        if reader.rest.peek().is_none() {
            return Ok(settings);
        }
        if settings.len() == MOST {
            return Err(reader.wrong(Mistake::TooLarge));
        }
        settings.push(reader.setting()?);
    }
}

impl Reader<'_> {
    fn wrong(&self, mistake: Mistake) -> ConfigError {
        ConfigError {
            line: self.line,
            key: None,
            mistake,
        }
    }

    fn take(&mut self) -> Option<char> {
        let next = self.rest.next();
        self.line += usize::from(next == Some('\n'));
        next
    }

    /// Skips such characters, and comments between them.
    fn skip(&mut self, is_skipped: impl Fn(char) -> bool) {
        while let Some(&next) = self.rest.peek() {
            if next == '#' {
                while self.rest.peek().is_some_and(|&c| c != '\n') {
                    self.take();
                }
            } else if is_skipped(next) {
                self.take();
            } else {
                return;
            }
        }
    }

    fn blanks(&mut self) {
        while matches!(self.rest.peek(), Some(' ' | '\t' | '\r')) {
            self.take();
        }
    }

    fn word(&mut self) -> String {
        let mut word = String::new();
        while let Some(&next) = self.rest.peek() {
            if !next.is_ascii_alphanumeric() && next != '_' {
                break;
            }
            word.push(next);
            self.take();
        }
        word
    }

    fn setting(&mut self) -> Result<Setting, ConfigError> {
        let line = self.line;
        let key = self.word();
        self.blanks();
        if key.is_empty() || self.rest.peek() != Some(&'=') {
            return Err(self.wrong(Mistake::Syntax));
        }
        self.take();
        self.blanks();
        let value = match self.rest.peek() {
            Some('[') => self.list()?,
            _ => self.scalar()?,
        };
        self.blanks();
        match self.rest.peek() {
            None | Some('\n' | ';' | '#') => Ok(Setting { line, key, value }),
            Some(_) => Err(self.wrong(Mistake::Syntax)),
        }
    }

    fn list(&mut self) -> Result<Value, ConfigError> {
        self.take();
        let mut items = Vec::new();
        loop {
            self.skip(char::is_whitespace);
            match self.rest.peek() {
                None => return Err(self.wrong(Mistake::Unfinished)),
                Some(']') => {
                    self.take();
                    return Ok(Value::List(items));
                }
                Some('[') => return Err(self.wrong(Mistake::TooLarge)),
                Some(_) if items.len() == MOST => return Err(self.wrong(Mistake::TooLarge)),
                Some(_) => items.push(self.scalar()?),
            }
            self.skip(char::is_whitespace);
            match self.rest.peek() {
                Some(',') => {
                    self.take();
                }
                Some(']') => {}
                None => return Err(self.wrong(Mistake::Unfinished)),
                Some(_) => return Err(self.wrong(Mistake::Syntax)),
            }
        }
    }

    fn scalar(&mut self) -> Result<Value, ConfigError> {
        match self.rest.peek() {
            Some(&quote @ ('"' | '\'')) => self.quoted(quote).map(Value::Text),
            Some(c) if c.is_ascii_digit() => {
                let word = self.word();
                let number = match word.strip_prefix("0x") {
                    Some(digits) => u64::from_str_radix(digits, 16),
                    None => word.parse(),
                };
                number
                    .map(Value::Number)
                    .map_err(|_| self.wrong(Mistake::NotANumber))
            }
            _ => Err(self.wrong(Mistake::Syntax)),
        }
    }

    /// There are no escapes in xl's texts, and they end on their line.
    fn quoted(&mut self, quote: char) -> Result<String, ConfigError> {
        self.take();
        let mut text = String::new();
        loop {
            match self.rest.peek() {
                None | Some('\n') => return Err(self.wrong(Mistake::Unfinished)),
                Some(&next) => {
                    self.take();
                    if next == quote {
                        return Ok(text.to_string());
                    }
                    text.push(next);
                }
            }
        }
    }
}
