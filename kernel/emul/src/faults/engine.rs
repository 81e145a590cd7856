//! Finds the moment of each fault.

use std::collections::BTreeMap;

use core::fmt;

use morgana_hal::{DomId, Instant};

use super::{Fault, FaultPlan, Trouble};

/// How many strikes are remembered.
const MAX_STRUCK: usize = 1024;

/// What is counted, for each domain apart.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Operation {
    Hypercall,
    Share,
    Map,
    OpenPort,
    Event,
    XenstoreEvent,
}

/// A fault that has happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Struck {
    /// When, on the machine's clock.
    pub when: Instant,
    /// Which.
    pub fault: Fault,
}

impl fmt::Display for Struck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (after {} ns)", self.fault, self.when.as_nanos())
    }
}

/// A plan under way.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    plan: FaultPlan,
    counts: BTreeMap<(DomId, Operation), u64>,
    struck: Vec<Struck>,
}

impl Faults {
    pub(crate) fn new(plan: FaultPlan) -> Self {
        Self {
            plan,
            ..Self::default()
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.plan.is_empty()
    }

    pub(crate) fn plan(&self) -> &FaultPlan {
        &self.plan
    }

    pub(crate) fn struck(&self) -> &[Struck] {
        &self.struck
    }

    /// Counts an operation of `domain`, and says what goes wrong with it.
    pub(crate) fn count(
        &mut self,
        domain: DomId,
        operation: Operation,
        now: Instant,
    ) -> Option<Trouble> {
        if self.is_empty() {
            return None;
        }
        let count = self.counts.entry((domain, operation)).or_default();
        *count += 1;
        let nth = *count;
        let faults = self.plan.faults().iter();
        let fault = *faults
            .filter(|fault| fault.domain == domain && fault.trouble.counted() == operation)
            .find(|fault| fault.strikes_at(nth))?;
        if self.struck.len() < MAX_STRUCK {
            self.struck.push(Struck { when: now, fault });
        }
        Some(fault.trouble)
    }
}
