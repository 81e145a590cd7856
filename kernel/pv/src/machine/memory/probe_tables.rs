//! What the page tables say about an address; for tests and crash reports.

use morgana_abi::mmu::{PTE_NO_EXECUTE, PTE_WRITE};

use super::tables::{Level, frame_in, slot};

/// The rights at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    /// Not mapped.
    None,
    /// Read.
    Read,
    /// Read and write.
    ReadWrite,
    /// Read and execute.
    ReadExecute,
    /// All three: no page should be like this.
    ReadWriteExecute,
}

/// Looks an address up in the page tables.
pub fn protection(address: usize) -> Protection {
    let (Ok(chunk), Ok(page)) = (slot(address, Level::Two), slot(address, Level::One)) else {
        return Protection::None;
    };
    let entry = page.entry();
    if frame_in(entry).is_none() {
        return Protection::None;
    }
    let execute = (entry | chunk.entry()) & PTE_NO_EXECUTE == 0;
    match (entry & PTE_WRITE != 0, execute) {
        (false, false) => Protection::Read,
        (true, false) => Protection::ReadWrite,
        (false, true) => Protection::ReadExecute,
        (true, true) => Protection::ReadWriteExecute,
    }
}
