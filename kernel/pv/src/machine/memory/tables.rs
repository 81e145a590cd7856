//! Walking and changing the page tables.
//!
//! Invariants: `ROOT` is the level 4 table in use. Every table is one of our own pages, in the mapped part of the linear map,
//! read-only. Entries change only through Xen (`update_tables`).

use core::cell::Cell;
use core::ptr;

use morgana_abi::mmu::{
    PTE_ACCESSED, PTE_DIRTY, PTE_FRAME_MASK, PTE_NO_EXECUTE, PTE_PRESENT, PTE_WRITE,
};
use morgana_abi::start_info::StartInfo;
use morgana_abi::{PAGE_SHIFT, mmu};
use morgana_hal::{DomId, Mfn, Pfn};

use super::MapError;
use super::p2m::{mfn_of, pfn_at, pfn_of, virtual_address};
use crate::machine::hypercall::{self, TableUpdate};
use crate::machine::one_cpu::OneCpu;

static ROOT: OneCpu<Cell<Pfn>> = OneCpu::new(Cell::new(Pfn::new(0)));
static NO_EXECUTE: OneCpu<Cell<u64>> = OneCpu::new(Cell::new(0));

/// Memory behind one level 1 table.
pub(super) const CHUNK: usize = 2 << 20;

/// A table's level; level 1 entries name pages.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Level {
    One = 1,
    Two = 2,
    Three = 3,
    Four = 4,
}

/// A place in a table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    pub(super) table: Pfn,
    index: usize,
}

impl Slot {
    /// What is there now.
    pub(super) fn entry(self) -> u64 {
        let table = ptr::with_exposed_provenance::<u64>(virtual_address(self.table));
        // SAFETY: `table` is a page table in the mapped part of the linear map (module invariant), `index` is below 512. The
        // processor sets bits in it at any time, hence volatile.
        unsafe { table.add(self.index).read_volatile() }
    }

    /// The change of this place to `entry`.
    pub(super) fn update(self, entry: u64) -> TableUpdate {
        // A table is one of our pages (module invariant), so it has a frame.
        let frame = mfn_of(self.table).map_or(0, Mfn::number);
        TableUpdate {
            ptr: (frame << PAGE_SHIFT) + (self.index as u64) * 8 + mmu::MMU_NORMAL_PT_UPDATE,
            val: entry,
        }
    }
}

/// Notes the root, and whether the processor can forbid execution.
pub(super) fn init(start_info: &StartInfo) {
    // xen.h: `pt_base` is the virtual address of the page directory, inside the linear map.
    ROOT.set(pfn_at(start_info.pt_base as usize).unwrap_or(Pfn::new(0)));
    // Intel SDM vol. 2, CPUID leaf 80000001H: EDX bit 20. Without it Xen refuses entries that have the bit set.
    let can_forbid = core::arch::x86_64::__cpuid(0x8000_0001).edx & (1 << 20) != 0;
    NO_EXECUTE.set(if can_forbid { PTE_NO_EXECUTE } else { 0 });
}

/// The place that decides about `address` at `level`, or the level whose table is missing.
pub(super) fn slot(address: usize, level: Level) -> Result<Slot, Level> {
    let mut table = ROOT.get();
    for above in [Level::Four, Level::Three, Level::Two, Level::One] {
        let index = address >> (PAGE_SHIFT as usize + 9 * (above as usize - 1)) & 511;
        let slot = Slot { table, index };
        if above == level {
            return Ok(slot);
        }
        let below = match above {
            Level::Four => Level::Three,
            Level::Three => Level::Two,
            _ => Level::One,
        };
        table = frame_in(slot.entry()).and_then(pfn_of).ok_or(below)?;
    }
    Err(Level::One)
}

/// The frame in an entry that is present.
pub(super) fn frame_in(entry: u64) -> Option<Mfn> {
    (entry & PTE_PRESENT != 0).then(|| Mfn::new((entry & PTE_FRAME_MASK) >> PAGE_SHIFT))
}

/// The "no execute" bit, or 0 where the processor has none.
pub(super) fn no_execute() -> u64 {
    NO_EXECUTE.get()
}

/// An entry for data.
pub(super) fn data_entry(frame: Mfn) -> u64 {
    frame.number() << PAGE_SHIFT | PTE_PRESENT | PTE_WRITE | PTE_ACCESSED | PTE_DIRTY | no_execute()
}

/// An entry for what is only read.
pub(super) fn constant_entry(frame: Mfn) -> u64 {
    frame.number() << PAGE_SHIFT | PTE_PRESENT | PTE_ACCESSED | no_execute()
}

/// An entry for code.
pub(super) fn code_entry(frame: Mfn) -> u64 {
    frame.number() << PAGE_SHIFT | PTE_PRESENT | PTE_ACCESSED
}

/// An entry that names a table.
pub(super) fn table_entry(frame: Mfn) -> u64 {
    frame.number() << PAGE_SHIFT | PTE_PRESENT | PTE_WRITE | PTE_ACCESSED
}

/// Collects changes and hands them to Xen many at a time.
pub(super) struct Batch {
    updates: [TableUpdate; Self::SIZE],
    len: usize,
}

impl Batch {
    const SIZE: usize = 128;

    pub(super) fn new() -> Self {
        Self {
            updates: [TableUpdate { ptr: 0, val: 0 }; Self::SIZE],
            len: 0,
        }
    }

    /// Adds a change; may hand over all so far.
    ///
    /// # Safety
    ///
    /// No page that Rust code uses loses the access that this code needs, no frame becomes writable that is referenced as
    /// immutable, and the frame is our own.
    pub(super) unsafe fn push(&mut self, update: TableUpdate) -> Result<(), MapError> {
        if self.len == Self::SIZE {
            self.flush()?;
        }
        self.updates[self.len] = update;
        self.len += 1;
        Ok(())
    }

    /// Hands over what is left.
    pub(super) fn flush(&mut self) -> Result<(), MapError> {
        let updates = &self.updates[..self.len];
        self.len = 0;
        if updates.is_empty() {
            return Ok(());
        }
        // SAFETY: whoever pushed an update promised just this.
        unsafe { hypercall::update_tables(updates, DomId::SELF) }.map_err(|_| MapError::Refused)
    }
}
