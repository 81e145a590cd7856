//! The front end of a ring: requests in, responses out.

use morgana_hal::Pages;

use crate::half::{Consumer, Producer, Requests, Responses};
use crate::layout::{Entry, REQ_EVENT, REQ_PROD, RSP_EVENT, RSP_PROD, Shared};
use crate::{Armed, Notify, RingError, RingFull};

/// The end that asks (`XEN_FRONT_RING_INIT` and what goes with it in io/ring.h). It owns the shared pages.
#[derive(Debug)]
pub struct FrontRing<M, Req, Rsp> {
    ring: Shared<M, Req, Rsp>,
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
        let ring = Shared::new(pages).map_err(|_| RingError::NoRoom)?;
        let region = ring.pages().region();
        region.clear();
        region.store_u32(REQ_EVENT, index.wrapping_add(1));
        region.store_u32(RSP_EVENT, index.wrapping_add(1));
        region.store_u32(REQ_PROD, index);
        region.store_u32(RSP_PROD, index);
        Ok(Self {
            ring,
            requests: Producer::new(index),
            responses: Consumer::new(index),
        })
    }

    /// The shared pages, for instance to tell the peer their grants.
    pub fn pages(&self) -> &M {
        self.ring.pages()
    }

    /// Ends the ring and gives the pages back.
    pub fn into_pages(self) -> M {
        self.ring.into_pages()
    }

    /// How many entries the ring has.
    pub fn capacity(&self) -> u32 {
        self.ring.count()
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
        self.requests.push(&self.ring, request);
        Ok(())
    }

    /// Shows the peer all requests written so far.
    #[inline]
    pub fn publish(&mut self) -> Notify {
        self.requests.publish(&self.ring)
    }

    /// Copies out the next response, if there is one.
    ///
    /// # Errors
    ///
    /// [`RingError`] if the peer's index is not possible.
    #[inline]
    pub fn pop(&mut self) -> Result<Option<Rsp>, RingError> {
        self.responses.pop(&self.ring, self.requests.published())
    }

    /// How many responses wait.
    ///
    /// # Errors
    ///
    /// [`RingError`] if the peer's index is not possible.
    #[inline]
    pub fn available(&mut self) -> Result<u32, RingError> {
        self.responses.look(&self.ring, self.requests.published())
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
        // The peer can only answer what it has been shown.
        self.responses
            .arm(&self.ring, self.requests.published(), count)
    }
}
