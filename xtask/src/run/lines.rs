//! Consoles of several guests on one terminal.

use std::io::{self, Write};

/// Writes whole lines only, each behind the name of who wrote it; without a name it passes all on as it is.
#[derive(Debug)]
pub(super) struct Lines<W> {
    out: W,
    name: Option<String>,
    held: Vec<u8>,
}

/// A line that has not ended after so many bytes is written all the same.
const LONGEST: usize = 64 * 1024;

impl<W: Write> Lines<W> {
    pub(super) fn new(out: W, name: Option<String>) -> Self {
        let held = Vec::new();
        Self { out, name, held }
    }
}

impl<W: Write> Write for Lines<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(name) = &self.name else {
            self.out.write_all(bytes)?;
            return Ok(bytes.len());
        };
        self.held.extend_from_slice(bytes);
        while let Some(end) = self.held.iter().position(|&byte| byte == b'\n') {
            // In one piece, so that no other line gets between.
            let mut line = format!("{name}: ").into_bytes();
            line.extend(self.held.drain(..=end));
            self.out.write_all(&line)?;
        }
        if self.held.len() > LONGEST {
            self.out.write_all(&std::mem::take(&mut self.held))?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::Lines;

    #[test]
    fn each_line_has_its_name() {
        let mut out = Vec::new();
        let mut lines = Lines::new(&mut out, Some("dns".into()));
        lines.write_all(b"one\r\ntw").unwrap();
        lines.write_all(b"o\nthree").unwrap();
        drop(lines);
        assert_eq!(out, b"dns: one\r\ndns: two\n");
        let mut out = Vec::new();
        Lines::new(&mut out, None).write_all(b"x").unwrap();
        assert_eq!(out, b"x");
    }
}
