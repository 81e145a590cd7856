//! The two halves that each end of a ring has: it produces one kind of entry and consumes the other.
//!
//! The own indices are private copies; what is in the shared pages is only ever told to the peer, or is the peer's allegation.

use core::marker::PhantomData;

use morgana_hal::{Pages, PieceLayout, Pieces};

use crate::layout::{Entry, REQ_EVENT, REQ_PROD, RSP_EVENT, RSP_PROD, read};
use crate::{Armed, Notify, RingError};

/// Which kind of entry a half deals with. A type, so that where its index lies is known when the program is compiled.
pub(crate) trait Kind {
    const PRODUCER: usize;
    const EVENT: usize;
    const WENT_BACK: RingError;
    const TOO_MANY: RingError;
}

#[derive(Debug)]
pub(crate) struct Requests;

impl Kind for Requests {
    const PRODUCER: usize = REQ_PROD;
    const EVENT: usize = REQ_EVENT;
    const WENT_BACK: RingError = RingError::RequestsWentBack;
    const TOO_MANY: RingError = RingError::TooManyRequests;
}

#[derive(Debug)]
pub(crate) struct Responses;

impl Kind for Responses {
    const PRODUCER: usize = RSP_PROD;
    const EVENT: usize = RSP_EVENT;
    const WENT_BACK: RingError = RingError::ResponsesWentBack;
    const TOO_MANY: RingError = RingError::TooManyResponses;
}

/// Puts entries in.
#[derive(Debug)]
pub(crate) struct Producer<K> {
    kind: PhantomData<K>,
    /// The index of the next entry.
    next: u32,
    /// What the peer has been told: it may look at entries before this one.
    published: u32,
}

impl<K: Kind> Producer<K> {
    pub(crate) const fn new(index: u32) -> Self {
        Self {
            kind: PhantomData,
            next: index,
            published: index,
        }
    }

    pub(crate) const fn next(&self) -> u32 {
        self.next
    }

    pub(crate) const fn published(&self) -> u32 {
        self.published
    }

    /// Writes the next entry; the caller knows that there is room.
    #[inline(always)]
    pub(crate) fn push<M: Pages, L: PieceLayout>(
        &mut self,
        ring: &Pieces<M, L>,
        entry: &impl Entry,
    ) {
        // Read before and written after what is shared: to the compiler, a write there may change what is not in a register.
        let next = self.next;
        ring.write(next, entry.as_bytes());
        self.next = next.wrapping_add(1);
    }

    /// Shows the peer all entries up to here, and finds out whether it waits for one of them.
    #[inline(always)]
    pub(crate) fn publish<M: Pages, L: PieceLayout>(&mut self, ring: &Pieces<M, L>) -> Notify {
        let next = self.next;
        let fresh = next.wrapping_sub(self.published);
        if fresh == 0 {
            return Notify::NotNeeded;
        }
        self.published = next;
        // The peer writes its event index and then looks at our producer index; we do it the other way round. As both keep to that
        // order, one of us sees the other's write.
        let event = ring.store_then_load_u32(K::PRODUCER, next, K::EVENT);
        if next.wrapping_sub(event) < fresh {
            Notify::Needed
        } else {
            Notify::NotNeeded
        }
    }
}

/// Takes entries out.
#[derive(Debug)]
pub(crate) struct Consumer<K> {
    kind: PhantomData<K>,
    /// The index of the next entry.
    next: u32,
    /// The peer's producer index as it was last read and found possible: `next` never passes it.
    seen: u32,
    broken: Option<RingError>,
}

impl<K: Kind> Consumer<K> {
    pub(crate) const fn new(index: u32) -> Self {
        Self {
            kind: PhantomData,
            next: index,
            seen: index,
            broken: None,
        }
    }

    pub(crate) const fn next(&self) -> u32 {
        self.next
    }

    /// Copies out the next entry, if there is one that the peer may have produced: it is before `end`.
    #[inline(always)]
    pub(crate) fn pop<T: Entry, M: Pages, L: PieceLayout>(
        &mut self,
        ring: &Pieces<M, L>,
        end: u32,
    ) -> Result<Option<T>, RingError> {
        // Reads the peer's index only when all that was seen before is taken. A broken half has seen nothing, so it comes here too.
        let next = self.next;
        if next == self.seen && self.look(ring, end)? == 0 {
            return Ok(None);
        }
        self.next = next.wrapping_add(1);
        Ok(Some(read(ring, next)))
    }

    /// Reads the peer's index once and says how many entries wait.
    #[inline(always)]
    pub(crate) fn look<M: Pages, L: PieceLayout>(
        &mut self,
        ring: &Pieces<M, L>,
        end: u32,
    ) -> Result<u32, RingError> {
        if let Some(error) = self.broken {
            return Err(error);
        }
        let (next, seen) = (self.next, self.seen);
        let alleged = ring.load_u32(K::PRODUCER);
        self.believe(alleged, seen, end)?;
        Ok(alleged.wrapping_sub(next))
    }

    /// Checks an index that was read: it is between the one that was `seen` before and `end`, behind which the peer cannot be.
    #[inline(always)]
    fn believe(&mut self, alleged: u32, seen: u32, end: u32) -> Result<(), RingError> {
        if alleged.wrapping_sub(seen) > end.wrapping_sub(seen) {
            return Err(self.give_up(alleged, seen));
        }
        self.seen = alleged;
        Ok(())
    }

    /// Names what is wrong with an index, now and for ever.
    #[cold]
    fn give_up(&mut self, alleged: u32, seen: u32) -> RingError {
        let forward = alleged.wrapping_sub(seen);
        let error = if forward > u32::MAX / 2 {
            K::WENT_BACK
        } else {
            K::TOO_MANY
        };
        self.seen = self.next;
        self.broken = Some(error);
        error
    }

    /// Asks for a notification of the `count`-th entry from here on, and looks whether it came meanwhile.
    #[inline(always)]
    pub(crate) fn arm<M: Pages, L: PieceLayout>(
        &mut self,
        ring: &Pieces<M, L>,
        end: u32,
        count: u32,
    ) -> Result<Armed, RingError> {
        if let Some(error) = self.broken {
            return Err(error);
        }
        let (next, seen, count) = (self.next, self.seen, count.max(1));
        // What `pop` saw last is recent enough: whoever arms has mostly just found nothing more.
        if seen.wrapping_sub(next) >= count {
            return Ok(Armed::Work);
        }
        // See `Producer::publish`.
        let wanted = next.wrapping_add(count);
        let alleged = ring.store_then_load_u32(K::EVENT, wanted, K::PRODUCER);
        self.believe(alleged, seen, end)?;
        if alleged.wrapping_sub(next) >= count {
            return Ok(Armed::Work);
        }
        Ok(Armed::Idle)
    }
}
