//! The content of a request, kept for another attempt.

use alloc::vec::Vec;

use morgana_balance::Contents;
use morgana_http::{BodyError, Read};

/// What was taken of a content, as long as it is not too much.
#[derive(Debug)]
pub(crate) struct Kept {
    bytes: Vec<u8>,
    most: usize,
    contents: Contents,
}

impl Kept {
    pub(crate) const fn new(most: usize) -> Self {
        Self {
            bytes: Vec::new(),
            most,
            contents: Contents::Kept,
        }
    }

    /// Whether all of it is there still.
    pub(crate) const fn contents(&self) -> Contents {
        self.contents
    }

    /// The content from its beginning.
    pub(crate) const fn replay<'k, B>(&'k mut self, source: &'k mut B) -> Replay<'k, B> {
        Replay {
            kept: self,
            source,
            read: 0,
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        let fits = self.bytes.len() + bytes.len() <= self.most;
        if self.contents == Contents::Kept && fits && self.bytes.try_reserve(bytes.len()).is_ok() {
            return self.bytes.extend_from_slice(bytes);
        }
        // What was kept is of no use any more, but for an attempt that is reading it.
        self.contents = Contents::Spent;
    }
}

/// Reads what was kept, then from the source, and keeps that.
#[derive(Debug)]
pub(crate) struct Replay<'k, B> {
    kept: &'k mut Kept,
    source: &'k mut B,
    read: usize,
}

impl<B> embedded_io_async::ErrorType for Replay<'_, B> {
    type Error = BodyError;
}

impl<B: Read<Error = BodyError>> Read for Replay<'_, B> {
    async fn read(&mut self, room: &mut [u8]) -> Result<usize, BodyError> {
        let kept = self.kept.bytes.get(self.read..).unwrap_or_default();
        if !kept.is_empty() {
            let count = kept.len().min(room.len());
            room[..count].copy_from_slice(&kept[..count]);
            self.read += count;
            return Ok(count);
        }
        let count = self.source.read(room).await?.min(room.len());
        self.kept.keep(&room[..count]);
        self.read = self.kept.bytes.len();
        Ok(count)
    }
}
