//! What is asked for: paths with parameters.

use alloc::string::String;
use core::fmt::Write as _;

/// A request's target: a path, and parameters that are added to it.
#[derive(Debug)]
pub(crate) struct Target {
    text: String,
    separator: char,
}

impl Target {
    pub(crate) fn new(path: impl Into<String>) -> Self {
        Self {
            text: path.into(),
            separator: '?',
        }
    }

    fn name(&mut self, name: &str) {
        self.text.push(self.separator);
        self.separator = '&';
        self.text.push_str(name);
        self.text.push('=');
    }

    pub(crate) fn number(mut self, name: &str, value: u64) -> Self {
        self.name(name);
        // To write into a string cannot fail.
        let _ = write!(self.text, "{value}");
        self
    }

    /// Bytes, percent-encoded but for those that are unreserved (RFC 3986 §2.3).
    pub(crate) fn bytes(mut self, name: &str, value: &[u8]) -> Self {
        self.name(name);
        for &byte in value {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                    self.text.push(byte.into());
                }
                // To write into a string cannot fail.
                other => _ = write!(self.text, "%{other:02X}"),
            }
        }
        self
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }
}
