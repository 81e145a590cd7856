//! Memory for another domain, and its page tables.

use core::mem::offset_of;

use morgana_abi::DomIdT;
use morgana_abi::hypercall_number::{MEMORY_OP, MMUEXT_OP};
use morgana_abi::memory::{Reservation, XENMEM_POPULATE_PHYSMAP};
use morgana_abi::mmu::{MMUEXT_PIN_L4_TABLE, MmuextOp};
use morgana_hal::{DomId, Mfn, ToolstackError};

use super::xen::{LIST, LIST_LEN, STRUCT, Xen};

/// log2 of the pages in a run of 2 MiB.
const RUN_ORDER: u32 = 9;
const RUN: usize = 1 << RUN_ORDER;

/// Has Xen give pages, in runs of 2 MiB as long as there are any.
pub(super) fn populate(xen: &Xen, domain: DomId, frames: &mut [Mfn]) -> Result<(), ToolstackError> {
    let mut done = 0;
    let mut order = RUN_ORDER;
    while done < frames.len() {
        let left = frames.len() - done;
        if left < RUN {
            order = 0;
        }
        let extents = (left >> order).min(LIST_LEN);
        let given = extend(xen, domain, done, extents, order)?;
        let region = xen.region();
        for extent in 0..given {
            let mut first = [0; 8];
            region.read(LIST + extent * 8, &mut first);
            let first = u64::from_ne_bytes(first);
            for page in 0..1_usize << order {
                frames[done] = Mfn::new(first + page as u64);
                done += 1;
            }
        }
        match (given == extents, order) {
            (true, _) => {}
            (false, 0) => return Err(ToolstackError::OutOfMemory),
            // No run is left; there may be single pages.
            (false, _) => order = 0,
        }
    }
    Ok(())
}

/// Asks for `extents` runs from page `first` on. Returns how many there were.
fn extend(
    xen: &Xen,
    domain: DomId,
    first: usize,
    extents: usize,
    order: u32,
) -> Result<usize, ToolstackError> {
    let region = xen.region();
    for extent in 0..extents {
        let page = (first + (extent << order)) as u64;
        region.write(LIST + extent * 8, &page.to_ne_bytes());
    }
    region.write(STRUCT, &[0; size_of::<Reservation>()]);
    let put = |offset: usize, bytes: &[u8]| region.write(STRUCT + offset, bytes);
    let list = xen.address(LIST);
    put(offset_of!(Reservation, extent_start), &list.to_ne_bytes());
    put(
        offset_of!(Reservation, nr_extents),
        &(extents as u64).to_ne_bytes(),
    );
    put(offset_of!(Reservation, extent_order), &order.to_ne_bytes());
    put(
        offset_of!(Reservation, domid),
        &(domain.number() as DomIdT).to_ne_bytes(),
    );
    let arguments = [
        u64::from(XENMEM_POPULATE_PHYSMAP),
        xen.address(STRUCT),
        0,
        0,
        0,
    ];
    // SAFETY: the call gives memory to another domain, and writes the list, which is as long as `nr_extents` says.
    let given = unsafe { xen.call(MEMORY_OP, arguments) }?;
    Ok(usize::try_from(given).unwrap_or(0).min(extents))
}

/// Has Xen check page tables.
pub(super) fn pin(xen: &Xen, domain: DomId, root: Mfn) -> Result<(), ToolstackError> {
    let region = xen.region();
    region.write(STRUCT, &[0; size_of::<MmuextOp>()]);
    region.store_u32(STRUCT + offset_of!(MmuextOp, cmd), MMUEXT_PIN_L4_TABLE);
    region.write(
        STRUCT + offset_of!(MmuextOp, arg1),
        &root.number().to_ne_bytes(),
    );
    let arguments = [xen.address(STRUCT), 1, 0, u64::from(domain.number()), 0];
    // SAFETY: the call reads one struct, and changes what pages of another domain are.
    unsafe { xen.call(MMUEXT_OP, arguments) }.map(drop)
}
