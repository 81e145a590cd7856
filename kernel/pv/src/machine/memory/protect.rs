//! W^X: takes away the rights that the domain builder's first mapping gives too many of.
//!
//! The builder maps everything for reading, writing and executing, but for the page tables, which are read-only. Afterwards:
//! text is read and execute, constants read-only, all else may not be executed, and the pages below the two stacks are gone.

use morgana_abi::PAGE_SIZE;

use super::MapError;
use super::frames::{Frames, with_frames};
use super::p2m::pages;
use super::tables::{
    Batch, CHUNK, Level, code_entry, constant_entry, frame_in, no_execute, slot, table_entry,
};
use crate::machine::{hypercall, layout};

/// Gives the chunks of the image new level 1 tables, and forbids execution in all others at level 2. A new table is one change for
/// Xen to make, where page by page it would be five hundred.
pub(super) fn protect_image() -> Result<(), MapError> {
    let image = layout::text().start..layout::stack().end.next_multiple_of(CHUNK);
    for chunk in image.clone().step_by(CHUNK) {
        with_frames(|frames: &mut Frames| frames.replace_table(chunk, rights))
            .unwrap_or(Err(MapError::OutOfFrames))?;
    }
    let mut batch = Batch::new();
    let end = layout::virt_base() + pages() * PAGE_SIZE;
    for chunk in (image.end..end).step_by(CHUNK) {
        if !no_code(chunk, &mut batch)? {
            break;
        }
    }
    batch.flush()?;
    hypercall::flush_tlb().map_err(|_| MapError::Refused)
}

/// The entry that the page at `address` should have, given what it has.
fn rights(address: usize, entry: u64) -> u64 {
    let Some(frame) = frame_in(entry) else {
        return 0;
    };
    if layout::text().contains(&address) {
        code_entry(frame)
    } else if layout::rodata().contains(&address) {
        constant_entry(frame)
    } else if layout::is_guard(address) {
        0
    } else {
        entry | no_execute()
    }
}

/// Forbids execution in a chunk, if it is mapped.
fn no_code(chunk: usize, batch: &mut Batch) -> Result<bool, MapError> {
    let Ok(slot) = slot(chunk, Level::Two) else {
        return Ok(false);
    };
    let Some(table) = frame_in(slot.entry()) else {
        return Ok(false);
    };
    // SAFETY: there is no code in the chunk; nothing else changes.
    unsafe { batch.push(slot.update(table_entry(table) | no_execute()))? };
    Ok(true)
}
