//! Sending a content while it is made.

use core::cell::Cell;
use core::future::{Future, poll_fn};
use core::pin::{Pin, pin};
use core::task::Poll;

use embedded_io_async::{ErrorKind, ErrorType, Read, Write};
use morgana_exec::Timers;
use morgana_hal::Instant;

use super::Limits;
use super::pool::Block;
use super::transport::{Transport, TransportError};
use crate::semantics::Delimiter;

/// A chunk's size line has always four digits (leading zeros are allowed, RFC 9112 §7.1), so that its place is known before its size.
const SIZE_LINE: usize = 6;
const LINE_END: usize = 2;
/// The largest chunk that such a line tells.
const MOST_IN_CHUNK: usize = 0xffff;

/// A content could not be sent to its end, or not be made. The client is shown that by the end of the connection, in the midst of the content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unfinished;

impl core::fmt::Display for Unfinished {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("the content was not sent to its end")
    }
}

impl core::error::Error for Unfinished {}

impl From<OutputError> for Unfinished {
    fn from(_: OutputError) -> Self {
        Self
    }
}

/// Why a piece of a content could not be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputError {
    /// The client does not take it.
    TimedOut,
    /// The stream failed, or the client has gone.
    Failed,
    /// It would be longer than the response has said.
    TooLong,
}

impl core::fmt::Display for OutputError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::TimedOut => "client does not read",
            Self::Failed => "stream failed",
            Self::TooLong => "content is longer than was said",
        })
    }
}

impl core::error::Error for OutputError {}

impl embedded_io_async::Error for OutputError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::TimedOut => ErrorKind::TimedOut,
            Self::Failed => ErrorKind::ConnectionAborted,
            Self::TooLong => ErrorKind::InvalidInput,
        }
    }
}

impl From<TransportError> for OutputError {
    fn from(error: TransportError) -> Self {
        match error {
            TransportError::TimedOut => Self::TimedOut,
            TransportError::Failed => Self::Failed,
        }
    }
}

/// Takes a content and sends it as it was announced. Small pieces are gathered in a block.
#[derive(Debug)]
pub(super) struct Output<'o, 's, S> {
    transport: &'o mut Transport<'s, S>,
    limits: &'o Limits,
    block: Block<'o>,
    /// How many bytes of content wait in the block.
    waiting: usize,
    delimiter: Delimiter,
    /// What is still to come, with a known length.
    left: u64,
    /// When something was sent last.
    progress: &'o Cell<Instant>,
}

impl<'o, 's, S: Read + Write> Output<'o, 's, S> {
    pub(super) fn new(
        transport: &'o mut Transport<'s, S>,
        limits: &'o Limits,
        block: Block<'o>,
        (delimiter, length): (Delimiter, u64),
        progress: &'o Cell<Instant>,
    ) -> Self {
        Self {
            transport,
            limits,
            block,
            waiting: 0,
            delimiter,
            left: length,
            progress,
        }
    }

    /// Sends the head that stands in the block, at the latest together with the first of the content.
    pub(super) async fn begin_behind(&mut self, head: usize) -> Result<(), OutputError> {
        let head = head.min(self.block.len());
        if self.delimiter != Delimiter::Chunks {
            self.waiting = head;
            return Ok(());
        }
        let deadline = self.transport.now() + self.limits.answer_time(head);
        self.transport
            .write_all(&self.block[..head], deadline)
            .await?;
        self.progress.set(self.transport.now());
        Ok(())
    }

    /// Where content stands in the block: behind room for a size line, before room for the line's end.
    fn room(&self) -> core::ops::Range<usize> {
        match self.delimiter {
            Delimiter::Chunks => SIZE_LINE..self.block.len() - LINE_END,
            Delimiter::Length | Delimiter::Close => 0..self.block.len(),
        }
    }

