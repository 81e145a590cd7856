//! Whether what lives on holds no more than it did.

use std::fmt;

use morgana_hal::DomId;

use crate::{Holdings, Inside, World};

/// After so many looks most tables have their size.
const WARM: u32 = 20;
/// What a domain's heap may grow by from there on: a table may become larger than ever before, and domains get longer numbers. Where that is not
/// enough, it may be so much more once: a B-tree of the same entries has more nodes or fewer, by the order in which they came. What leaks does it again.
const DOMAIN_SLACK_BYTES: usize = 1536;
/// The same of the heap of the whole program, in which the hypervisor's trees are too: they are as large as the most pages that disks ever kept mapped.
const ALL_SLACK_BYTES: usize = 6144;
/// At how many moments of rest to look for one at which all is as it was.
const RESTS: usize = 8;

/// Compares what domains hold, and how much heap the program has in use, each time that all is at rest.
///
/// It never compares what stands in the middle of something: a domain at work has frames, timers and tasks that come and go.
#[derive(Debug)]
pub struct Ledger {
    heap_bytes: fn() -> usize,
    looks: u32,
    before: Vec<Holdings>,
    all_before: usize,
    /// Whose heap has grown once: a domain's, or the whole program's.
    grown: Vec<Option<DomId>>,
}

impl Ledger {
    /// An empty ledger. `heap_bytes` tells how much heap the program has in use.
    pub fn new(heap_bytes: fn() -> usize) -> Self {
        Self {
            heap_bytes,
            looks: 0,
            before: Vec::new(),
            all_before: 0,
            grown: Vec::new(),
        }
    }

    /// Lets the machine come to rest, and compares what `domains` hold with the looks before. Nobody may have more to do on his own account:
    /// guests are to be held.
    ///
    /// # Errors
    ///
    /// [`Growth`]
    pub fn look(&mut self, world: &mut World, domains: &[&Inside]) -> Result<(), Growth> {
        self.looks += 1;
        let mut growth = None;
        for _ in 0..RESTS {
            let now = world.rest(domains, self.heap_bytes);
            if self.looks == 1 {
                self.before = now.holdings;
                return Ok(());
            }
            growth = self.compare(&now, domains);
            if growth.is_none() {
                break;
            }
        }
        match growth {
            Some(growth) if !self.forgives(growth, domains) => Err(growth),
            _ => Ok(()),
        }
    }

    /// Takes the heap that has grown for the first time as what there is from now on.
    fn forgives(&mut self, growth: Growth, domains: &[&Inside]) -> bool {
        let (who, heap_bytes) = match growth {
            Growth::Of(id, before, now) if now.is_back_at(before, 2 * DOMAIN_SLACK_BYTES) => {
                (Some(id), now.heap_bytes)
            }
            Growth::OfHeap(before, now) if now <= before + 2 * ALL_SLACK_BYTES => (None, now),
            _ => return false,
        };
        if self.grown.contains(&who) {
            return false;
        }
        self.grown.push(who);
        let of_domains = domains.iter().zip(&mut self.before);
        match of_domains.filter(|(one, _)| Some(one.id()) == who).last() {
            Some((_, before)) => before.heap_bytes = heap_bytes,
            None => self.all_before = heap_bytes,
        }
        true
    }

    fn compare(&mut self, now: &Rest, domains: &[&Inside]) -> Option<Growth> {
        let warm = self.looks <= WARM;
        let slack = |bytes| if warm { usize::MAX / 2 } else { bytes };
        let pairs = domains.iter().zip(now.holdings.iter().zip(&self.before));
        for (domain, (&now, &before)) in pairs {
            if !now.is_back_at(before, slack(DOMAIN_SLACK_BYTES)) {
                return Some(Growth::Of(domain.id(), before, now));
            }
        }
        if now.heap_bytes > self.all_before + slack(ALL_SLACK_BYTES) {
            return Some(Growth::OfHeap(self.all_before, now.heap_bytes));
        }
        if warm {
            (self.before, self.all_before) = (now.holdings.clone(), now.heap_bytes);
        }
        None
    }
}

/// What there is at a moment of rest.
pub(crate) struct Rest {
    pub(crate) holdings: Vec<Holdings>,
    pub(crate) heap_bytes: usize,
}

/// What is more, or less, than it was.
#[derive(Clone, Copy, Debug)]
pub enum Growth {
    /// What a domain holds: before, and now.
    Of(DomId, Holdings, Holdings),
    /// The heap of the program: before, and now, in bytes.
    OfHeap(usize, usize),
}

impl fmt::Display for Growth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Of(domain, before, now) => write!(f, "{domain} had {before:?}, has {now:?}"),
            Self::OfHeap(before, now) => write!(f, "the heap had {before} bytes, has {now}"),
        }
    }
}

impl std::error::Error for Growth {}
