//! What has come from a server and is not used yet.

use alloc::vec::Vec;

use embedded_io_async::Read;

use super::{ClientError, ClientLimits, zeroed};
use crate::wire::{HeadError, HeadScanner, Method, ResponseError, ResponseHead};

/// Bytes between the stream and the parser, as many as a head may have.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
}

impl Buffer {
    pub(super) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    pub(super) fn unread(&mut self) -> &mut [u8] {
        &mut self.bytes[self.start..self.end]
    }

    pub(super) fn consume(&mut self, count: usize) {
        self.start = (self.start + count).min(self.end);
    }

    /// Reads heads until one is not interim, and leaves that in `head`.
    pub(super) async fn final_head(
        &mut self,
        stream: &mut impl Read,
        limits: &ClientLimits,
        head: &mut Vec<u8>,
    ) -> Result<(), ClientError> {
        for _ in 0..=limits.interim {
            self.next_head(stream, limits, head).await?;
            // Only its code counts here.
            let parsed = ResponseHead::parse(head, Method::Get, &limits.head_limits());
            match parsed.map_err(ClientError::Response)?.code() {
                101 => return Err(ClientError::Switching),
                100..=199 => {}
                _ => return Ok(()),
            }
        }
        Err(ClientError::TooManyInterim)
    }

    async fn next_head(
        &mut self,
        stream: &mut impl Read,
        limits: &ClientLimits,
        head: &mut Vec<u8>,
    ) -> Result<(), ClientError> {
        if self.bytes.is_empty() {
            // A head over the limit shows by its first byte too many.
            self.bytes = zeroed(limits.head + 1)?;
        }
        self.bytes.copy_within(self.start..self.end, 0);
        (self.start, self.end) = (0, self.end - self.start);
        let mut scanner = HeadScanner::new();
        loop {
            let scanned = scanner.scan(&self.bytes[..self.end], &limits.head_limits());
            if let Some(span) = scanned.map_err(refused)? {
                head.clear();
                head.try_reserve(span.end - span.start)
                    .map_err(|_| ClientError::NoMemory)?;
                head.extend_from_slice(&self.bytes[span.start..span.end]);
                self.start = span.end;
                return Ok(());
            }
            let read = stream.read(&mut self.bytes[self.end..]).await;
            match read.map_err(|_| ClientError::Stream)? {
                0 if self.end == 0 => return Err(ClientError::Closed),
                0 => return Err(ClientError::CutOff),
                count => self.end = (self.end + count).min(self.bytes.len()),
            }
        }
    }
}

fn refused(error: HeadError) -> ClientError {
    ClientError::Response(ResponseError::Head(match error {
        // The scanner was made for requests; a response has no target.
        HeadError::TargetTooLong => HeadError::HeadTooLong,
        other => other,
    }))
}
