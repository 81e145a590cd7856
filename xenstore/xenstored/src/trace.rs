//! Packets, as lines of the log.

use alloc::string::String;
use core::fmt;

use morgana_xenstore_wire::Operation;

/// Bytes of a packet's payload that are shown.
const SHOWN: usize = 256;

/// A packet, for a line of the log: its operation, and its payload as far as it is text.
pub(crate) struct Shown<'a> {
    pub(crate) code: u32,
    pub(crate) payload: &'a [u8],
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Operation::from_code(self.code) {
            Some(operation) => write!(f, "{operation:?}")?,
            None => write!(f, "operation {}", self.code)?,
        }
        write!(
            f,
            " ({})",
            text(&self.payload[..self.payload.len().min(SHOWN)])
        )?;
        match self.payload.len().checked_sub(SHOWN) {
            None | Some(0) => Ok(()),
            Some(more) => write!(f, " and {more} bytes more"),
        }
    }
}

/// Bytes that anybody may have sent, made harmless: what is no printable ASCII becomes a dot, and NUL a space.
pub(crate) fn text(bytes: &[u8]) -> String {
    let shown = bytes.iter().map(|&byte| match byte {
        0 => ' ',
        b' '..=b'~' => char::from(byte),
        _ => '.',
    });
    shown.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn packets_are_one_harmless_line() {
        let shown = |code, payload| Shown { code, payload }.to_string();
        assert_eq!(shown(11, b"/a\0b\nc\x1b\xff"), "Write (/a b.c..)");
        assert_eq!(shown(20, b""), "operation 20 ()");
        assert!(shown(2, &[b'x'; 300]).ends_with("xxx) and 44 bytes more"));
    }
}
