//! One end of a vchan.

use core::cell::Cell;
use core::fmt;
use core::future::poll_fn;
use core::task::{Context, Poll};

use morgana_hal::{ByteStream, Channel, Events, Platform, SharedRegion, StreamError};
use morgana_ring::{LaneReader, LaneWriter};

use crate::layout::{
    CLIENT_LIVE, CLIENT_NOTIFY, GONE, NOTIFY_READ, NOTIFY_WRITE, Orders, SERVER_LIVE, SERVER_NOTIFY,
};
use crate::memory::Shared;
use crate::patience::Patience;

/// One end of a vchan: a stream, over which messages may be sent whole, too. When it is dropped, the other end sees it closed.
pub struct Vchan<P: Platform> {
    pages: Pages<P>,
    channel: <P::Events as Events>::Channel,
    reader: LaneReader,
    writer: LaneWriter,
    end: End,
    broken: Cell<Option<StreamError>>,
    /// For bytes, and for room.
    patience: [Patience; 2],
}

/// The shared page, and the pages of the rings that have their own.
pub(crate) struct Pages<P: Platform> {
    pub(crate) page: Shared<P>,
    pub(crate) left: Option<Shared<P>>,
    pub(crate) right: Option<Shared<P>>,
}

/// Which end this is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum End {
    Server,
    Client,
}

/// Why a message cannot be sent or received.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SendError {
    /// The vchan has ended.
    Stream(StreamError),
    /// It is longer than the ring.
    TooLong,
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stream(error) => error.fmt(f),
            Self::TooLong => f.write_str("the message is longer than the vchan's ring"),
        }
    }
}

impl core::error::Error for SendError {}

impl End {
    /// Where the other one says whether it is there.
    const fn other_live(self) -> usize {
        match self {
            Self::Server => CLIENT_LIVE,
            Self::Client => SERVER_LIVE,
        }
    }

    pub(crate) const fn own_live(self) -> usize {
        match self {
            Self::Server => SERVER_LIVE,
            Self::Client => CLIENT_LIVE,
        }
    }

    /// Where the other one looks for what it is to tell us of.
    pub(crate) const fn wishes(self) -> usize {
        match self {
            Self::Server => CLIENT_NOTIFY,
            Self::Client => SERVER_NOTIFY,
        }
    }

    /// Where it says what we are to tell it of.
    const fn other_wishes(self) -> usize {
        match self {
            Self::Server => SERVER_NOTIFY,
            Self::Client => CLIENT_NOTIFY,
        }
    }
}

impl<P: Platform> Vchan<P> {
    pub(crate) fn new(
        pages: Pages<P>,
        channel: <P::Events as Events>::Channel,
        orders: Orders,
        end: End,
    ) -> Self {
        let page = pages.page.region();
        let (read, written) = match end {
            End::Server => (orders.left_lane(), orders.right_lane()),
            End::Client => (orders.right_lane(), orders.left_lane()),
        };
        Self {
            reader: LaneReader::attach(read, page),
            writer: LaneWriter::attach(written, page),
            pages,
            channel,
            end,
            broken: Cell::new(None),
            patience: [const { Patience::new() }; 2],
        }
    }

    /// Whether the other end is there, or, of a server's client, not there yet.
    pub fn is_open(&self) -> bool {
        self.broken.get().is_none() && self.other_is_there()
    }

    /// Sends a message: all of it at once, as soon as there is room for it.
    ///
    /// # Errors
    ///
    /// [`SendError`].
    pub async fn send(&self, message: &[u8]) -> Result<(), SendError> {
        let most = self.writer.size();
        if message.len() > most as usize {
            return Err(SendError::TooLong);
        }
        if message.is_empty() {
            return Ok(());
        }
        let sent = poll_fn(|cx| {
            self.poll_step(cx, NOTIFY_READ, While::Open, || {
                if (self.writer.room(self.page())? as usize) < message.len() {
                    return Ok(None);
                }
                self.put(message).map(Some)
            })
        });
        sent.await.map(drop).map_err(SendError::Stream)
    }

