//! Writing a stream.

use alloc::vec::Vec;

use crate::body::{Fields, long};
use crate::connection::padding;
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
        let begin = self.0.len();
        self.0.put_u64(0);
        let body = self.0.len();
        let written = record.emit(&mut self.0).and_then(|kind| {
            let len = self.0.len() - body;
            self.0.resize(self.0.len() + padding(len), 0);
            Ok((kind, long(self.0.len() - body)?))
        });
        let (kind, len) = match written {
            Ok(written) => written,
            Err(error) => {
                self.0.truncate(begin);
                return Err(error);
            }
        };
        self.0[begin..begin + 4].copy_from_slice(&kind.to_le_bytes());
        self.0[begin + 4..body].copy_from_slice(&len.to_le_bytes());
        Ok(())
    }

    /// The whole stream.
    pub fn finish(mut self) -> Vec<u8> {
        self.0.put_u32(END);
        self.0.put_u32(0);
        self.0
    }
}
