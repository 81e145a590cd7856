//! The front end of a ring: requests in, responses out.

use morgana_hal::Pages;

use crate::half::{Consumer, Producer, Requests, Responses};
use crate::layout::{Entry, Geometry, REQ_EVENT, REQ_PROD, RSP_EVENT, RSP_PROD};
use crate::{Armed, Drained, Notify, RingError, RingFull};

/// The end that asks (`XEN_FRONT_RING_INIT` and what goes with it in io/ring.h). It owns the shared pages.
#[derive(Debug)]
pub struct FrontRing<M, Req, Rsp> {
    pages: M,
    geometry: Geometry<Req, Rsp>,
    requests: Producer<Requests>,
    responses: Consumer<Responses>,
}

impl<M: Pages, Req: Entry, Rsp: Entry> FrontRing<M, Req, Rsp> {
    /// Makes an empty ring of the pages; the peer must not use them yet.
    ///
    /// # Errors
    ///
    /// [`RingError::NoRoom`].
    pub fn new(pages: M) -> Result<Self, RingError> {
        Self::starting_at(pages, 0)
    }

    /// As [`new`](Self::new), with indices that begin at `index`; so a test comes to the wrap-around soon.
    ///
    /// # Errors
    ///
    /// [`RingError::NoRoom`].
    pub fn starting_at(pages: M, index: u32) -> Result<Self, RingError> {
        let region = pages.region();
        let geometry = Geometry::of(region.len()).ok_or(RingError::NoRoom)?;
        region.clear();
        region.store_u32(REQ_EVENT, index.wrapping_add(1));
        region.store_u32(RSP_EVENT, index.wrapping_add(1));
        region.store_u32(REQ_PROD, index);
        region.store_u32(RSP_PROD, index);
        Ok(Self {
            pages,
            geometry,
            requests: Producer::new(index),
            responses: Consumer::new(index),
        })
    }

    /// The shared pages, for instance to tell the peer their grants.
    pub fn pages(&self) -> &M {
        &self.pages
    }

    /// Ends the ring and gives the pages back.
    pub fn into_pages(self) -> M {
        self.pages
    }

    /// How many entries the ring has.
    pub fn capacity(&self) -> u32 {
        self.geometry.entries()
    }

    /// How many requests have no response yet, those not yet published included.
    pub fn in_flight(&self) -> u32 {
        self.requests.next().wrapping_sub(self.responses.next())
    }

    /// How many requests there is room for.
    pub fn free(&self) -> u32 {
        self.capacity() - self.in_flight()
    }

    /// Writes a request into the next entry. The peer sees it after [`publish`](Self::publish).
    ///
    /// # Errors
    ///
    /// [`RingFull`] if every entry holds a request without response.
    #[inline]
    pub fn push(&mut self, request: &Req) -> Result<(), RingFull> {
        if self.free() == 0 {
            return Err(RingFull);
        }
        let ring = self.geometry.shared(self.pages.region());
        self.requests.push(&ring, request);
        Ok(())
    }

    /// Writes requests as long as `make` makes some and an entry is free; returns how many. What it does is what
    /// [`push`](Self::push) does in a loop, with less to do for each.
    #[inline]
    pub fn push_all(&mut self, make: impl FnMut() -> Option<Req>) -> u32 {
        let room = self.free();
        let ring = self.geometry.shared(self.pages.region());
        self.requests.push_all(&ring, room, make)
    }

    /// Shows the peer all requests written so far.
    #[inline]
    pub fn publish(&mut self) -> Notify {
        let ring = self.geometry.shared(self.pages.region());
        self.requests.publish(&ring)
    }

    /// Copies out the next response, if there is one.
    ///
    /// # Errors
    ///
    /// [`RingError`] if the peer's index is not possible.
    #[inline]
    pub fn pop(&mut self) -> Result<Option<Rsp>, RingError> {
        let ring = self.geometry.shared(self.pages.region());
        self.responses.pop(&ring, self.requests.published())
    }

    /// Hands the waiting responses to `each`, `budget` at the most.
    ///
    /// # Errors
    ///
    /// [`RingError`] if the peer's index is not possible.
    #[inline]
    pub fn drain(
        &mut self,
        budget: usize,
        mut each: impl FnMut(Rsp),
    ) -> Result<Drained, RingError> {
        let ring = self.geometry.shared(self.pages.region());
        // The peer can only answer what it has been shown.
        let end = self.requests.published();
        let mut left = u32::try_from(budget).unwrap_or(u32::MAX);
        while left > 0 {
            let (first, count) = self.responses.take(&ring, end, left)?;
            if count == 0 {
                return Ok(Drained::Empty);
            }
            left -= count;
            for number in 0..count {
                each(ring.read(first.wrapping_add(number)));
            }
        }
        Ok(Drained::More)
    }

    /// How many responses wait.
    ///
    /// # Errors
    ///
    /// [`RingError`] if the peer's index is not possible.
    #[inline]
    pub fn available(&mut self) -> Result<u32, RingError> {
        let ring = self.geometry.shared(self.pages.region());
        self.responses.look(&ring, self.requests.published())
    }

    /// Asks the peer for a notification of the next response, and looks once more (`RING_FINAL_CHECK_FOR_RESPONSES`).
    ///
    /// # Errors
    ///
    /// [`RingError`] if the peer's index is not possible.
    #[inline]
    pub fn arm(&mut self) -> Result<Armed, RingError> {
        self.arm_after(1)
    }

    /// As [`arm`](Self::arm), for the `count`-th response from now on: fewer events where single responses do not matter. At
    /// least `count` requests must be in flight, else the event never comes.
    ///
    /// # Errors
    ///
    /// [`RingError`] if the peer's index is not possible.
    #[inline]
    pub fn arm_after(&mut self, count: u32) -> Result<Armed, RingError> {
        let ring = self.geometry.shared(self.pages.region());
        // The peer can only answer what it has been shown.
        self.responses.arm(&ring, self.requests.published(), count)
    }
}
