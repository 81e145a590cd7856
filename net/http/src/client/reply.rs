//! An answer: its head, and its content to read.

use alloc::vec::Vec;
use core::time::Duration;

use embedded_io_async::{ErrorType, Read};
use morgana_exec::Timers;

use super::buffer::Buffer;
use super::{ClientError, State};
use crate::wire::{ChunkedDecoder, ResponseFraming, ResponseHead};

/// An answer. Its content is read from it, or dropped with it: then the connection is of no more use.
#[derive(Debug)]
pub struct Reply<'c, S> {
    pub(super) head: ResponseHead<'c>,
    pub(super) content: Content<'c, S>,
}

impl<'c, S> Reply<'c, S> {
    /// The head.
    pub const fn head(&self) -> &ResponseHead<'c> {
        &self.head
    }
}

impl<S: Read> Reply<'_, S> {
    /// Reads the content to its end into memory, if it has no more than `limit` bytes.
    ///
    /// # Errors
    ///
    /// [`ClientError::TooLarge`] beyond that, and whatever else reading may come to.
    pub async fn read_to_end(&mut self, limit: usize) -> Result<Vec<u8>, ClientError> {
        const STEP: usize = 1024;
        let mut bytes = Vec::new();
        loop {
            let length = bytes.len();
            bytes.try_reserve(STEP).map_err(|_| ClientError::NoMemory)?;
            bytes.resize(length + STEP, 0);
            let count = self.content.read(&mut bytes[length..]).await?;
            bytes.truncate(length + count);
            if count == 0 {
                return Ok(bytes);
            }
            if bytes.len() > limit {
                return Err(ClientError::TooLarge);
            }
        }
    }
}

impl<S> ErrorType for Reply<'_, S> {
    type Error = ClientError;
}

impl<S: Read> Read for Reply<'_, S> {
    async fn read(&mut self, room: &mut [u8]) -> Result<usize, ClientError> {
        self.content.read(room).await
    }
}

/// Where a content ends.
#[derive(Clone, Copy, Debug)]
pub(super) enum End {
    Length(u64),
    Chunked(ChunkedDecoder),
    UntilClose,
    /// It was reached.
    Reached,
    /// It never will be.
    Failed(ClientError),
}

impl End {
    pub(super) const fn of(framing: ResponseFraming) -> Self {
        match framing {
            ResponseFraming::Length(length) => Self::Length(length),
            ResponseFraming::Chunked => Self::Chunked(ChunkedDecoder::new(u64::MAX)),
            ResponseFraming::UntilClose => Self::UntilClose,
        }
    }
}

/// A content to be read.
#[derive(Debug)]
pub(super) struct Content<'c, S> {
    pub(super) stream: &'c mut S,
    pub(super) timers: &'c Timers,
    pub(super) read_time: Duration,
    pub(super) input: &'c mut Buffer,
    pub(super) state: &'c mut State,
    pub(super) end: End,
    /// Whether the server keeps the connection.
    pub(super) keeps: bool,
}

impl<S> Content<'_, S> {
    /// Keeps the connection from being used again.
    pub(super) fn forsake(&mut self) {
        (self.keeps, *self.state) = (false, State::Used);
    }

    /// Notices that the end is reached, after which the connection may be used again.
    pub(super) fn settle(&mut self) {
        let reached = match &self.end {
            End::Length(left) => *left == 0,
            End::Chunked(decoder) => decoder.is_done(),
            End::UntilClose | End::Reached | End::Failed(_) => false,
        };
        if reached {
            self.end = End::Reached;
            if self.keeps {
                *self.state = State::Idle;
            }
        }
    }

    /// Takes bytes of the content from `coded`, to its front: how many were used, and how many there are.
    fn decode(&mut self, coded: &mut [u8], space: usize) -> Result<(usize, usize), ClientError> {
        let most = coded.len().min(space);
        let (consumed, produced) = match &mut self.end {
            End::Length(left) => {
                let count = usize::try_from(*left).unwrap_or(usize::MAX).min(most);
                *left -= count as u64;
                (count, count)
            }
            End::Chunked(decoder) => {
                let step = decoder.decode(coded, space).map_err(ClientError::Chunks)?;
                (step.consumed, step.produced)
            }
            End::UntilClose => (most, most),
            End::Reached | End::Failed(_) => (0, 0),
        };
        self.settle();
        Ok((consumed, produced))
    }
}

impl<S: Read> Content<'_, S> {
    async fn read(&mut self, room: &mut [u8]) -> Result<usize, ClientError> {
        let result = self.read_some(room).await;
        if let Err(error) = result {
            self.end = End::Failed(error);
        }
        result
    }

    async fn read_some(&mut self, room: &mut [u8]) -> Result<usize, ClientError> {
        while !room.is_empty() {
            let wanted = match &self.end {
                End::Reached => return Ok(0),
                End::Failed(error) => return Err(*error),
                End::Length(left) => usize::try_from(*left).unwrap_or(usize::MAX),
                End::Chunked(decoder) => decoder.wanted(),
                End::UntilClose => usize::MAX,
            };
            let produced = if self.input.is_empty() {
                let space = room.len().min(wanted);
                let read = self.stream.read(&mut room[..space]);
                let read = self.timers.timeout(self.read_time, read).await;
                let read = read.map_err(|_| ClientError::TimedOut)?;
                let count = read.map_err(|_| ClientError::Stream)?.min(space);
                match (count, &self.end) {
                    (0, End::UntilClose) => {
                        self.end = End::Reached;
                        return Ok(0);
                    }
                    (0, _) => return Err(ClientError::CutOff),
                    _ => self.decode(&mut room[..count], count)?.1,
                }
            } else {
                // The decoder works in place, so the bytes move first.
                let unread = self.input.unread();
                let count = unread.len().min(room.len());
                room[..count].copy_from_slice(&unread[..count]);
                let (consumed, produced) = self.decode(&mut room[..count], count)?;
                self.input.consume(consumed);
                produced
            };
            if produced > 0 {
                return Ok(produced);
            }
        }
        Ok(0)
    }
}
