//! The ends of one lane. Each keeps its own index in private and checks the other's at every use. The indices and the bytes may lie in
//! different pages.

use core::cell::Cell;

use morgana_hal::{SharedRegion, StreamError};

use super::LaneLayout;

/// Takes bytes out.
#[derive(Debug)]
pub struct LaneReader {
    layout: LaneLayout,
    consumed: Cell<u32>,
}

/// Puts bytes in.
#[derive(Debug)]
pub struct LaneWriter {
    layout: LaneLayout,
    produced: Cell<u32>,
}

impl LaneReader {
    /// Goes on where the own index in the page stands. `layout` fits, and its size is a power of two.
    pub fn attach(layout: LaneLayout, region: &SharedRegion) -> Self {
        let consumed = Cell::new(region.load_u32(layout.consumer));
        Self { layout, consumed }
    }

    /// Begins anew, with nothing in the lane.
    pub fn reset(&self, region: &SharedRegion) {
        self.consumed.set(0);
        region.store_u32(self.layout.consumer, 0);
    }

    /// Takes what there is, as much as fits into `buffer`, and tells the other side. 0 if there is nothing.
    ///
    /// # Errors
    ///
    /// [`StreamError::BadIndices`].
    pub fn read(
        &self,
        indices: &SharedRegion,
        data: &SharedRegion,
        buffer: &mut [u8],
    ) -> Result<usize, StreamError> {
        let len = self.take(indices, data, buffer)?;
        if len > 0 {
            self.release(indices);
        }
        Ok(len)
    }

    /// The same, but to the other side the bytes are in the lane until they are [released](Self::release).
    ///
    /// # Errors
    ///
    /// [`StreamError::BadIndices`].
    pub fn take(
        &self,
        indices: &SharedRegion,
        data: &SharedRegion,
        buffer: &mut [u8],
    ) -> Result<usize, StreamError> {
        let consumed = self.consumed.get();
        let waiting = self.waiting(indices)?;
        let len = buffer.len().min(waiting as usize);
        if len == 0 {
            return Ok(0);
        }
        let (start, first) = self.layout.span(consumed, len);
        let (head, tail) = buffer[..len].split_at_mut(first);
        data.read(start, head);
        data.read(self.layout.buffer, tail);
        self.consumed.set(consumed.wrapping_add(len as u32));
        Ok(len)
    }

    /// Tells the other side how much was taken. Whether it has put in more meanwhile: it may not have told of that, as it saw that not everything was taken of what
    /// it had told of before (Linux, drivers/xen/xenbus/xenbus_comms.c, `xb_write`).
    pub fn release(&self, indices: &SharedRegion) -> bool {
        let LaneLayout {
            consumer, producer, ..
        } = self.layout;
        let consumed = self.consumed.get();
        indices.store_then_load_u32(consumer, consumed, producer) != consumed
    }

    /// The index behind what was taken.
    pub fn taken(&self) -> u32 {
        self.consumed.get()
    }

    /// Goes on at `taken`: somebody else has taken what comes before, and may not have told the other side.
    ///
    /// # Errors
    ///
    /// [`StreamError::BadIndices`] if that cannot be: it lies before what the other side was told of, or behind what it has put in.
    pub fn go_on_at(&self, indices: &SharedRegion, taken: u32) -> Result<(), StreamError> {
        let told = indices.load_u32(self.layout.consumer);
        let produced = indices.load_u32(self.layout.producer);
        let in_lane = produced.wrapping_sub(told);
        if in_lane > self.layout.size || taken.wrapping_sub(told) > in_lane {
            return Err(StreamError::BadIndices);
        }
        self.consumed.set(taken);
        Ok(())
    }

    /// The lane's size in bytes.
    pub fn size(&self) -> u32 {
        self.layout.size
    }

    /// How many bytes there are to take: at most the lane's size.
    ///
    /// # Errors
    ///
    /// [`StreamError::BadIndices`].
    pub fn waiting(&self, indices: &SharedRegion) -> Result<u32, StreamError> {
        let produced = indices.load_u32(self.layout.producer);
        let waiting = produced.wrapping_sub(self.consumed.get());
        if waiting > self.layout.size {
            return Err(StreamError::BadIndices);
        }
        Ok(waiting)
    }
}

impl LaneWriter {
    /// The index behind what was put in.
    pub fn produced(&self) -> u32 {
        self.produced.get()
    }

    /// Goes on where the own index in the page stands. `layout` fits, and its size is a power of two.
    pub fn attach(layout: LaneLayout, region: &SharedRegion) -> Self {
        let produced = Cell::new(region.load_u32(layout.producer));
        Self { layout, produced }
    }

    /// Begins anew, with nothing in the lane.
    pub fn reset(&self, region: &SharedRegion) {
        self.produced.set(0);
        region.store_u32(self.layout.producer, 0);
    }

    /// Puts in as many of `bytes` as there is room for. 0 if there is none.
    ///
    /// # Errors
    ///
    /// [`StreamError::BadIndices`].
    pub fn write(
        &self,
        indices: &SharedRegion,
        data: &SharedRegion,
        bytes: &[u8],
    ) -> Result<usize, StreamError> {
        let room = self.room(indices)?;
        let len = bytes.len().min(room as usize);
        if len == 0 {
            return Ok(0);
        }
        let produced = self.produced.get();
        let (start, first) = self.layout.span(produced, len);
        let (head, tail) = bytes[..len].split_at(first);
        data.write(start, head);
        data.write(self.layout.buffer, tail);
        let produced = produced.wrapping_add(len as u32);
        self.produced.set(produced);
        // Whoever finds the lane full next, and waits for room, must not do so by what was read before.
        indices.store_then_load_u32(self.layout.producer, produced, self.layout.consumer);
        Ok(len)
    }

    /// The lane's size in bytes.
    pub fn size(&self) -> u32 {
        self.layout.size
    }

    /// How many more bytes there is room for.
    ///
    /// # Errors
    ///
    /// [`StreamError::BadIndices`].
    pub fn room(&self, indices: &SharedRegion) -> Result<u32, StreamError> {
        Ok(self.layout.size - self.unread(indices)?)
    }

    /// How many bytes the other side has not taken yet: at most the lane's size.
    ///
    /// # Errors
    ///
    /// [`StreamError::BadIndices`].
    pub fn unread(&self, indices: &SharedRegion) -> Result<u32, StreamError> {
        let consumed = indices.load_u32(self.layout.consumer);
        let unread = self.produced.get().wrapping_sub(consumed);
        if unread > self.layout.size {
            return Err(StreamError::BadIndices);
        }
        Ok(unread)
    }
}

impl LaneLayout {
    /// Where in the page the byte with a free-running index lies, and how many of `len` bytes fit before the buffer's end.
    fn span(&self, index: u32, len: usize) -> (usize, usize) {
        let at = (index & (self.size - 1)) as usize;
        (self.buffer + at, len.min(self.size as usize - at))
    }
}
