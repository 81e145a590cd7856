//! The two halves that each end of a ring has: it produces one kind of entry and consumes the other.
//!
//! The own indices are private copies; what is in the shared pages is only ever told to the peer, or is the peer's allegation.

use core::sync::atomic::{Ordering, fence};

use morgana_hal::SharedRegion;

use crate::layout::{Entry, Geometry, REQ_EVENT, REQ_PROD, RSP_EVENT, RSP_PROD};
use crate::{Armed, Drained, Notify, RingError};

/// Which kind of entry a half deals with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Requests,
    Responses,
}

impl Kind {
    const fn producer_offset(self) -> usize {
        match self {
            Self::Requests => REQ_PROD,
            Self::Responses => RSP_PROD,
        }
    }

    const fn event_offset(self) -> usize {
        match self {
            Self::Requests => REQ_EVENT,
            Self::Responses => RSP_EVENT,
        }
    }

    const fn went_back(self) -> RingError {
        match self {
            Self::Requests => RingError::RequestsWentBack,
            Self::Responses => RingError::ResponsesWentBack,
        }
    }

    const fn too_many(self) -> RingError {
        match self {
            Self::Requests => RingError::TooManyRequests,
            Self::Responses => RingError::TooManyResponses,
        }
    }
}

/// Puts entries in.
#[derive(Debug)]
pub(crate) struct Producer {
    kind: Kind,
    /// The index of the next entry.
    next: u32,
    /// What the peer has been told: it may look at entries before this one.
    published: u32,
}

impl Producer {
    pub(crate) const fn new(kind: Kind, index: u32) -> Self {
        Self {
            kind,
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
    pub(crate) fn push(&mut self, region: &SharedRegion, geometry: Geometry, entry: &impl Entry) {
        region.write(geometry.offset(self.next), entry.as_bytes());
        self.next = self.next.wrapping_add(1);
    }

    /// Shows the peer all entries up to here, and finds out whether it waits for one of them.
    pub(crate) fn publish(&mut self, region: &SharedRegion) -> Notify {
        let fresh = self.next.wrapping_sub(self.published);
        if fresh == 0 {
            return Notify::NotNeeded;
        }
        region.store_u32(self.kind.producer_offset(), self.next);
        // The peer writes its event index and then looks at our producer index; we do it the other way round. With a full fence on
        // both sides one of us sees the other's write.
        fence(Ordering::SeqCst);
        let event = region.load_u32(self.kind.event_offset());
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
pub(crate) struct Consumer {
    kind: Kind,
    /// The index of the next entry.
    next: u32,
    /// The peer's producer index as it was last read and found possible: `next` never passes it.
    seen: u32,
    broken: Option<RingError>,
}

impl Consumer {
    pub(crate) const fn new(kind: Kind, index: u32) -> Self {
        Self {
            kind,
            next: index,
            seen: index,
            broken: None,
        }
    }

    pub(crate) const fn next(&self) -> u32 {
        self.next
    }

    /// Copies out the next entry, if there is one that the peer may have produced: of `limit` at most from `next` on.
    pub(crate) fn pop<T: Entry>(
        &mut self,
        region: &SharedRegion,
        geometry: Geometry,
        limit: u32,
    ) -> Result<Option<T>, RingError> {
        let Some(index) = self.take(region, limit)? else {
            return Ok(None);
        };
        let mut entry = T::new_zeroed();
        region.read(geometry.offset(index), entry.as_mut_bytes());
        Ok(Some(entry))
    }

    /// Takes the index of an entry, under the same conditions. Reads the peer's index only when all that was seen before is taken.
    fn take(&mut self, region: &SharedRegion, limit: u32) -> Result<Option<u32>, RingError> {
        if let Some(error) = self.broken {
            return Err(error);
        }
        if self.next == self.seen && self.look(region, limit)? == 0 {
            return Ok(None);
        }
        let index = self.next;
        self.next = index.wrapping_add(1);
        Ok(Some(index))
    }

    /// Reads the peer's index once and says how many entries wait.
    pub(crate) fn look(&mut self, region: &SharedRegion, limit: u32) -> Result<u32, RingError> {
        if let Some(error) = self.broken {
            return Err(error);
        }
        let alleged = region.load_u32(self.kind.producer_offset());
        let waiting = alleged.wrapping_sub(self.next);
        let known = self.seen.wrapping_sub(self.next);
        if waiting < known || waiting > limit {
            let forward = alleged.wrapping_sub(self.seen);
            let error = if forward > u32::MAX / 2 {
                self.kind.went_back()
            } else {
                self.kind.too_many()
            };
            self.broken = Some(error);
            return Err(error);
        }
        self.seen = alleged;
        Ok(waiting)
    }

    /// Asks for a notification of the `count`-th entry from here on, and looks whether it came meanwhile.
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
        region.store_u32(self.kind.event_offset(), self.next.wrapping_add(count));
        // See `Producer::publish`.
        fence(Ordering::SeqCst);
        if self.look(region, limit)? >= count {
            return Ok(Armed::Work);
        }
        Ok(Armed::Idle)
    }
}

/// Hands what `pop` finds to `each`, `budget` entries at the most.
pub(crate) fn drain<T>(
    budget: usize,
    mut pop: impl FnMut() -> Result<Option<T>, RingError>,
    mut each: impl FnMut(T),
) -> Result<Drained, RingError> {
    for _ in 0..budget {
        match pop()? {
            Some(entry) => each(entry),
            None => return Ok(Drained::Empty),
        }
    }
    Ok(Drained::More)
}
