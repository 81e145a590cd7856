//! Reading a request's body.

use alloc::vec::Vec;

use embedded_io_async::{ErrorKind, ErrorType, Read, Write};
use morgana_hal::Instant;

use super::pool::Pool;
use super::transport::{Transport, TransportError};
use crate::wire::{ChunkedDecoder, ChunkedError, Expectation, Framing, HeadError, Request, Status};

/// Why a request's body could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyError {
    /// It is over the limit: 413.
    TooLarge,
    /// Its chunked coding is broken: 400.
    Malformed,
    /// It took too long: 408.
    TimedOut,
    /// There is no memory for it: 503.
    NoMemory,
    /// The client closed the connection, or the stream failed. Nobody is left to be told.
    CutOff,
}

impl BodyError {
    /// The status that tells the client.
    pub const fn status(self) -> Option<Status> {
        match self {
            Self::TooLarge => Some(Status::CONTENT_TOO_LARGE),
            Self::Malformed => Some(Status::BAD_REQUEST),
            Self::TimedOut => Some(Status::REQUEST_TIMEOUT),
            Self::NoMemory => Some(Status::SERVICE_UNAVAILABLE),
            Self::CutOff => None,
        }
    }
}

impl core::fmt::Display for BodyError {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.write_str(match self {
            Self::TooLarge => "body too large",
            Self::Malformed => "malformed chunked body",
            Self::TimedOut => "body took too long",
            Self::NoMemory => "no memory for the body",
            Self::CutOff => "connection closed within the body",
        })
    }
}

impl core::error::Error for BodyError {}

impl embedded_io_async::Error for BodyError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::TooLarge | Self::Malformed => ErrorKind::InvalidData,
            Self::TimedOut => ErrorKind::TimedOut,
            Self::NoMemory => ErrorKind::OutOfMemory,
            Self::CutOff => ErrorKind::ConnectionAborted,
        }
    }
}

/// Reads a body to its end into memory, or fails with [`BodyError::TooLarge`] if it has more than `limit` bytes.
pub async fn read_to_end(
    body: &mut impl Read<Error = BodyError>,
    limit: usize,
) -> Result<Vec<u8>, BodyError> {
    const STEP: usize = 512;
    let mut bytes = Vec::new();
    loop {
        let length = bytes.len();
        bytes.try_reserve(STEP).map_err(|_| BodyError::NoMemory)?;
        bytes.resize(length + STEP, 0);
        let count = body.read(&mut bytes[length..]).await?;
        bytes.truncate(length + count);
        if count == 0 {
            return Ok(bytes);
        }
        if bytes.len() > limit {
            return Err(BodyError::TooLarge);
        }
    }
}

/// What is left of a body, and where it ends.
#[derive(Debug)]
enum Coding {
    Length(u64),
    Chunked(ChunkedDecoder),
}

/// How a body came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Finish {
    /// All of it was read; what follows is the next request.
    Read,
    /// The client waits for leave to send it, which it will not get: it may send it or not, so that the connection
    /// cannot go on. Neither can it when bytes were dropped that came behind it.
    Unsent,
}

/// A request's body. It takes what was read along with the head first, then reads from the stream no more than surely
/// belongs to it, so that nothing of the next request ever has to be handed back.
#[derive(Debug)]
pub(super) struct RequestBody<'c, 's, S> {
    transport: &'c mut Transport<'s, S>,
    /// What was read along with the head.
    buffered: &'c mut [u8],
    /// How much of that was used.
    taken: usize,
    coding: Coding,
    expectation: Expectation,
    deadline: Instant,
    failure: Option<BodyError>,
    /// Whether bytes were dropped that came behind it.
    overrun: bool,
}

impl<'c, 's, S: Read + Write> RequestBody<'c, 's, S> {
    /// The body that goes with `request`. One that says itself that it is over `limit` is refused unread.
    pub(super) fn new(
        request: &Request<'_>,
        transport: &'c mut Transport<'s, S>,
        buffered: &'c mut [u8],
        limit: u64,
        deadline: Instant,
    ) -> Result<Self, HeadError> {
        let coding = match request.framing() {
            Framing::Length(length) if length > limit => return Err(HeadError::ContentTooLarge),
            Framing::Length(length) => Coding::Length(length),
            Framing::Empty => Coding::Length(0),
            Framing::Chunked => Coding::Chunked(ChunkedDecoder::new(limit)),
        };
        let expectation = request.expectation();
        Ok(Self {
            transport,
            buffered,
            taken: 0,
            coding,
            expectation,
            deadline,
            failure: None,
            overrun: false,
        })
    }

    /// How much of what was read along with the head belongs to the body.
    pub(super) fn taken(&self) -> usize {
        self.taken
    }

