//! From the text of a master file to its words (RFC 1035 section 5.1).

use super::Reason;

/// What an entry begins with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Start {
    /// White space: the owner is that of the entry before.
    Blank,
    /// Something else.
    Word,
    /// There is no further entry.
    End,
}

/// A word as it stands in the file, escapes and all.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Word<'t> {
    /// Without the quotes around it.
    pub(super) raw: &'t [u8],
    pub(super) quoting: Quoting,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Quoting {
    Bare,
    Quoted,
}

/// Reads the words of one entry after the other.
#[derive(Debug)]
pub(super) struct Lexer<'t> {
    text: &'t [u8],
    at: usize,
    line: u32,
    /// The line of what was read last.
    read_line: u32,
    open: u32,
}

impl<'t> Lexer<'t> {
    pub(super) fn new(text: &'t [u8]) -> Self {
        Self {
            text,
            at: 0,
            line: 1,
            read_line: 1,
            open: 0,
        }
    }

    /// The line of what was read last, or is wrong, from 1 on.
    pub(super) fn last_line(&self) -> u32 {
        self.read_line
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// Goes to the next entry, over lines without any.
    pub(super) fn begin(&mut self) -> Result<Start, Reason> {
        loop {
            let start = match self.peek() {
                None => return Ok(Start::End),
                Some(b' ' | b'\t') => Start::Blank,
                Some(_) => Start::Word,
            };
            self.skip()?;
            match self.peek() {
                None => return Ok(Start::End),
                Some(b'\n') => self.next_line(),
                Some(_) => return Ok(start),
            }
        }
    }

    /// The entry's next word; `None` at its end.
    pub(super) fn word(&mut self) -> Result<Option<Word<'t>>, Reason> {
        self.skip()?;
        match self.peek() {
            None if self.open > 0 => Err(Reason::Parenthesis),
            None => Ok(None),
            Some(b'\n') => {
                self.next_line();
                Ok(None)
            }
            Some(b'"') => self.quoted().map(Some),
            Some(_) => self.bare().map(Some),
        }
    }

    /// Whether the entry has a further word.
    pub(super) fn has_word(&mut self) -> Result<bool, Reason> {
        self.skip()?;
        Ok(!matches!(self.peek(), None | Some(b'\n')))
    }

    /// Skips white space, comments, parentheses, and within these the ends of lines.
    fn skip(&mut self) -> Result<(), Reason> {
        let skipped = self.skip_all();
        self.read_line = self.line;
        skipped
    }

    fn skip_all(&mut self) -> Result<(), Reason> {
        loop {
            match self.peek() {
                Some(b' ' | b'\t' | b'\r') => {}
                Some(b'(') => self.open = self.open.checked_add(1).ok_or(Reason::Parenthesis)?,
                Some(b')') => self.open = self.open.checked_sub(1).ok_or(Reason::Parenthesis)?,
                Some(b'\n') if self.open > 0 => self.line += 1,
                Some(b';') => {
                    while !matches!(self.peek(), None | Some(b'\n')) {
                        self.at += 1;
                    }
                    continue;
                }
                None if self.open > 0 => return Err(Reason::Parenthesis),
                _ => return Ok(()),
            }
            self.at += 1;
        }
    }

    fn next_line(&mut self) {
        self.at += 1;
        self.line += 1;
    }

    /// A word in quotes.
    fn quoted(&mut self) -> Result<Word<'t>, Reason> {
        self.at += 1;
        let start = self.at;
        self.find_quote()?;
        let raw = &self.text[start..self.at];
        self.at += 1;
        Ok(Word {
            raw,
            quoting: Quoting::Quoted,
        })
    }

    /// Goes to the quote that ends what a quote began.
    fn find_quote(&mut self) -> Result<(), Reason> {
        loop {
            match self.peek() {
                Some(b'"') => return Ok(()),
                Some(b'\\') => self.escape()?,
                None | Some(b'\n') => return Err(Reason::Quote),
                Some(_) => self.at += 1,
            }
        }
    }

    /// A word without quotes around it; after an equals sign it may have a part in quotes (RFC 9460 section 2.1).
    fn bare(&mut self) -> Result<Word<'t>, Reason> {
        let start = self.at;
        loop {
            match self.peek() {
                None | Some(b' ' | b'\t' | b'\r' | b'\n' | b'(' | b')' | b';') => break,
                Some(b'\\') => self.escape()?,
                Some(b'"') if self.text[start..self.at].ends_with(b"=") => {
                    self.at += 1;
                    self.find_quote()?;
                    self.at += 1;
                }
                Some(b'"') => break,
                Some(_) => self.at += 1,
            }
        }
        Ok(Word {
            raw: &self.text[start..self.at],
            quoting: Quoting::Bare,
        })
    }

    fn escape(&mut self) -> Result<(), Reason> {
        match self.text.get(self.at + 1) {
            None | Some(b'\n') => Err(Reason::Escape),
            Some(_) => {
                self.at += 2;
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;
    use alloc::vec::Vec;

    /// The entries, with `_` for an owner left out, and the line of each one's end.
    fn entries(text: &str) -> Result<Vec<String>, (u32, Reason)> {
        let mut lexer = Lexer::new(text.as_bytes());
        let mut entries = Vec::new();
        loop {
            let start = lexer
                .begin()
                .map_err(|reason| (lexer.last_line(), reason))?;
            let mut entry = String::new();
            match start {
                Start::End => return Ok(entries),
                Start::Blank => entry.push('_'),
                Start::Word => {}
            }
            while let Some(word) = lexer.word().map_err(|reason| (lexer.last_line(), reason))? {
                let word_text = core::str::from_utf8(word.raw).unwrap();
                match word.quoting {
                    Quoting::Bare => entry.push_str(word_text),
                    Quoting::Quoted => entry.push_str(&alloc::format!("<{word_text}>")),
                }
                entry.push('|');
            }
            entries.push(entry);
        }
    }

    #[test]
    fn entries_have_words() {
        for (text, expected) in [
            ("", &[] as &[&str]),
            ("\n ; nothing\n\t\n", &[]),
            ("a b\r\n c", &["a|b|", "_c|"]),
            ("a ( b ; c )\n d\n) e\nf", &["a|b|d|e|", "f|"]),
            ("a(b)c", &["a|b|c|"]),
            ("(a)\n", &["a|"]),
            (r#"a "b ; c" "" d;e"#, &["a|<b ; c>|<>|d|"]),
            (r#"a "b\"c"d"#, &[r#"a|<b\"c>|d|"#]),
            (r#"a k="v w" x"y""#, &[r#"a|k="v w"|x|<y>|"#]),
            (r"a\ b \; c\)", &[r"a\ b|\;|c\)|"]),
        ] {
            assert_eq!(entries(text).unwrap(), expected, "{text:?}");
        }
    }

    #[test]
    fn what_does_not_end_is_refused_where_it_is_noticed() {
        for (text, error) in [
            ("a (\nb\n", (3, Reason::Parenthesis)),
            ("a\nb )", (2, Reason::Parenthesis)),
            ("a \"b\nc\"", (1, Reason::Quote)),
            ("\na \\", (2, Reason::Escape)),
            ("a \"b\\", (1, Reason::Escape)),
        ] {
            assert_eq!(entries(text).unwrap_err(), error, "{text:?}");
        }
    }
}
