//! Grant table operations.

use morgana_abi::grant_table as gnttab;
use morgana_abi::hypercall::call3;
use morgana_abi::{DOMID_SELF, hypercall_number as number};

use super::{Errno, check};

/// Runs an operation on an array of arguments.
///
/// # Safety
///
/// `T` must be the argument type of `operation`, and what the operation does to memory must leave all references valid.
unsafe fn operate<T>(operation: u32, arguments: &mut [T]) -> Result<(), Errno> {
    // SAFETY: Xen reads and writes `arguments.len()` values of `T` (the caller's promise), which are ours alone meanwhile.
    check(unsafe {
        call3::<{ number::GRANT_TABLE_OP }>(
            u64::from(operation),
            arguments.as_mut_ptr() as u64,
            arguments.len() as u64,
        )
    })
    .map(drop)
}

/// The most frames that our table may have.
pub(in crate::machine) fn query_size() -> Result<u32, Errno> {
    let mut argument = gnttab::QuerySize {
        dom: DOMID_SELF,
        ..Default::default()
    };
    // SAFETY: the argument type of this operation (grant_table.h); it only writes to its argument.
    unsafe {
        operate(
            gnttab::GNTTABOP_QUERY_SIZE,
            core::slice::from_mut(&mut argument),
        )?;
    }
    if argument.status == gnttab::GNTST_OKAY {
        Ok(argument.max_nr_frames)
    } else {
        Err(Errno(i64::from(-argument.status)))
    }
}

/// Makes our table at least `frames.len()` frames long and fills in their machine frame numbers.
pub(in crate::machine) fn setup_table(frames: &mut [u64]) -> Result<(), Errno> {
    let mut argument = gnttab::SetupTable {
        dom: DOMID_SELF,
        nr_frames: frames.len() as u32,
        status: 0,
        frame_list: frames.as_mut_ptr(),
    };
    // SAFETY: the argument type of this operation (grant_table.h); Xen writes `nr_frames` numbers to `frames`.
    unsafe {
        operate(
            gnttab::GNTTABOP_SETUP_TABLE,
            core::slice::from_mut(&mut argument),
        )?;
    }
    if argument.status == gnttab::GNTST_OKAY {
        Ok(())
    } else {
        Err(Errno(i64::from(-argument.status)))
    }
}

/// Maps peers' grants. Each operation has its own status.
///
/// # Safety
///
/// Each `host_addr` is an unmapped page of the mapping area that the caller has allocated.
pub(in crate::machine) unsafe fn map_grants(
    operations: &mut [gnttab::MapGrantRef],
) -> Result<(), Errno> {
    // SAFETY: the argument type; the caller answers for the addresses.
    unsafe { operate(gnttab::GNTTABOP_MAP_GRANT_REF, operations) }
}

/// Unmaps peers' grants. Each operation has its own status.
///
/// # Safety
///
/// Nothing uses the mappings any more.
pub(in crate::machine) unsafe fn unmap_grants(
    operations: &mut [gnttab::UnmapGrantRef],
) -> Result<(), Errno> {
    // SAFETY: the argument type; the caller answers for the mappings.
    unsafe { operate(gnttab::GNTTABOP_UNMAP_GRANT_REF, operations) }
}

/// Copies between own frames and peers' grants. Each operation has its own status.
///
/// # Safety
///
/// Every own frame that is a source is initialised memory, and every own byte range that is a destination belongs to the caller
/// alone.
pub(in crate::machine) unsafe fn copy(operations: &mut [gnttab::Copy]) -> Result<(), Errno> {
    // SAFETY: the argument type; the caller answers for the memory.
    unsafe { operate(gnttab::GNTTABOP_COPY, operations) }
}
