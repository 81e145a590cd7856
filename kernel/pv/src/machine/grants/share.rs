//! Own pages that a peer may use.
//!
//! Pages that the peer still has mapped when we are done with them cannot be used for anything else: they wait in quarantine until
//! the peer lets go (or dies, upon which Xen lets go for it).

extern crate alloc;

use alloc::vec::Vec;
use core::cell::{Cell, RefCell};

use morgana_hal::{DomId, GrantRef, MemoryError, Pages, ReadOnlyPages, SharedPages, SharedRegion};

use super::table::{self, Access};
use crate::machine::memory::PageRun;
use crate::machine::one_cpu::OneCpu;

static QUARANTINE: OneCpu<RefCell<Vec<Granted>>> = OneCpu::new(RefCell::new(Vec::new()));
/// Pages that even the quarantine had no memory for.
static LOST: OneCpu<Cell<usize>> = OneCpu::new(Cell::new(0));

/// Pages and the grants that are still valid for them.
#[derive(Debug)]
struct Granted {
    /// Before `run` goes, all of these must have been released.
    grants: Vec<GrantRef>,
    run: PageRun,
}

impl Granted {
    fn new(peer: DomId, pages: usize, access: Access) -> Result<Self, MemoryError> {
        sweep();
        let run = PageRun::new(pages).map_err(|_| MemoryError::OutOfMemory)?;
        let mut grants = Vec::new();
        grants
            .try_reserve_exact(pages)
            .map_err(|_| MemoryError::OutOfMemory)?;
        // From here on a failure drops `granted`, which releases what was claimed.
        let mut granted = Owned(Some(Self { grants, run }));
        if let Some(Self { grants, run }) = &mut granted.0 {
            for frame in run.frames() {
                grants.push(table::claim(peer, frame, access)?);
            }
        }
        granted.0.take().ok_or(MemoryError::OutOfMemory)
    }

    /// Releases what the peer has let go.
    fn release(&mut self) {
        self.grants.retain(|&grant| table::release(grant).is_err());
    }
}

/// A `Granted` that goes to quarantine if it must.
#[derive(Debug)]
struct Owned(Option<Granted>);

impl Drop for Owned {
    fn drop(&mut self) {
        let Some(mut granted) = self.0.take() else {
            return;
        };
        granted.release();
        if granted.grants.is_empty() {
            return;
        }
        let mut quarantine = QUARANTINE.borrow_mut();
        if quarantine.try_reserve(1).is_ok() {
            quarantine.push(granted);
        } else {
            LOST.set(LOST.get() + granted.grants.len());
            // Never to be used again.
            core::mem::forget(granted);
        }
    }
}

/// Frees the pages in quarantine that their peers have let go by now.
fn sweep() {
    QUARANTINE.borrow_mut().retain_mut(|granted| {
        granted.release();
        !granted.grants.is_empty()
    });
}

/// Pages that peers have not let go.
pub(in crate::machine) fn quarantined_pages() -> usize {
    sweep();
    let waiting: usize = QUARANTINE
        .borrow()
        .iter()
        .map(|granted| granted.grants.len())
        .sum();
    waiting + LOST.get()
}

/// Pages that a peer may read and write.
#[derive(Debug)]
pub struct PvShared {
    region: SharedRegion,
    owned: Owned,
}

impl PvShared {
    pub(super) fn new(peer: DomId, pages: usize) -> Result<Self, MemoryError> {
        let granted = Granted::new(peer, pages, Access::ReadWrite)?;
        // SAFETY: the pages are mapped and ours as long as `granted` lives, which is as long as this region does; nothing else
        // refers to them; pages are aligned.
        let region = unsafe { SharedRegion::from_raw(granted.run.base(), granted.run.len()) };
        Ok(Self {
            region,
            owned: Owned(Some(granted)),
        })
    }
}

// SAFETY: `region` is never changed, and the pages are `owned` until the value is dropped, wherever it is moved.
unsafe impl Pages for PvShared {
    fn region(&self) -> &SharedRegion {
        &self.region
    }
}

impl SharedPages for PvShared {
    fn grants(&self) -> &[GrantRef] {
        self.owned.grants()
    }
}

/// Pages that a peer may only read.
#[derive(Debug)]
pub struct PvReadOnly(Owned);

impl PvReadOnly {
    pub(super) fn new(peer: DomId, pages: usize) -> Result<Self, MemoryError> {
        Granted::new(peer, pages, Access::ReadOnly).map(|granted| Self(Owned(Some(granted))))
    }
}

impl ReadOnlyPages for PvReadOnly {
    fn grants(&self) -> &[GrantRef] {
        self.0.grants()
    }

    fn bytes(&self) -> &[u8] {
        self.0.0.as_ref().map_or(&[], |granted| {
            // SAFETY: the pages are initialised (zeroed at first), ours as long as `self` lives, written by us alone, and a
            // `&mut` to them needs `&mut self`.
            unsafe { core::slice::from_raw_parts(granted.run.base().as_ptr(), granted.run.len()) }
        })
    }

    fn bytes_mut(&mut self) -> &mut [u8] {
        self.0.0.as_mut().map_or(&mut [], |granted| {
            // SAFETY: as for `bytes`; the borrow of `self` is exclusive. The peer reads racing with our writes may see either;
            // that is outside of this program.
            unsafe {
                core::slice::from_raw_parts_mut(granted.run.base().as_ptr(), granted.run.len())
            }
        })
    }
}

impl Owned {
    fn grants(&self) -> &[GrantRef] {
        self.0.as_ref().map_or(&[], |granted| &granted.grants)
    }
}
