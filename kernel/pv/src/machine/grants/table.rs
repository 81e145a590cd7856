//! Our grant table.
//!
//! Invariants: the first `frames` pages of `window` are the table's frames, mapped for reading and writing. An entry whose reference
//! is in `free` has no access flag set; an entry that is claimed belongs to one `GrantRef` value. Xen reads and marks entries at
//! any time, so they are accessed atomically.

extern crate alloc;

use alloc::vec::Vec;
use core::cell::RefCell;
use core::mem::offset_of;
use core::ptr::with_exposed_provenance_mut;
use core::sync::atomic::{AtomicU16, AtomicU32, Ordering};

use morgana_abi::grant_table::{
    ENTRIES_V1_PER_FRAME, EntryV1, GTF_PERMIT_ACCESS, GTF_READING, GTF_READONLY, GTF_WRITING,
    NR_RESERVED_ENTRIES,
};
use morgana_hal::{DomId, GrantRef, MemoryError, Mfn};

use crate::machine::hypercall;
use crate::machine::memory::Window;
use crate::machine::one_cpu::OneCpu;

static TABLE: OneCpu<RefCell<Option<Table>>> = OneCpu::new(RefCell::new(None));

/// The most frames that we use, if Xen allows as many: 32,768 entries.
const MAX_FRAMES: usize = 64;

struct Table {
    window: Window,
    frames: usize,
    max_frames: usize,
    free: Vec<u32>,
}

/// What a peer may do with a page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Access {
    ReadOnly,
    ReadWrite,
}

/// The peer still has the page mapped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct StillMapped;

/// Grants `peer` access to a frame.
pub(super) fn claim(peer: DomId, frame: Mfn, access: Access) -> Result<GrantRef, MemoryError> {
    let mut table = TABLE.borrow_mut();
    let table = match &mut *table {
        Some(table) => table,
        none => none.insert(Table::new()?),
    };
    if table.free.is_empty() {
        table.grow()?;
    }
    let reference = table.free.pop().ok_or(MemoryError::NoFreeGrant)?;
    // grant_table.h: a version 1 entry holds 32 bits of frame number, which is 16 TiB of memory.
    let Ok(frame) = u32::try_from(frame.number()) else {
        table.free.push(reference);
        return Err(MemoryError::NoFreeGrant);
    };
    table
        .half(reference, offset_of!(EntryV1, domid))
        .store(peer.number(), Ordering::Relaxed);
    table.frame(reference).store(frame, Ordering::Relaxed);
    let flags = match access {
        Access::ReadOnly => GTF_PERMIT_ACCESS | GTF_READONLY,
        Access::ReadWrite => GTF_PERMIT_ACCESS,
    };
    // Last, so that Xen never sees flags with an old frame.
    table
        .half(reference, offset_of!(EntryV1, flags))
        .store(flags, Ordering::Release);
    Ok(GrantRef::new(reference))
}

/// Ends a grant that [`claim`] made. As long as the peer has the page mapped this fails and changes nothing.
pub(super) fn release(grant: GrantRef) -> Result<(), StillMapped> {
    let mut table = TABLE.borrow_mut();
    let Some(table) = &mut *table else {
        return Ok(());
    };
    let flags = table.half(grant.number(), offset_of!(EntryV1, flags));
    let mut seen = flags.load(Ordering::Acquire);
    // Bounded: Xen changes two bits only, and either of them ends the loop.
    loop {
        if seen & (GTF_READING | GTF_WRITING) != 0 {
            return Err(StillMapped);
        }
        match flags.compare_exchange(seen, 0, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => break,
            Err(now) => seen = now,
        }
    }
    // There is room: `free` was allocated for all entries.
    table.free.push(grant.number());
    Ok(())
}

/// Entries in use, and entries that there can be.
pub(in crate::machine) fn usage() -> (usize, usize) {
    let table = TABLE.borrow();
    let per_frame = ENTRIES_V1_PER_FRAME as usize;
    table.as_ref().map_or((0, 0), |table| {
        let reserved = NR_RESERVED_ENTRIES as usize;
        let used = table.frames * per_frame - reserved - table.free.len();
        (used, table.max_frames * per_frame - reserved)
    })
}

impl Table {
    fn new() -> Result<Self, MemoryError> {
        let most = hypercall::query_size().map_err(|_| MemoryError::NoFreeGrant)?;
        let max_frames = MAX_FRAMES.min(most as usize);
        let window = Window::new(max_frames).map_err(|_| MemoryError::NoAddressSpace)?;
        Ok(Self {
            window,
            frames: 0,
            max_frames,
            free: Vec::new(),
        })
    }

    /// Adds a frame to the table.
    fn grow(&mut self) -> Result<(), MemoryError> {
        if self.frames >= self.max_frames {
            return Err(MemoryError::NoFreeGrant);
        }
        let count = self.frames + 1;
        let entries = count * ENTRIES_V1_PER_FRAME as usize;
        // All references free at once is the most that `free` will hold.
        self.free
            .try_reserve(entries - self.free.len())
            .map_err(|_| MemoryError::OutOfMemory)?;
        let mut frames = [0_u64; MAX_FRAMES];
        hypercall::setup_table(&mut frames[..count]).map_err(|_| MemoryError::NoFreeGrant)?;
        self.window
            .map(self.frames, Mfn::new(frames[count - 1]), DomId::SELF)
            .map_err(|_| MemoryError::OutOfMemory)?;
        let first = self.frames as u32 * ENTRIES_V1_PER_FRAME;
        self.frames = count;
        // The lowest on top; those that the toolstack has filled in stay out.
        self.free
            .extend((first.max(NR_RESERVED_ENTRIES)..first + ENTRIES_V1_PER_FRAME).rev());
        Ok(())
    }

    fn at(&self, reference: u32, offset: usize) -> usize {
        let entry = reference as usize;
        assert!(entry < self.frames * ENTRIES_V1_PER_FRAME as usize);
        self.window.address(0) + entry * size_of::<EntryV1>() + offset
    }

    fn half(&self, reference: u32, offset: usize) -> &AtomicU16 {
        // SAFETY: `at` checks that the entry lies in the mapped frames; both 16-bit fields are aligned; all accesses are atomic.
        unsafe { AtomicU16::from_ptr(with_exposed_provenance_mut(self.at(reference, offset))) }
    }

    fn frame(&self, reference: u32) -> &AtomicU32 {
        let address = self.at(reference, offset_of!(EntryV1, frame));
        // SAFETY: as for `half`; the 32-bit field is aligned.
        unsafe { AtomicU32::from_ptr(with_exposed_provenance_mut(address)) }
    }
}