    /// Where the answer goes.
    pub(super) fn transport(&mut self) -> &mut Transport<'s, S> {
        self.transport
    }

    /// Reads and drops what the handler left.
    pub(super) async fn finish(&mut self, pool: &Pool) -> Result<Finish, BodyError> {
        if self.expectation == Expectation::Continue || self.overrun {
            return Ok(Finish::Unsent);
        }
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        if self.wanted() > 0 {
            let mut dropped = pool.small().ok_or(BodyError::NoMemory)?;
            while self.read(&mut dropped).await? > 0 {}
        }
        Ok(Finish::Read)
    }

    /// Waits until nothing comes any more behind it. At most `allowance` bytes that come nevertheless are dropped.
    pub(super) async fn end_of_stream(&mut self, mut allowance: usize) {
        let mut dropped = [0; 64];
        while allowance > 0 {
            match self.transport.read(&mut dropped, Instant::FAR_FUTURE).await {
                Ok(count @ 1..) => {
                    self.overrun = true;
                    allowance = allowance.saturating_sub(count);
                }
                Ok(0) | Err(_) => return,
            }
        }
    }

    /// At least how many coded bytes are still to come.
    fn wanted(&self) -> usize {
        match &self.coding {
            Coding::Length(length) => usize::try_from(*length).unwrap_or(usize::MAX),
            Coding::Chunked(decoder) => decoder.wanted(),
        }
    }

    async fn read_some(&mut self, room: &mut [u8]) -> Result<usize, BodyError> {
        while !room.is_empty() {
            let wanted = self.wanted();
            if wanted == 0 {
                break;
            }
            // Also when the body is there already (RFC 9110 §10.1.1 would let us keep quiet): the answer must not depend
            // on how fast it came.
            if self.expectation == Expectation::Continue {
                self.expectation = Expectation::None;
                self.transport
                    .write_all(b"HTTP/1.1 100 Continue\r\n\r\n", self.deadline)
                    .await?;
                self.transport.flush(self.deadline).await?;
            }
            let produced = if self.taken < self.buffered.len() {
                let coded = &mut self.buffered[self.taken..];
                let (consumed, produced) = self.coding.decode(coded, room.len())?;
                room[..produced].copy_from_slice(&coded[..produced]);
                self.taken += consumed;
                produced
            } else {
                let space = room.len().min(wanted);
                let count = self
                    .transport
                    .read(&mut room[..space], self.deadline)
                    .await?;
                if count == 0 {
                    return Err(BodyError::CutOff);
                }
                self.coding.decode(&mut room[..count], count)?.1
            };
            if produced > 0 {
                return Ok(produced);
            }
        }
        Ok(0)
    }
}

impl Coding {
    /// Decodes in place; answers how many bytes were used, and how many of the body stand at the front.
    fn decode(&mut self, coded: &mut [u8], space: usize) -> Result<(usize, usize), ChunkedError> {
        match self {
            Self::Length(length) => {
                let count = usize::try_from(*length)
                    .unwrap_or(usize::MAX)
                    .min(coded.len())
                    .min(space);
                *length -= count as u64;
                Ok((count, count))
            }
            Self::Chunked(decoder) => {
                let decoded = decoder.decode(coded, space)?;
                Ok((decoded.consumed, decoded.produced))
            }
        }
    }
}

impl<S> ErrorType for RequestBody<'_, '_, S> {
    type Error = BodyError;
}

impl<S: Read + Write> Read for RequestBody<'_, '_, S> {
    async fn read(&mut self, room: &mut [u8]) -> Result<usize, BodyError> {
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        let result = self.read_some(room).await;
        self.failure = result.err();
        result
    }
}

impl From<ChunkedError> for BodyError {
    fn from(error: ChunkedError) -> Self {
        match error {
            ChunkedError::Malformed => Self::Malformed,
            ChunkedError::TooLarge => Self::TooLarge,
        }
    }
}

impl From<TransportError> for BodyError {
    fn from(error: TransportError) -> Self {
        match error {
            TransportError::TimedOut => Self::TimedOut,
            TransportError::Failed => Self::CutOff,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::pin::pin;
    use core::task::{Context, Poll, Waker};
    use std::future::Future;

    /// Gives its bytes a few at a time.
    struct Drip<'a>(&'a [u8]);

    impl ErrorType for Drip<'_> {
        type Error = BodyError;
    }

    impl Read for Drip<'_> {
        async fn read(&mut self, room: &mut [u8]) -> Result<usize, BodyError> {
            let (now, later) = self.0.split_at(self.0.len().min(room.len()).min(7));
            room[..now.len()].copy_from_slice(now);
            self.0 = later;
            Ok(now.len())
        }
    }

    fn read_all(bytes: &[u8], limit: usize) -> Result<Vec<u8>, BodyError> {
        let mut body = Drip(bytes);
        let reading = pin!(read_to_end(&mut body, limit));
        match reading.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(result) => result,
            Poll::Pending => panic!("it never waits"),
        }
    }

    #[test]
    fn a_body_is_read_to_its_end_or_to_the_limit() {
        assert_eq!(read_all(b"", 0), Ok(Vec::new()));
        let bytes = [b'x'; 2000];
        assert_eq!(read_all(&bytes, 2000), Ok(bytes.to_vec()));
        assert_eq!(read_all(&bytes, 1999), Err(BodyError::TooLarge));
    }
}
