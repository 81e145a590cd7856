//! The requests under way, for as long as the device lives: connections come and go, and what has no answer is sent again.
//!
//! Invariants: an entry's pages belong to it alone until it is released; an entry is released when it is done and its user has taken the
//! outcome or is gone. `unsent` holds the entries that are not wholly on a ring, in the order in which they were asked for.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::task::{Context, Poll, Waker};

use morgana_block::{BlockError, Discard};
use morgana_ring::{SlotError, Slots};

use crate::pool::{Chain, Pool};
use crate::{Config, Request, Stats, Violation};

/// A request under way. It is good until its outcome is taken, or it is detached.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ticket(pub(crate) u16);

/// What a request does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Action {
    Read,
    Write,
    Flush,
    Discard(Discard),
}

#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) action: Action,
    /// In sectors of 512 bytes.
    pub(crate) sector: u64,
    pub(crate) sectors: u64,
    pub(crate) pages: Chain,
    /// How many of `pages` are on a ring or answered, and the page after those.
    pub(crate) sent: usize,
    pub(crate) cursor: u16,
    /// Pages of segments.
    pub(crate) indirect: Chain,
    /// Requests on rings without response.
    pub(crate) pieces: usize,
    /// Whether all of it is on a ring.
    pub(crate) all_sent: bool,
    /// The bytes of a write, while there is no connection whose pages hold them.
    pub(crate) saved: Option<Vec<u8>>,
    serial: u64,
    failure: Option<BlockError>,
    user: User,
}

#[derive(Debug)]
enum User {
    /// It is there, and perhaps waits.
    There(Option<Waker>),
    /// Nobody wants to know the outcome.
    Gone,
}

impl Entry {
    fn is_done(&self) -> bool {
        self.all_sent && self.pieces == 0
    }

    /// Has everything sent anew.
    fn rewind(&mut self) {
        (self.sent, self.cursor) = (0, self.pages.first().unwrap_or(0));
        (self.pieces, self.all_sent, self.failure) = (0, false, None);
    }
}

/// The requests under way, and the pages that they use.
#[derive(Debug)]
pub struct Table {
    pub(crate) slots: Slots<Entry>,
    pub(crate) pool: Pool,
    pub(crate) unsent: VecDeque<u16>,
    serial: u64,
    /// Set when something was released, so that there may be room.
    freed: bool,
    /// The device is gone for good: nothing will be answered.
    gone: bool,
}

impl Table {
    /// An empty table.
    pub fn new(config: &Config) -> Self {
        let config = config.clamped();
        let requests = config.requests();
        Self {
            slots: Slots::new(requests),
            // At most 16,384.
            pool: Pool::new(config.pool_pages as u16),
            unsent: VecDeque::with_capacity(requests),
            serial: 0,
            freed: false,
            gone: false,
        }
    }

    /// How many requests are in it, those with an outcome that nobody has taken included.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// How many requests wait for their answer.
    pub fn waiting(&self) -> usize {
        self.slots
            .iter()
            .filter(|(_, entry)| !entry.is_done())
            .count()
    }

    /// Adds a request to the end of `unsent`. `None` without room for it.
    pub(crate) fn add(&mut self, request: &Request<'_>) -> Option<Ticket> {
        if self.slots.is_full() {
            return None;
        }
        let bytes = request.bytes();
        let pages = self.pool.take(bytes.div_ceil(morgana_hal::PAGE_SIZE))?;
        let (action, sector, sectors) = match *request {
            Request::Read { sector, .. } => (Action::Read, sector, sectors(bytes)),
            Request::Write { sector, .. } => (Action::Write, sector, sectors(bytes)),
            Request::Flush => (Action::Flush, 0, 0),
            Request::Discard {
                sector,
                sectors,
                how,
            } => (Action::Discard(how), sector, sectors),
        };
        let cursor = pages.first().unwrap_or(0);
        self.serial += 1;
        let entry = Entry {
            action,
            sector,
            sectors,
            pages,
            sent: 0,
            cursor,
            indirect: Chain::default(),
            pieces: 0,
            all_sent: false,
            saved: None,
            serial: self.serial,
            failure: None,
            user: User::There(None),
        };
        match self.slots.insert(entry) {
            Ok(id) => {
                self.unsent.push_back(id);
                Some(Ticket(id))
            }
            // There is room, as was seen above.
            Err(entry) => {
                self.pool.give(entry.pages);
                None
            }
        }
    }

