//! W^X: takes away the rights that the domain builder's first mapping gives too many of.
//!
//! The builder maps everything for reading, writing and executing, but for the page tables, which are read-only. Afterwards:
//! text is read and execute, constants read-only, all else may not be executed, and the pages below the two stacks are gone.

use morgana_abi::PAGE_SIZE;
use morgana_abi::mmu::PTE_WRITE;

use super::MapError;
use super::p2m::{pages, pfn_at};
use super::tables::{Batch, CHUNK, Level, code_entry, constant_entry, frame_in, no_execute, slot};
use crate::machine::{hypercall, layout};

/// Changes the entries page by page where the image is, and a whole table at a time behind it.
pub(super) fn protect_image() -> Result<(), MapError> {
    let mut batch = Batch::new();
    let by_page = layout::text().start..layout::stack().end.next_multiple_of(CHUNK);
    for address in by_page.clone().step_by(PAGE_SIZE) {
        let Ok(slot) = slot(address, Level::One) else {
            break;
        };
        let entry = slot.entry();
        let Some(frame) = frame_in(entry) else {
            continue;
        };
        let wanted = if layout::text().contains(&address) {
            code_entry(frame)
        } else if layout::rodata().contains(&address) {
            constant_entry(frame)
        } else if layout::is_guard(address) {
            0
        } else {
            entry | no_execute()
        };
        if (entry ^ wanted) & (PTE_WRITE | no_execute()) != 0 || wanted == 0 {
            // SAFETY: 1. Code is never written and constants neither. 2. Data is never executed. 3. Nothing uses the guard
            // pages. 4. No right is added. 5. The frame is the one that was there.
            unsafe { batch.push(slot.update(wanted))? };
        }
    }
    let end = layout::virt_base() + pages() * PAGE_SIZE;
    for address in (by_page.end..end).step_by(CHUNK) {
        let Ok(slot) = slot(address, Level::Two) else {
            break;
        };
        let entry = slot.entry();
        if frame_in(entry).is_none() {
            break;
        }
        // SAFETY: behind the image there is no code; nothing else changes.
        unsafe { batch.push(slot.update(entry | no_execute()))? };
    }
    debug_assert!(pfn_at(by_page.start).is_some());
    batch.flush()?;
    hypercall::flush_tlb().map_err(|_| MapError::Refused)
}
