//! The buffer between those who print and the stream.

use alloc::collections::VecDeque;
use alloc::rc::Rc;
use core::cell::RefCell;
use core::fmt;
use core::future::poll_fn;
use core::task::Poll;

use morgana_exec::Waiters;
use morgana_hal::{ByteStream, StreamError};

use crate::line::Line;

/// A buffer's usual size in bytes.
pub const DEFAULT_CAPACITY: usize = 16 * 1024;

/// Bytes given to the stream at once.
const CHUNK: usize = 512;

/// How lines end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LineEnd {
    /// For files and pipes.
    Lf,
    /// For terminals that move the cursor as told, as those behind Xen's console do.
    CrLf,
}

impl LineEnd {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Lf => "\n",
            Self::CrLf => "\r\n",
        }
    }
}

/// Where lines are printed to. Clones are the same buffer. One task moves its content on: see [`drive`](Self::drive).
#[derive(Clone, Debug)]
pub struct Output {
    buffer: Rc<RefCell<Buffer>>,
    end: LineEnd,
}

#[derive(Debug)]
struct Buffer {
    bytes: VecDeque<u8>,
    capacity: usize,
    /// Lines dropped and not yet told of.
    untold: u64,
    /// Lines dropped ever.
    lost: u64,
    ended: Option<StreamError>,
    /// The task that drives, and those that flush.
    waiters: Waiters,
}

impl Output {
    /// A buffer of `capacity` bytes, all allocated now.
    pub fn new(capacity: usize, end: LineEnd) -> Self {
        let buffer = Buffer {
            bytes: VecDeque::with_capacity(capacity),
            capacity,
            untold: 0,
            lost: 0,
            ended: None,
            waiters: Waiters::new(),
        };
        Self {
            buffer: Rc::new(RefCell::new(buffer)),
            end,
        }
    }

    /// How lines end here.
    pub fn line_end(&self) -> LineEnd {
        self.end
    }

    /// Prints a line, which gets its end here. Dropped and counted if there is no room for it.
    pub fn line(&self, arguments: fmt::Arguments<'_>) {
        // Formatted first, with nothing borrowed: a `Display` may print itself.
        let line = Line::format(self.end.as_str(), arguments);
        self.put(line.as_bytes());
    }

    /// How many lines have been dropped so far.
    pub fn lost(&self) -> u64 {
        self.buffer.borrow().lost
    }

    /// Waits until the stream has taken everything, a word on dropped lines included.
    ///
    /// # Errors
    ///
    /// Why the stream has ended, if it has.
    pub async fn flush(&self) -> Result<(), StreamError> {
        poll_fn(|cx| {
            let mut buffer = self.buffer.borrow_mut();
            if let Some(error) = buffer.ended {
                return Poll::Ready(Err(error));
            }
            if buffer.bytes.is_empty() && buffer.untold == 0 {
                return Poll::Ready(Ok(()));
            }
            buffer.waiters.register(cx.waker());
            Poll::Pending
        })
        .await
    }

    /// Moves what is printed to `stream`, for ever: a task's whole work.
    ///
    /// Returns why the stream has ended. Lines printed later are dropped and counted.
    pub async fn drive<S: ByteStream>(&self, stream: Rc<S>) -> StreamError {
        let mut chunk = [0; CHUNK];
        loop {
            let len = poll_fn(|cx| self.poll_chunk(cx, &mut chunk)).await;
            // The stream is called with nothing borrowed: it may print.
            match poll_fn(|cx| stream.poll_write(cx, &chunk[..len])).await {
                Ok(taken) => self.taken(taken),
                Err(error) => {
                    self.end(error);
                    return error;
                }
            }
        }
    }

    /// Takes bytes that the stream has not taken yet, for a program that is about to end badly and has another way to show them. 0 if
    /// there are none, or if the program has ended in the middle of printing.
    pub fn take_unsent(&self, into: &mut [u8]) -> usize {
        let Ok(mut buffer) = self.buffer.try_borrow_mut() else {
            return 0;
        };
        let len = buffer.copy(into);
        buffer.bytes.drain(..len);
        len
    }

    /// Puts bytes in that are not a line, such as an echo: all, or none if there is no room.
    pub(crate) fn echo(&self, bytes: &[u8]) {
        let mut buffer = self.buffer.borrow_mut();
        if buffer.ended.is_none() && buffer.room() >= bytes.len() {
            buffer.bytes.extend(bytes);
            buffer.waiters.wake_all();
        }
    }

    fn put(&self, line: &[u8]) {
        let end = self.end.as_str().as_bytes();
        let mut buffer = self.buffer.borrow_mut();
        let notice = buffer.notice(self.end);
        let notice = notice.as_ref().map_or(&[][..], Line::as_bytes);
        let ends = if notice.is_empty() { 1 } else { 2 };
        let needed = line.len() + notice.len() + ends * end.len();
        if buffer.ended.is_some() || needed > buffer.room() {
            buffer.untold += 1;
            buffer.lost += 1;
            return;
        }
        buffer.tell(notice, end);
        buffer.bytes.extend(line);
        buffer.bytes.extend(end);
        buffer.waiters.wake_all();
    }

    /// Copies the next bytes, once there are some; they stay in the buffer until they are [`taken`](Self::taken).
    fn poll_chunk(&self, cx: &mut core::task::Context<'_>, chunk: &mut [u8]) -> Poll<usize> {
        let mut buffer = self.buffer.borrow_mut();
        if buffer.bytes.is_empty() {
            // Nobody may ever print again, but the loss is to be known.
            if let Some(notice) = buffer.notice(self.end) {
                buffer.tell(notice.as_bytes(), self.end.as_str().as_bytes());
            }
        }
        let len = buffer.copy(chunk);
        if len > 0 {
            return Poll::Ready(len);
        }
        buffer.waiters.register(cx.waker());
        Poll::Pending
    }

    fn taken(&self, len: usize) {
        let mut buffer = self.buffer.borrow_mut();
        let len = len.min(buffer.bytes.len());
        buffer.bytes.drain(..len);
        if buffer.bytes.is_empty() {
            buffer.waiters.wake_all();
        }
    }

    fn end(&self, error: StreamError) {
        let mut buffer = self.buffer.borrow_mut();
        buffer.ended = Some(error);
        buffer.bytes.clear();
        buffer.waiters.wake_all();
    }
}

impl Buffer {
    fn room(&self) -> usize {
        self.capacity - self.bytes.len()
    }

    /// What is to be said of dropped lines.
    fn notice(&self, end: LineEnd) -> Option<Line> {
        let untold = self.untold;
        (untold > 0).then(|| {
            let lines = if untold == 1 { "line" } else { "lines" };
            Line::format(
                end.as_str(),
                format_args!("({untold} {lines} lost here: the console was full)"),
            )
        })
    }

    /// Says it, if there is something to say. In a buffer too small for it the loss is only counted.
    fn tell(&mut self, notice: &[u8], end: &[u8]) {
        if notice.is_empty() {
            return;
        }
        if notice.len() + end.len() <= self.room() {
            self.bytes.extend(notice);
            self.bytes.extend(end);
        }
        self.untold = 0;
    }

    fn copy(&self, into: &mut [u8]) -> usize {
        let len = into.len().min(self.bytes.len());
        for (into, byte) in into.iter_mut().zip(&self.bytes) {
            *into = *byte;
        }
        len
    }
}
