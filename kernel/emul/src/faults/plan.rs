//! Faults as data: made by hand or from a seed, printed, and the same in every replay.

use core::fmt;
use core::num::NonZeroU64;
use core::time::Duration;

use morgana_hal::DomId;

use super::Operation;
use crate::random::SplitMix64;

/// What goes wrong. Each variant says what is counted to find its moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trouble {
    /// An event to the domain does not come. Counted are events to the domain, but for those of its xenstore ring.
    LostEvent,
    /// An event to the domain comes so much later. Counted as for [`LostEvent`](Self::LostEvent).
    LateEvent(Duration),
    /// An event to the domain comes, and comes again so much later. Counted as for [`LostEvent`](Self::LostEvent).
    RepeatedEvent(Duration),
    /// With an event to the domain, all its other open ports get one too. Counted as for [`LostEvent`](Self::LostEvent).
    SpuriousEvents,
    /// An event of the domain's xenstore ring comes so much later. Counted are those to the domain and those to its server.
    LateXenstore(Duration),
    /// The grant table is full (`NoFreeGrant`). Counted are the calls that share pages.
    FullGrants,
    /// There is no memory (`OutOfMemory`). Counted as for [`FullGrants`](Self::FullGrants).
    NoMemory,
    /// No more pages can be mapped (`NoAddressSpace`). Counted are the pages of peers that it maps.
    FullMappings,
    /// The port table is full (`NoFreePort`). Counted are the calls that listen, connect or bind a virtual interrupt.
    FullPorts,
    /// The domain is killed. Counted are its hypercalls; the one that is its last does nothing any more.
    Death,
}

impl Trouble {
    pub(crate) fn counted(self) -> Operation {
        match self {
            Self::LostEvent
            | Self::LateEvent(_)
            | Self::RepeatedEvent(_)
            | Self::SpuriousEvents => Operation::Event,
            Self::LateXenstore(_) => Operation::XenstoreEvent,
            Self::FullGrants | Self::NoMemory => Operation::Share,
            Self::FullMappings => Operation::Map,
            Self::FullPorts => Operation::OpenPort,
            Self::Death => Operation::Hypercall,
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LostEvent => f.write_str("lost event"),
            Self::LateEvent(by) => write!(f, "event late by {by:?}"),
            Self::RepeatedEvent(after) => write!(f, "event again after {after:?}"),
            Self::SpuriousEvents => f.write_str("spurious events"),
            Self::LateXenstore(by) => write!(f, "xenstore late by {by:?}"),
            Self::FullGrants => f.write_str("full grant table"),
            Self::NoMemory => f.write_str("no memory to share"),
            Self::FullMappings => f.write_str("no room to map"),
            Self::FullPorts => f.write_str("full port table"),
            Self::Death => f.write_str("death"),
        }
    }
}

/// One trouble of one domain, and when.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fault {
    /// Whose trouble.
    pub domain: DomId,
    /// What goes wrong.
    pub trouble: Trouble,
    /// At the how many-th of what the trouble counts, from when the plan is given on.
    pub at: NonZeroU64,
    /// At how many of them in a row.
    pub times: u64,
}

impl Fault {
    /// `trouble` once, at the `at`-th of what it counts.
    ///
    /// # Panics
    ///
    /// If `at` is 0: the first is number 1.
    #[track_caller]
    pub const fn new(domain: DomId, trouble: Trouble, at: u64) -> Self {
        let Some(at) = NonZeroU64::new(at) else {
            panic!("the first is number 1")
        };
        Self {
            domain,
            trouble,
            at,
            times: 1,
        }
    }

    /// The same, so many times in a row.
    pub const fn times(self, times: u64) -> Self {
        Self { times, ..self }
    }

    /// Whether it strikes at the `nth` of what it counts.
    pub(crate) fn strikes_at(&self, nth: u64) -> bool {
        nth.checked_sub(self.at.get())
            .is_some_and(|after| after < self.times)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            domain,
            trouble,
            at,
            times,
        } = self;
        write!(f, "{domain}: {trouble} at {at}")?;
        match times {
            1 => Ok(()),
            times => write!(f, ", {times} times"),
        }
    }
}

/// All that goes wrong in a run.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FaultPlan {
    seed: Option<u64>,
    faults: Vec<Fault>,
}

/// What a seed chooses among.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Odds {
    /// Whose troubles.
    pub domains: Vec<DomId>,
    /// Which.
    pub troubles: Vec<Trouble>,
    /// How many faults there are to be.
    pub faults: usize,
    /// Each strikes at this many-th of what it counts, at the latest.
    pub within: NonZeroU64,
}

impl FaultPlan {
    /// Nothing goes wrong.
    pub fn new() -> Self {
        Self::default()
    }

    /// What `seed` makes of `odds`. The same seed and odds give the same plan.
    pub fn random(seed: u64, odds: &Odds) -> Self {
        let mut random = SplitMix64::new(seed);
        let (domains, troubles) = (&odds.domains, &odds.troubles);
        let count = match domains.is_empty() || troubles.is_empty() {
            true => 0,
            false => odds.faults,
        };
        let faults = (0..count).map(|_| {
            let domain = domains[random.below(domains.len())];
            let trouble = troubles[random.below(troubles.len())];
            let at = 1 + random.next_u64() % odds.within;
            Fault::new(domain, trouble, at)
        });
        Self {
            faults: faults.collect(),
            seed: Some(seed),
        }
    }

    /// With one more fault.
    #[must_use]
    pub fn with(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }

    /// The faults, in the order in which they were added. Where two strike at once, the first wins.
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// Whether nothing goes wrong.
    pub fn is_empty(&self) -> bool {
        self.faults.is_empty()
    }
}

impl fmt::Display for FaultPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("no faults");
        }
        if let Some(seed) = self.seed {
            write!(f, "faults of seed {seed}: ")?;
        }
        for (number, fault) in self.faults.iter().enumerate() {
            let separator = if number == 0 { "" } else { "; " };
            write!(f, "{separator}{fault}")?;
        }
        Ok(())
    }
}
