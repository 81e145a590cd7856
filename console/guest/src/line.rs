//! One line of text of bounded length, made without allocating.

use core::fmt;

use heapless::Vec;

/// The longest line in bytes, without its end. What is more is cut, and replaced by an ellipsis.
pub const MAX_LINE: usize = 1024;

const ELLIPSIS: &str = "…";

/// A line in the making. Line feeds begin a new, indented row; tabs stay; other control characters become `?`.
pub(crate) struct Line {
    bytes: Vec<u8, MAX_LINE>,
    cut: bool,
    end: &'static str,
}

impl Line {
    /// An empty line. Rows inside it end with `end`.
    pub(crate) fn new(end: &'static str) -> Self {
        Self {
            bytes: Vec::new(),
            cut: false,
            end,
        }
    }

    /// Formats a line. An error of a `Display` implementation ends the line where it occurs.
    pub(crate) fn format(end: &'static str, arguments: fmt::Arguments<'_>) -> Self {
        let mut line = Self::new(end);
        let _ = fmt::Write::write_fmt(&mut line, arguments);
        line
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Appends all of `text`, or cuts the line here. Room for the ellipsis is always left.
    fn put(&mut self, text: &str) {
        let end = self.bytes.len() + text.len();
        if self.cut {
            return;
        }
        if end > MAX_LINE - ELLIPSIS.len() {
            self.cut = true;
            self.append(ELLIPSIS);
            return;
        }
        self.append(text);
    }

    fn append(&mut self, text: &str) {
        // Fails only for want of room, which `put` has looked for.
        let _ = self.bytes.extend_from_slice(text.as_bytes());
    }
}

impl fmt::Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            match character {
                '\n' => {
                    self.put(self.end);
                    self.put("    ");
                }
                '\t' => self.put("\t"),
                // Of CR LF only the LF counts.
                '\r' => {}
                control if control.is_control() => self.put("?"),
                other => self.put(other.encode_utf8(&mut [0; 4])),
            }
        }
        Ok(())
    }
}