    /// Takes in an answer to one piece of a request.
    pub(crate) fn answer(
        &mut self,
        id: u64,
        answer: Result<(), BlockError>,
        stats: &mut Stats,
    ) -> Result<(), Violation> {
        let id = u16::try_from(id).map_err(|_| Violation::Id(SlotError::Unknown))?;
        let entry = self.slots.value_mut(id).map_err(Violation::Id)?;
        if entry.pieces == 0 {
            return Err(Violation::Unasked);
        }
        entry.pieces -= 1;
        if let Err(error) = answer {
            entry.failure.get_or_insert(error);
        }
        if !entry.is_done() {
            return Ok(());
        }
        count(entry, stats);
        match &mut entry.user {
            User::There(waker) => {
                if let Some(waker) = waker.take() {
                    waker.wake();
                }
            }
            User::Gone => {
                stats.detached += 1;
                self.release(id);
            }
        }
        Ok(())
    }

    /// The outcome of a request, once it is there; until then the waker is kept. The ticket stays good.
    pub(crate) fn poll_outcome(
        &mut self,
        ticket: Ticket,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), BlockError>> {
        if self.gone {
            return Poll::Ready(Err(BlockError::Gone));
        }
        let Ok(entry) = self.slots.value_mut(ticket.0) else {
            return Poll::Ready(Err(BlockError::Gone));
        };
        if entry.is_done() {
            return Poll::Ready(entry.failure.map_or(Ok(()), Err));
        }
        if let User::There(waker) = &mut entry.user {
            match waker {
                Some(known) => known.clone_from(cx.waker()),
                None => *waker = Some(cx.waker().clone()),
            }
        }
        Poll::Pending
    }

    /// Whether the outcome is there, and what it is.
    pub fn outcome(&self, ticket: Ticket) -> Option<Result<(), BlockError>> {
        let entry = self.slots.value(ticket.0).ok()?;
        entry.is_done().then(|| entry.failure.map_or(Ok(()), Err))
    }

    /// The user of a ticket leaves: what is done is released, what is not is let run.
    pub fn detach(&mut self, ticket: Ticket) {
        let Ok(entry) = self.slots.value_mut(ticket.0) else {
            return;
        };
        entry.user = User::Gone;
        if entry.is_done() || self.gone {
            self.release(ticket.0);
        }
    }

    /// Whether something was released since this was last asked.
    pub(crate) fn take_freed(&mut self) -> bool {
        core::mem::take(&mut self.freed)
    }

    /// The connection is gone: has everything that has no answer sent anew, in the order in which it was asked for. What was read but not yet
    /// fetched is gone with the connection's pages, and is read again. `save` is given each write, and returns its bytes.
    pub(crate) fn park(&mut self, mut save: impl FnMut(&Pool, &Entry) -> Vec<u8>) {
        let mut order: Vec<(u64, u16)> = Vec::new();
        for (id, entry) in self.slots.iter() {
            let lost = entry.action == Action::Read && entry.failure.is_none();
            if !entry.is_done() || lost {
                order.push((entry.serial, id));
            }
        }
        order.sort_unstable();
        self.unsent.clear();
        for (_, id) in order {
            let Ok(entry) = self.slots.value_mut(id) else {
                continue;
            };
            entry.rewind();
            if entry.action == Action::Write && entry.saved.is_none() {
                entry.saved = Some(save(&self.pool, entry));
            }
            let indirect = core::mem::take(&mut entry.indirect);
            self.pool.give(indirect);
            self.unsent.push_back(id);
        }
    }

    /// The device does not come back: everyone learns.
    pub(crate) fn abandon(&mut self) {
        self.gone = true;
        self.unsent.clear();
        let ids: Vec<u16> = self.slots.iter().map(|(id, _)| id).collect();
        for id in ids {
            let Ok(entry) = self.slots.value_mut(id) else {
                continue;
            };
            match &mut entry.user {
                User::There(waker) => {
                    if let Some(waker) = waker.take() {
                        waker.wake();
                    }
                }
                User::Gone => self.release(id),
            }
        }
        self.freed = true;
    }

    fn release(&mut self, id: u16) {
        if let Ok(entry) = self.slots.remove(id) {
            self.pool.give(entry.pages);
            self.pool.give(entry.indirect);
            self.unsent.retain(|&unsent| unsent != id);
            self.freed = true;
        }
    }
}

fn sectors(bytes: usize) -> u64 {
    (bytes / morgana_blkif::SECTOR_SIZE) as u64
}

fn count(entry: &Entry, stats: &mut Stats) {
    let bytes = entry
        .sectors
        .wrapping_mul(morgana_blkif::SECTOR_SIZE as u64);
    match (entry.failure, entry.action) {
        (Some(_), _) => stats.errors += 1,
        (None, Action::Read) => {
            stats.reads += 1;
            stats.read_bytes += bytes;
        }
        (None, Action::Write) => {
            stats.writes += 1;
            stats.written_bytes += bytes;
        }
        (None, Action::Flush) => stats.flushes += 1,
        (None, Action::Discard(_)) => stats.discards += 1,
    }
}