    /// Receives a message of exactly this length, as soon as all of it is there.
    ///
    /// # Errors
    ///
    /// [`SendError`].
    pub async fn receive(&self, message: &mut [u8]) -> Result<(), SendError> {
        if message.len() > self.reader.size() as usize {
            return Err(SendError::TooLong);
        }
        if message.is_empty() {
            return Ok(());
        }
        let received = poll_fn(|cx| {
            self.poll_step(cx, NOTIFY_WRITE, While::Readable, || {
                if (self.reader.waiting(self.page())? as usize) < message.len() {
                    return Ok(None);
                }
                self.take(message).map(Some)
            })
        });
        received.await.map(drop).map_err(SendError::Stream)
    }

    fn page(&self) -> &SharedRegion {
        self.pages.page.region()
    }

    /// Where the bytes are that the end reads, and those that it writes.
    fn data(&self) -> (&SharedRegion, &SharedRegion) {
        let page = &self.pages.page;
        let left = self.pages.left.as_ref().unwrap_or(page).region();
        let right = self.pages.right.as_ref().unwrap_or(page).region();
        match self.end {
            End::Server => (left, right),
            End::Client => (right, left),
        }
    }

    fn put(&self, bytes: &[u8]) -> Result<usize, StreamError> {
        let len = self.writer.write(self.page(), self.data().1, bytes)?;
        if len > 0 {
            self.tell(NOTIFY_WRITE);
        }
        Ok(len)
    }

    fn take(&self, buffer: &mut [u8]) -> Result<usize, StreamError> {
        let len = self.reader.read(self.page(), self.data().0, buffer)?;
        if len > 0 {
            self.tell(NOTIFY_READ);
        }
        Ok(len)
    }

    /// Notifies the other end, if it wishes to hear of such.
    fn tell(&self, of: u8) {
        if self.page().take_bits(self.end.other_wishes(), of) != 0 {
            self.channel.notify();
        }
    }

    fn other_is_there(&self) -> bool {
        let mut live = [GONE];
        self.page().read(self.end.other_live(), &mut live);
        live[0] != GONE
    }

    /// Tries `step` until it has a result; in between looks again for a while, then asks to be told `of` what it waits for, and waits. An error of
    /// `step`'s stays.
    fn poll_step<T>(
        &self,
        cx: &mut Context<'_>,
        of: u8,
        possible: While,
        mut step: impl FnMut() -> Result<Option<T>, StreamError>,
    ) -> Poll<Result<T, StreamError>> {
        let mut step = || {
            let done = step();
            if let Err(error) = done {
                self.broken.set(Some(error));
            }
            done.transpose()
        };
        let patience = &self.patience[usize::from(of == NOTIFY_READ)];
        if patience.is_others_turn() {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let polled = self.channel.poll_until(cx, || {
            if let Some(error) = self.broken.get() {
                return Some(Err(error));
            }
            // Looked at before the ring: what the other end has written before it went is still read.
            let there = self.other_is_there();
            let closed = (!there).then_some(Err(StreamError::Closed));
            if possible == While::Open && !there {
                return closed;
            }
            step()
                .or_else(|| match there {
                    true => patience.look_again(&mut step),
                    false => None,
                })
                .or_else(|| {
                    self.page().set_bits(self.end.wishes(), of);
                    step()
                })
                .or(closed)
        });
        if polled.is_pending() {
            patience.sleeps();
        }
        polled
    }
}

/// As long as what an operation is possible.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum While {
    /// The other end is there.
    Open,
    /// It is there, or has left bytes.
    Readable,
}

impl<P: Platform> ByteStream for Vchan<P> {
    fn poll_read(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<Result<usize, StreamError>> {
        if buffer.is_empty() {
            return Poll::Ready(Ok(0));
        }
        self.poll_step(cx, NOTIFY_WRITE, While::Readable, || {
            let len = self.take(buffer)?;
            Ok((len > 0).then_some(len))
        })
    }

    fn poll_write(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize, StreamError>> {
        if bytes.is_empty() {
            return Poll::Ready(Ok(0));
        }
        self.poll_step(cx, NOTIFY_READ, While::Open, || {
            let len = self.put(bytes)?;
            Ok((len > 0).then_some(len))
        })
    }
}

impl<P: Platform> Drop for Vchan<P> {
    fn drop(&mut self) {
        self.page().write(self.end.own_live(), &[GONE]);
        self.channel.notify();
    }
}

impl<P: Platform> fmt::Debug for Vchan<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vchan")
            .field("end", &self.end)
            .field("port", &self.channel.port())
            .finish_non_exhaustive()
    }
}
