//! Writing a stream.

use alloc::vec::Vec;

use crate::body::Fields;
use crate::record::END;
use crate::{Record, TooLong};

/// What a stream begins with.
pub(crate) const IDENT: [u8; 8] = *b"xenstore";

/// The version that is written, and the newest that is read.
pub(crate) const VERSION: u32 = 2;

/// Writes a stream, record by record.
#[derive(Clone, Debug)]
pub struct Writer(Vec<u8>);

impl Default for Writer {
    fn default() -> Self {
        Self::new()
    }
}

impl Writer {
    /// A stream without a record.
    pub fn new() -> Self {
        let mut stream = Vec::new();
        stream.extend_from_slice(&IDENT);
        stream.extend_from_slice(&VERSION.to_be_bytes());
        // In this machine's byte order, which is little-endian on each that Morgana runs on.
        stream.extend_from_slice(&0_u32.to_be_bytes());
        Self(stream)
    }

    /// Appends a record.
    ///
    /// # Errors
    ///
    /// [`TooLong`]; the stream is as before then.
    pub fn push(&mut self, record: &Record<'_>) -> Result<(), TooLong> {
        record.append(&mut self.0)
    }

    /// The whole stream.
    pub fn finish(mut self) -> Vec<u8> {
        self.0.put_u32(END);
        self.0.put_u32(0);
        self.0
    }
}
