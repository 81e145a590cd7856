//! The two halves that each end of a ring has: it produces one kind of entry and consumes the other.
//!
//! The own indices are private copies; what is in the shared pages is only ever told to the peer, or is the peer's allegation.

use core::marker::PhantomData;

use morgana_hal::SharedRegion;

use crate::layout::{Entries, Entry, Geometry, REQ_EVENT, REQ_PROD, RSP_EVENT, RSP_PROD};
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
    pub(crate) fn push<Req, Rsp>(
        &mut self,
        region: &SharedRegion,
        geometry: Geometry<Req, Rsp>,
        entry: &impl Entry,
    ) {
        geometry.entries_of(region).write(self.next, entry);
        self.next = self.next.wrapping_add(1);
    }

    /// Writes entries as long as `make` makes some, `room` at the most; the caller knows that there is room for as many.
    #[inline(always)]
    pub(crate) fn push_all<T: Entry>(
        &mut self,
        entries: &Entries<'_>,
        room: u32,
        mut make: impl FnMut() -> Option<T>,
    ) -> u32 {
        // The index stays in a register: to the compiler, what is written to shared memory may change what it has in memory.
        let (first, mut next) = (self.next, self.next);
        while next.wrapping_sub(first) < room {
            let Some(entry) = make() else { break };
            entries.write(next, &entry);
            next = next.wrapping_add(1);
        }
        self.next = next;
        next.wrapping_sub(first)
    }

    /// Shows the peer all entries up to here, and finds out whether it waits for one of them.
    #[inline(always)]
    pub(crate) fn publish(&mut self, region: &SharedRegion) -> Notify {
        let fresh = self.next.wrapping_sub(self.published);
        if fresh == 0 {
            return Notify::NotNeeded;
        }
        // The peer writes its event index and then looks at our producer index; we do it the other way round. As both keep to that
        // order, one of us sees the other's write.
        let event = region.store_then_load_u32(K::PRODUCER, self.next, K::EVENT);
        self.published = self.next;
        if self.next.wrapping_sub(event) < fresh {
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

    /// Copies out the next entry, if there is one that the peer may have produced: of `limit` at most from `next` on.
    #[inline(always)]
    pub(crate) fn pop<T: Entry, Req, Rsp>(
        &mut self,
        region: &SharedRegion,
        geometry: Geometry<Req, Rsp>,
        limit: u32,
    ) -> Result<Option<T>, RingError> {
        // Reads the peer's index only when all that was seen before is taken. A broken half has seen nothing, so it comes here too.
        if self.next == self.seen && self.look(region, limit)? == 0 {
            return Ok(None);
        }
        let index = self.next;
        self.next = index.wrapping_add(1);
        Ok(Some(geometry.entries_of(region).read(index)))
    }

    /// Takes the indices of entries under the same conditions, `most` at the most: the first, and how many. They count as taken from now on.
    #[inline(always)]
    pub(crate) fn take(
        &mut self,
        region: &SharedRegion,
        limit: u32,
        most: u32,
    ) -> Result<(u32, u32), RingError> {
        let mut waiting = self.seen.wrapping_sub(self.next);
        if waiting == 0 {
            waiting = self.look(region, limit)?;
        }
        let (first, count) = (self.next, waiting.min(most));
        self.next = first.wrapping_add(count);
        Ok((first, count))
    }

    /// Reads the peer's index once and says how many entries wait.
    #[inline(always)]
    pub(crate) fn look(&mut self, region: &SharedRegion, limit: u32) -> Result<u32, RingError> {
        if let Some(error) = self.broken {
            return Err(error);
        }
        self.believe(region.load_u32(K::PRODUCER), limit)
    }

    /// Checks an index that was read; if it is possible, says how many entries wait.
    #[inline(always)]
    fn believe(&mut self, alleged: u32, limit: u32) -> Result<u32, RingError> {
        let waiting = alleged.wrapping_sub(self.next);
        let known = self.seen.wrapping_sub(self.next);
        if waiting < known || waiting > limit {
            return Err(self.give_up(alleged));
        }
        self.seen = alleged;
        Ok(waiting)
    }

    /// Names what is wrong with an index, now and for ever.
    #[cold]
    fn give_up(&mut self, alleged: u32) -> RingError {
        let forward = alleged.wrapping_sub(self.seen);
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
    pub(crate) fn arm(
        &mut self,
        region: &SharedRegion,
        limit: u32,
        count: u32,
    ) -> Result<Armed, RingError> {
        let count = count.max(1);
        if self.look(region, limit)? >= count {
            return Ok(Armed::Work);
        }
        // See `Producer::publish`.
        let wanted = self.next.wrapping_add(count);
        let alleged = region.store_then_load_u32(K::EVENT, wanted, K::PRODUCER);
        if self.believe(alleged, limit)? >= count {
            return Ok(Armed::Work);
        }
        Ok(Armed::Idle)
    }
}
