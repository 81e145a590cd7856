//! A line of a log.

use morgana_xenconsoled::Harmless;

use super::time;

/// One line, without its end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Line {
    pub(super) bytes: Vec<u8>,
    /// When it was written, as the file beside the log says.
    pub(super) noted: Option<u64>,
    /// When it was written, as far as that is known: noted, or as the line itself says, or as one before it does.
    pub(super) time: Option<u64>,
}

impl Line {
    /// A line behind one of the time `before`.
    pub(super) fn new(mut bytes: Vec<u8>, noted: Option<u64>, before: Option<u64>) -> Self {
        while let Some(b'\r' | b'\n') = bytes.last() {
            bytes.pop();
        }
        // A guest can write what looks like a time; where the daemon has noted one, that counts.
        let time = noted.or_else(|| time::stamp(&bytes)).or(before);
        Self { bytes, noted, time }
    }

    /// So that it can be shown on any terminal: it stays one line, from its beginning to its end.
    pub(super) fn harmless(&self) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        Harmless::default().apply(&mut bytes);
        // One would let the rest be written over the beginning.
        for byte in bytes.iter_mut().filter(|byte| **byte == b'\r') {
            *byte = b'.';
        }
        bytes
    }
}
