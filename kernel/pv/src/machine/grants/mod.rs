//! Grant tables, version 1: showing own pages to peers, and using theirs.

mod copy;
mod import;
mod memory;
mod share;
mod table;

pub use import::PvImported;
pub use memory::PvMemory;
pub use share::{PvReadOnly, PvShared};

use morgana_abi::grant_table as gnttab;
use morgana_hal::MemoryError;

pub(super) use share::quarantined_pages;
pub(super) use table::usage;

/// What a `GNTST_*` status that is not "okay" means to who asked.
fn error(status: i16) -> MemoryError {
    match status {
        gnttab::GNTST_BAD_DOMAIN => MemoryError::NoSuchDomain,
        gnttab::GNTST_NO_SPACE => MemoryError::NoAddressSpace,
        gnttab::GNTST_BAD_COPY_ARG => MemoryError::OutOfPage,
        _ => MemoryError::BadGrant,
    }
}
