//! What each domain has used up at most, and where it met its limits.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::fmt;

use morgana_hal::DomId;
use morgana_xenstore_wire::Errno;

use crate::host::{Host, MemoryLeft};
use crate::quota::{Quota, Resource, exceeds};

const RESOURCES: usize = Resource::ALL.len();

/// Something that the daemon's log should have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Notice {
    /// A guest was refused something, so many times by now. Told of the first time, the second, the fourth and so on.
    Refused {
        /// The guest.
        domain: DomId,
        /// What it has no more of.
        resource: Resource,
        /// What it may have.
        limit: usize,
        /// How often it was refused that.
        times: u64,
    },
    /// A guest's memory went over what calls for attention, so many times by now; told of as [`Notice::Refused`] is.
    Soft {
        /// The guest.
        domain: DomId,
        /// What calls for attention, in bytes.
        limit: usize,
        /// How often it went over it.
        times: u64,
    },
    /// Somebody was refused more memory, since there is too little left, so many times by now; told of as [`Notice::Refused`] is.
    Exhausted {
        /// Who was refused it.
        domain: DomId,
        /// How often.
        times: u64,
    },
    /// A transaction was open while so much changed that its snapshot was given up; it ends with `EAGAIN`.
    Stale {
        /// Whose it was.
        domain: DomId,
    },
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (domain, limit, times, what) = match self {
            Self::Refused {
                domain,
                resource,
                limit,
                times,
            } => (domain, limit, times, *resource),
            Self::Soft {
                domain,
                limit,
                times,
            } => (domain, limit, times, Resource::SoftMemory),
            Self::Exhausted { domain, times } => {
                return write!(
                    f,
                    "memory is short: {domain} gets no more of it{}",
                    Times(*times)
                );
            }
            Self::Stale { domain } => {
                return write!(
                    f,
                    "{domain} has had a transaction open for too many changes: it will have to try again"
                );
            }
        };
        write!(
            f,
            "{domain} is over its quota of {what} ({limit}){}",
            Times(*times)
        )
    }
}

/// How often something has happened, at the end of a sentence.
struct Times(u64);

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            1 => Ok(()),
            times => write!(f, ", for the {times}th time"),
        }
    }
}

/// The books of all domains.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    domains: BTreeMap<DomId, Record>,
    peaks: [usize; RESOURCES],
    notices: Vec<Notice>,
}

#[derive(Debug, Default)]
struct Record {
    peaks: [usize; RESOURCES],
    refusals: [u64; RESOURCES],
    /// How often there was no memory left for it.
    without_memory: u64,
    is_over_soft: bool,
}

impl Ledger {
    /// What came up since last asked.
    pub(crate) fn take_notices(&mut self) -> Vec<Notice> {
        core::mem::take(&mut self.notices)
    }

    pub(crate) fn notice(&mut self, notice: Notice) {
        self.notices.push(notice);
    }

    pub(crate) fn forget(&mut self, domain: DomId) {
        self.domains.remove(&domain);
    }

    /// The most that a domain had at a time.
    pub(crate) fn peak_of(&self, domain: DomId, resource: Resource) -> usize {
        let record = self.domains.get(&domain);
        record.map_or(0, |record| record.peaks[resource as usize])
    }

    /// The most that any guest had at a time.
    pub(crate) fn peak(&self, resource: Resource) -> usize {
        self.peaks[resource as usize]
    }

    pub(crate) fn reset_peaks(&mut self) {
        self.peaks = Default::default();
        for record in self.domains.values_mut() {
            record.peaks = Default::default();
        }
    }
}

/// Says yes or no to one caller.
#[derive(Debug)]
pub(crate) struct Meter<'a> {
    pub(crate) domain: DomId,
    /// `None` is no limits.
    pub(crate) quota: Option<&'a Quota>,
    pub(crate) ledger: &'a mut Ledger,
}

impl Meter<'_> {
    /// Whether the caller may have `wanted` of it in all.
    ///
    /// # Errors
    ///
    /// What the caller shall hear.
    pub(crate) fn admit(&mut self, resource: Resource, wanted: usize) -> Result<(), Errno> {
        let Some(quota) = self.quota else {
            return Ok(());
        };
        let record = self.ledger.domains.entry(self.domain).or_default();
        let limit = quota.limit(resource);
        if exceeds(limit, wanted) {
            let times = &mut record.refusals[resource as usize];
            *times += 1;
            if times.is_power_of_two() {
                self.ledger.notices.push(Notice::Refused {
                    domain: self.domain,
                    resource,
                    limit,
                    times: *times,
                });
            }
            return Err(resource.errno());
        }
        let index = resource as usize;
        record.peaks[index] = record.peaks[index].max(wanted);
        self.ledger.peaks[index] = self.ledger.peaks[index].max(wanted);
        if resource == Resource::Memory {
            self.look_at_soft_limit(quota.soft_memory_bytes, wanted);
        }
        Ok(())
    }

    /// Whether there is memory left for the caller.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn room(&mut self, host: &dyn Host) -> Result<(), Errno> {
        let is_enough = match host.memory_left() {
            MemoryLeft::Enough => true,
            MemoryLeft::Short => self.quota.is_none(),
            MemoryLeft::Exhausted => false,
        };
        if is_enough {
            return Ok(());
        }
        let domain = self.domain;
        let times = &mut self
            .ledger
            .domains
            .entry(domain)
            .or_default()
            .without_memory;
        *times += 1;
        if times.is_power_of_two() {
            let times = *times;
            self.ledger
                .notices
                .push(Notice::Exhausted { domain, times });
        }
        Err(Errno::NoMemory)
    }

    fn look_at_soft_limit(&mut self, limit: usize, bytes: usize) {
        let domain = self.domain;
        let record = self.ledger.domains.entry(domain).or_default();
        let was_over = record.is_over_soft;
        record.is_over_soft = exceeds(limit, bytes);
        if !record.is_over_soft || was_over {
            return;
        }
        let times = &mut record.refusals[Resource::SoftMemory as usize];
        *times += 1;
        if times.is_power_of_two() {
            let times = *times;
            self.ledger.notices.push(Notice::Soft {
                domain,
                limit,
                times,
            });
        }
    }
}
