//! The back end of a ring: requests out, responses in.

use morgana_hal::Pages;

use crate::half::{Consumer, Producer, Requests, Responses};
use crate::layout::{Entry, RSP_PROD, Shared};
use crate::{Armed, Notify, RingError, RingFull};

/// The end that answers (`BACK_RING_ATTACH` and what goes with it in io/ring.h). It owns its mapping of the front end's pages.
#[derive(Debug)]
pub struct BackRing<M, Req, Rsp> {
    ring: Shared<M, Req, Rsp>,
    requests: Consumer<Requests>,
    responses: Producer<Responses>,
}

impl<M: Pages, Req: Entry, Rsp: Entry> BackRing<M, Req, Rsp> {
    /// Joins the ring that the front end has made of the pages, behind the last response that is in it: after a back end was
    /// replaced, its successor finds the requests that have none.
    ///
    /// # Errors
    ///
    /// [`RingError`] if the pages are too few, or the indices in them are not possible.
    pub fn attach(pages: M) -> Result<Self, RingError> {
        let ring = Shared::new(pages).map_err(|_| RingError::NoRoom)?;
        let index = ring.load_u32(RSP_PROD);
        let mut ring = Self {
            ring,
            requests: Consumer::new(index),
            responses: Producer::new(index),
        };
        ring.available()?;
        Ok(ring)
    }

    /// The front end's pages.
    pub fn pages(&self) -> &M {
        self.ring.pages()
    }

    /// Leaves the ring and gives the pages back.
    pub fn into_pages(self) -> M {
        self.ring.into_pages()
    }

    /// How many entries the ring has.
    pub fn capacity(&self) -> u32 {
        self.ring.count()
    }

    /// How many requests have been taken out and have no response yet: as many responses can be pushed.
    pub fn unanswered(&self) -> u32 {
        self.requests.next().wrapping_sub(self.responses.next())
    }

    /// Copies out the next request, if there is one.
    ///
    /// # Errors
    ///
    /// [`RingError`] if the peer's index is not possible.
    #[inline]
    pub fn pop(&mut self) -> Result<Option<Req>, RingError> {
        let end = self.end();
        self.requests.pop(&self.ring, end)
    }

    /// Writes a response into the entry of the oldest request without one. The peer sees it after [`publish`](Self::publish).
    ///
    /// # Errors
    ///
    /// [`RingFull`] if every request taken out has its response.
    #[inline]
    pub fn push(&mut self, response: &Rsp) -> Result<(), RingFull> {
        if self.unanswered() == 0 {
            return Err(RingFull);
        }
        self.responses.push(&self.ring, response);
        Ok(())
    }

    /// Shows the peer all responses written so far.
    #[inline]
    pub fn publish(&mut self) -> Notify {
        self.responses.publish(&self.ring)
    }

    /// How many requests wait.
    ///
    /// # Errors
    ///
    /// [`RingError`] if the peer's index is not possible.
    #[inline]
    pub fn available(&mut self) -> Result<u32, RingError> {
        let end = self.end();
        self.requests.look(&self.ring, end)
    }

    /// Asks the peer for a notification of the next request, and looks once more (`RING_FINAL_CHECK_FOR_REQUESTS`).
    ///
    /// # Errors
    ///
    /// [`RingError`] if the peer's index is not possible.
    #[inline]
    pub fn arm(&mut self) -> Result<Armed, RingError> {
        self.arm_after(1)
    }

    /// As [`arm`](Self::arm), for the `count`-th request from now on. A front end that has less to ask is not heard then.
    ///
    /// # Errors
    ///
    /// [`RingError`] if the peer's index is not possible.
    #[inline]
    pub fn arm_after(&mut self, count: u32) -> Result<Armed, RingError> {
        let end = self.end();
        self.requests.arm(&self.ring, end, count)
    }

    /// Behind which index there can be no request: the peer may use an entry again only after it has been shown the response in it.
    #[inline]
    fn end(&self) -> u32 {
        self.responses.published().wrapping_add(self.capacity())
    }
}
