//! Pages of a front end that stay mapped (persistent grants).
//!
//! The references are promises of the front end: as long as one is kept here, it means the page that it meant when it was mapped. A front end that
//! gives it another meaning has its bytes moved to and from the old page, which is its own and stays so until it is unmapped: it spoils its own data.

use alloc::collections::BTreeMap;

use morgana_hal::{DomId, GrantRef, Memory, Pages, SharedRegion};

/// When the table is full, what was not used among this many times its limit of uses gives way. A front end that goes round more pages than
/// there is room for does not have them mapped and unmapped all the time: those that do not fit are copied.
const ROUNDS: u64 = 4;

/// After a page that could not be mapped, so many others are not tried: a front end that grants what cannot be mapped costs no more than one that
/// promises nothing.
const PAUSE: u64 = 64;

/// The table of one queue.
pub(crate) struct Kept<M: Memory> {
    limit: usize,
    pages: BTreeMap<GrantRef, Page<M::Imported>>,
    /// How often a page was asked for: the time in which the rest is measured.
    uses: u64,
    /// When the table was last tidied.
    tidied: u64,
    /// When mapping is tried again.
    resume: u64,
    mapped: u64,
}

struct Page<I> {
    page: I,
    /// When it was last used.
    used: u64,
}

impl<M: Memory> Kept<M> {
    /// An empty table for `limit` pages.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit,
            pages: BTreeMap::new(),
            uses: 0,
            tidied: 0,
            resume: 0,
            mapped: 0,
        }
    }

    /// How many pages are mapped.
    pub(crate) fn len(&self) -> usize {
        self.pages.len()
    }

    /// How many were mapped so far.
    pub(crate) fn mapped(&self) -> u64 {
        self.mapped
    }

    /// The page of `peer` that `gref` names, if it is mapped or can be: else it is to be copied.
    pub(crate) fn page(
        &mut self,
        memory: &M,
        peer: DomId,
        gref: GrantRef,
    ) -> Option<&SharedRegion> {
        if self.limit == 0 {
            return None;
        }
        self.uses += 1;
        if !self.pages.contains_key(&gref) {
            self.map(memory, peer, gref);
        }
        let page = self.pages.get_mut(&gref)?;
        page.used = self.uses;
        Some(page.page.region())
    }

    fn map(&mut self, memory: &M, peer: DomId, gref: GrantRef) {
        if self.uses < self.resume || !self.has_room() {
            return;
        }
        match memory.import(peer, &[gref]) {
            Ok(page) => {
                let used = self.uses;
                self.pages.insert(gref, Page { page, used });
                self.mapped += 1;
            }
            // It is only to be read, is none at all, or there is no address space: the copy tells what to answer.
            Err(_) => self.resume = self.uses + PAUSE,
        }
    }

    /// Whether there is room for one page more, after the least recently used ones have made some.
    fn has_room(&mut self) -> bool {
        let round = ROUNDS * self.limit as u64;
        if self.pages.len() >= self.limit && self.uses - self.tidied > round {
            let oldest = self.uses - round;
            self.pages.retain(|_, page| page.used >= oldest);
            self.tidied = self.uses;
        }
        self.pages.len() < self.limit
    }
}
