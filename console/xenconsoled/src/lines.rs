//! What a guest writes, made ready for its log.

use alloc::vec::Vec;
use core::fmt::Write as _;

use morgana_hal::{Civil, WallTime};

use crate::{Escapes, Harmless, Stamps};

/// The state between two pieces of one guest's output.
#[derive(Debug)]
pub struct Lines {
    stamps: Stamps,
    escapes: Escapes,
    harmless: Harmless,
    /// A line begins here.
    at_start: bool,
    /// Carriage returns that follow a line feed are dropped, as guests end lines by either order of the two.
    after_line_feed: bool,
    /// For text without allocating anew each time.
    stamp: alloc::string::String,
}

impl Lines {
    /// The beginning of a log.
    pub fn new(stamps: Stamps, escapes: Escapes) -> Self {
        Self {
            stamps,
            escapes,
            harmless: Harmless::default(),
            at_start: true,
            after_line_feed: false,
            stamp: alloc::string::String::new(),
        }
    }

    /// Appends to `out` what the log gets of the next bytes, which came at `now`.
    pub fn add(&mut self, bytes: &[u8], now: WallTime, out: &mut Vec<u8>) {
        let start = out.len();
        match self.stamps {
            Stamps::None => out.extend_from_slice(bytes),
            Stamps::Time => self.stamped(bytes, now, out),
        }
        if self.escapes == Escapes::Replace {
            self.harmless.apply(&mut out[start..]);
        }
    }

    fn stamped(&mut self, bytes: &[u8], now: WallTime, out: &mut Vec<u8>) {
        self.stamp.clear();
        for line in bytes.split_inclusive(|&byte| byte == b'\n') {
            let line = match self.after_line_feed {
                true => skip_returns(line),
                false => line,
            };
            if line.is_empty() {
                continue;
            }
            if self.at_start {
                out.extend_from_slice(self.stamp(now).as_bytes());
            }
            out.extend_from_slice(line);
            self.at_start = line.ends_with(b"\n");
            self.after_line_feed = self.at_start;
        }
    }

    /// The time as it stands before a line; made once for a piece.
    fn stamp(&mut self, now: WallTime) -> &str {
        if self.stamp.is_empty() {
            let Civil {
                year,
                month,
                day,
                hour,
                minute,
                second,
                ..
            } = now.civil();
            // Writing into a String does not fail.
            let _ = write!(
                self.stamp,
                "[{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}] "
            );
        }
        &self.stamp
    }
}

fn skip_returns(line: &[u8]) -> &[u8] {
    let returns = line.iter().take_while(|&&byte| byte == b'\r').count();
    &line[returns..]
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;

    const NOW: WallTime = WallTime::from_unix_nanos(1_790_812_800_000_000_000);

    fn logged(stamps: Stamps, pieces: &[&str]) -> String {
        let mut lines = Lines::new(stamps, Escapes::Replace);
        let mut out = Vec::new();
        for piece in pieces {
            lines.add(piece.as_bytes(), NOW, &mut out);
        }
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn each_line_begins_with_the_time_however_it_is_cut() {
        let expected =
            "[2026-10-01 00:00:00] one\r\n[2026-10-01 00:00:00] \n[2026-10-01 00:00:00] two";
        assert_eq!(logged(Stamps::Time, &["one\r\n\ntwo"]), expected);
        assert_eq!(
            logged(Stamps::Time, &["on", "e\r", "\n", "", "\nt", "wo"]),
            expected
        );
        assert_eq!(logged(Stamps::None, &["one\r\n\n", "two"]), "one\r\n\ntwo");
    }

    #[test]
    fn returns_behind_a_line_feed_are_dropped_with_times_only() {
        let expected = "[2026-10-01 00:00:00] a\n[2026-10-01 00:00:00] b\n";
        assert_eq!(logged(Stamps::Time, &["a\n\rb\n\r"]), expected);
        assert_eq!(logged(Stamps::Time, &["a\n", "\r", "b\n"]), expected);
        assert_eq!(logged(Stamps::None, &["a\n\rb"]), "a\n\rb");
    }

    #[test]
    fn a_guest_cannot_write_a_control_sequence_but_may_forge_a_time() {
        assert_eq!(logged(Stamps::None, &["\x1b[2J"]), ".[2J");
    }
}
