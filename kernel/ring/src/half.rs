//! The two halves that each end of a ring has: it produces one kind of entry and consumes the other.
//!
//! The own indices are private copies; what is in the shared pages is only ever told to the peer, or is the peer's allegation.

use core::marker::PhantomData;

use crate::layout::{Entry, REQ_EVENT, REQ_PROD, RSP_EVENT, RSP_PROD, SharedRing};
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
    pub(crate) fn push(&mut self, ring: &SharedRing<'_>, entry: &impl Entry) {
        // Read before and written after what is shared: to the compiler, a write there may change what is not in a register.
        let next = self.next;
        ring.write(next, entry);
        self.next = next.wrapping_add(1);
    }

    /// Writes entries as long as `make` makes some, `room` at the most; the caller knows that there is room for as many.
    #[inline(always)]
    pub(crate) fn push_all<T: Entry>(
        &mut self,
        ring: &SharedRing<'_>,
        room: u32,
        mut make: impl FnMut() -> Option<T>,
    ) -> u32 {
        let (first, mut next) = (self.next, self.next);
        let end = first.wrapping_add(room);
        while next != end {
            let Some(entry) = make() else { break };
            ring.write(next, &entry);
            next = next.wrapping_add(1);
        }
        self.next = next;
        next.wrapping_sub(first)
    }

    /// Writes `count` entries, each made from the one of the peer's with the same number from `first` on; the caller knows that there is room.
    #[inline(always)]
    pub(crate) fn answer_each<A: Entry, B: Entry>(
        &mut self,
        ring: &SharedRing<'_>,
        first: u32,
        count: u32,
        mut each: impl FnMut(A) -> B,
    ) {
        let next = self.next;
        for number in 0..count {
            let answer = each(ring.read(first.wrapping_add(number)));
            ring.write(next.wrapping_add(number), &answer);
        }
        self.next = next.wrapping_add(count);
    }

    /// Shows the peer all entries up to here, and finds out whether it waits for one of them.
    #[inline(always)]
    pub(crate) fn publish(&mut self, ring: &SharedRing<'_>) -> Notify {
        let next = self.next;
        let fresh = next.wrapping_sub(self.published);
        if fresh == 0 {
            return Notify::NotNeeded;
        }
        self.published = next;
        // The peer writes its event index and then looks at our producer index; we do it the other way round. As both keep to that
        // order, one of us sees the other's write.
        let event = ring.tell_then_read(K::PRODUCER, next, K::EVENT);
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
    pub(crate) fn pop<T: Entry>(
        &mut self,
        ring: &SharedRing<'_>,
        end: u32,
    ) -> Result<Option<T>, RingError> {
        // Reads the peer's index only when all that was seen before is taken. A broken half has seen nothing, so it comes here too.
        let next = self.next;
        if next == self.seen && self.look(ring, end)? == 0 {
            return Ok(None);
        }
        self.next = next.wrapping_add(1);
        Ok(Some(ring.read(next)))
    }

    /// Takes the indices of entries under the same conditions, `most` at the most: the first, and how many. They count as taken from now on.
    #[inline(always)]
    pub(crate) fn take(
        &mut self,
        ring: &SharedRing<'_>,
        end: u32,
        most: u32,
    ) -> Result<(u32, u32), RingError> {
        let first = self.next;
        let mut waiting = self.seen.wrapping_sub(first);
        if waiting == 0 {
            waiting = self.look(ring, end)?;
        }
        let count = waiting.min(most);
        self.next = first.wrapping_add(count);
        Ok((first, count))
    }

    /// Reads the peer's index once and says how many entries wait.
    #[inline(always)]
    pub(crate) fn look(&mut self, ring: &SharedRing<'_>, end: u32) -> Result<u32, RingError> {
        if let Some(error) = self.broken {
            return Err(error);
        }
        let (next, seen) = (self.next, self.seen);
        let alleged = ring.index(K::PRODUCER);
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
    pub(crate) fn arm(
        &mut self,
        ring: &SharedRing<'_>,
        end: u32,
        count: u32,
    ) -> Result<Armed, RingError> {
        if let Some(error) = self.broken {
            return Err(error);
        }
        let (next, seen, count) = (self.next, self.seen, count.max(1));
        let first = ring.index(K::PRODUCER);
        self.believe(first, seen, end)?;
        if first.wrapping_sub(next) >= count {
            return Ok(Armed::Work);
        }
        // See `Producer::publish`.
        let wanted = next.wrapping_add(count);
        let second = ring.tell_then_read(K::EVENT, wanted, K::PRODUCER);
        self.believe(second, first, end)?;
        if second.wrapping_sub(next) >= count {
            return Ok(Armed::Work);
        }
        Ok(Armed::Idle)
    }
}
