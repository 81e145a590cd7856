//! Both lanes and an event channel, as one stream.

use core::cell::Cell;
use core::task::{Context, Poll};

use morgana_hal::{ByteStream, Channel, Pages, StreamError};

use super::lane::{LaneReader, LaneWriter};
use super::{ByteLayout, Side};
use crate::RingError;

/// One end of a byte ring. Tasks share it in an `Rc`; bytes of two tasks that write at once mix, call by call.
///
/// After the other side has written impossible indices every call answers [`StreamError::BadIndices`].
#[derive(Debug)]
pub struct RingStream<M, C> {
    pages: M,
    channel: C,
    reader: LaneReader,
    writer: LaneWriter,
    /// Of how much that was taken the other side knows.
    released: Cell<u32>,
    layout: ByteLayout,
    broken: Cell<Option<StreamError>>,
}

impl<M: Pages, C: Channel> RingStream<M, C> {
    /// Joins the ring in `pages` as `side`, where its own indices stand: fresh pages are an empty ring, and one that somebody else
    /// has used before goes on. The other side hears of the ring over `channel`.
    ///
    /// # Errors
    ///
    /// [`RingError::NoRoom`] if the layout does not fit the pages.
    pub fn attach(pages: M, channel: C, layout: ByteLayout, side: Side) -> Result<Self, RingError> {
        let region = pages.region();
        let (read, written) = (layout.read_by(side), layout.written_by(side));
        if !read.fits(region.len()) || !written.fits(region.len()) {
            return Err(RingError::NoRoom);
        }
        let reader = LaneReader::attach(read, region);
        Ok(Self {
            released: Cell::new(reader.taken()),
            reader,
            writer: LaneWriter::attach(written, region),
            pages,
            channel,
            layout,
            broken: Cell::new(None),
        })
    }

    /// The shared pages.
    pub fn pages(&self) -> &M {
        &self.pages
    }

    /// The event channel.
    pub fn channel(&self) -> &C {
        &self.channel
    }

    /// Empties both lanes and begins anew, whatever was broken. The other side must not touch the ring meanwhile, and must begin anew
    /// too: its indices are set to 0 like the own ones.
    pub fn reset(&self) {
        let region = self.pages.region();
        self.reader.reset(region);
        self.writer.reset(region);
        self.released.set(0);
        for lane in [self.layout.from_guest, self.layout.to_guest] {
            region.store_u32(lane.consumer, 0);
            region.store_u32(lane.producer, 0);
        }
        self.broken.set(None);
    }

    /// Ready once the other side has taken all that was written.
    pub fn poll_drained(&self, cx: &mut Context<'_>) -> Poll<Result<(), StreamError>> {
        self.poll_step(cx, || {
            let unread = self.writer.unread(self.pages.region())?;
            Ok((unread == 0).then_some(()))
        })
    }

    /// As [`poll_read`](ByteStream::poll_read), but to the other side the bytes are in the ring until they are [released](Self::release).
    pub fn poll_take(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<Result<usize, StreamError>> {
        if buffer.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let region = self.pages.region();
        self.poll_step(cx, || {
            let len = self.reader.take(region, region, buffer)?;
            Ok((len > 0).then_some(len))
        })
    }

    /// Tells the other side of all that was taken since the last time. Whether it has put in more meanwhile: it may not tell of that, so that whoever waits for
    /// it has to look.
    #[must_use]
    pub fn release(&self) -> bool {
        let taken = self.taken();
        if self.released.replace(taken) == taken {
            return false;
        }
        let has_more = self.reader.release(self.pages.region());
        self.channel.notify();
        has_more
    }

    /// The index behind what was taken out of the ring.
    pub fn taken(&self) -> u32 {
        self.reader.taken()
    }

    /// The index behind what was put into the ring.
    pub fn written(&self) -> u32 {
        self.writer.produced()
    }

    /// Reads on at an index: somebody else has taken what comes before, and may not have told the other side, which hears of it by
    /// [`release`](Self::release).
    ///
    /// # Errors
    ///
    /// [`StreamError::BadIndices`] if the indices in the page say that it cannot be.
    pub fn go_on_at(&self, taken: u32) -> Result<(), StreamError> {
        self.reader.go_on_at(self.pages.region(), taken)
    }

    /// Tries `step` until it has a result, and waits for the channel in between. An error stays.
    fn poll_step<T>(
        &self,
        cx: &mut Context<'_>,
        mut step: impl FnMut() -> Result<Option<T>, StreamError>,
    ) -> Poll<Result<T, StreamError>> {
        if let Some(error) = self.broken.get() {
            return Poll::Ready(Err(error));
        }
        let done = self.channel.poll_until(cx, || step().transpose());
        if let Poll::Ready(Err(error)) = done {
            self.broken.set(Some(error));
        }
        done
    }

    /// Tells the other side that bytes have moved: it may wait for bytes, or for room.
    fn moved(&self, len: usize) -> Option<usize> {
        if len == 0 {
            return None;
        }
        self.channel.notify();
        Some(len)
    }
}

impl<M: Pages, C: Channel> ByteStream for RingStream<M, C> {
    fn poll_read(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<Result<usize, StreamError>> {
        let read = self.poll_take(cx, buffer);
        // Whoever was given bytes looks once more before waiting, and so finds what has come meanwhile.
        let _ = self.release();
        read
    }

    fn poll_write(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize, StreamError>> {
        if bytes.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let region = self.pages.region();
        self.poll_step(cx, || {
            let len = self.writer.write(region, region, bytes)?;
            Ok(self.moved(len))
        })
    }
}