    /// Sends what waits.
    async fn send_block(&mut self) -> Result<(), OutputError> {
        if self.waiting == 0 {
            return Ok(());
        }
        let mut end = self.room().start + self.waiting;
        if self.delimiter == Delimiter::Chunks {
            self.block[..SIZE_LINE].copy_from_slice(&size_line(self.waiting));
            self.block[end..end + LINE_END].copy_from_slice(b"\r\n");
            end += LINE_END;
        }
        self.waiting = 0;
        let deadline = self.transport.now() + self.limits.answer_time(end);
        self.transport
            .write_all(&self.block[..end], deadline)
            .await?;
        self.progress.set(self.transport.now());
        Ok(())
    }

    /// Sends a piece from where it lies.
    async fn send_whole(&mut self, piece: &[u8]) -> Result<(), OutputError> {
        let deadline = self.transport.now() + self.limits.answer_time(piece.len());
        if self.delimiter == Delimiter::Chunks {
            let line = size_line(piece.len());
            self.transport.write_all(&line, deadline).await?;
        }
        self.transport.write_all(piece, deadline).await?;
        if self.delimiter == Delimiter::Chunks {
            self.transport.write_all(b"\r\n", deadline).await?;
        }
        self.progress.set(self.transport.now());
        Ok(())
    }

    /// Sends what waits, and tells the end of the content.
    pub(super) async fn finish(&mut self) -> Result<(), Unfinished> {
        if self.delimiter == Delimiter::Length && self.left > 0 {
            return Err(Unfinished);
        }
        self.send_block().await?;
        let deadline = self.transport.now() + self.limits.write_time;
        if self.delimiter == Delimiter::Chunks {
            let last = self.transport.write_all(b"0\r\n\r\n", deadline).await;
            last.map_err(OutputError::from)?;
        }
        let flushed = self.transport.flush(deadline).await;
        flushed.map_err(|error| OutputError::from(error).into())
    }
}

fn size_line(size: usize) -> [u8; SIZE_LINE] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |place: u32| DIGITS[(size >> (4 * place)) & 0xf];
    [digit(3), digit(2), digit(1), digit(0), b'\r', b'\n']
}

impl<S> ErrorType for Output<'_, '_, S> {
    type Error = OutputError;
}

impl<S: Read + Write> Write for Output<'_, '_, S> {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, OutputError> {
        let bytes = &bytes[..bytes.len().min(MOST_IN_CHUNK)];
        if self.delimiter == Delimiter::Length {
            self.left = self
                .left
                .checked_sub(bytes.len() as u64)
                .ok_or(OutputError::TooLong)?;
        }
        let room = self.room();
        if self.waiting + bytes.len() > room.len() {
            self.send_block().await?;
        }
        if bytes.len() > room.len() {
            self.send_whole(bytes).await?;
        } else {
            let at = room.start + self.waiting;
            self.block[at..at + bytes.len()].copy_from_slice(bytes);
            self.waiting += bytes.len();
        }
        Ok(bytes.len())
    }

    async fn flush(&mut self) -> Result<(), OutputError> {
        self.send_block().await?;
        let deadline = self.transport.now() + self.limits.write_time;
        Ok(self.transport.flush(deadline).await?)
    }
}

/// Lets a content be made as long as something of it is sent every so often. It is pinned by the caller, so that a connection's future holds it once.
pub(super) async fn watched<F>(
    mut making: Pin<&mut F>,
    timers: &Timers,
    limits: &Limits,
    progress: &Cell<Instant>,
) -> Result<(), Unfinished>
where
    F: Future<Output = Result<(), Unfinished>>,
{
    let mut by = progress.get() + limits.stall_time;
    loop {
        let mut sleep = pin!(timers.sleep_until(by));
        let made = poll_fn(|cx| match making.as_mut().poll(cx) {
            Poll::Ready(made) => Poll::Ready(Some(made)),
            Poll::Pending => sleep.as_mut().poll(cx).map(|()| None),
        });
        match made.await {
            Some(made) => return made,
            None if progress.get() + limits.stall_time > by => {
                by = progress.get() + limits.stall_time;
            }
            None => return Err(Unfinished),
        }
    }
}
