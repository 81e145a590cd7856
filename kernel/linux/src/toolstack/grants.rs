//! What connects another domain before it runs: event channels and grants.

use core::mem::offset_of;

use morgana_abi::event_channel::{AllocUnbound, EVTCHNOP_ALLOC_UNBOUND};
use morgana_abi::grant_table::{
    ENTRIES_V1_PER_FRAME, EntryV1, GNTST_OKAY, GNTTABOP_SETUP_TABLE, GTF_PERMIT_ACCESS, SetupTable,
};
use morgana_abi::hypercall_number::{EVENT_CHANNEL_OP, GRANT_TABLE_OP};
use morgana_hal::{DomId, GrantRef, Mfn, Pages, Port, ToolstackError};

use super::xen::{LIST, STRUCT, Xen};

/// Makes a port of `domain` for `peer`.
pub(super) fn listen_for(xen: &Xen, domain: DomId, peer: DomId) -> Result<Port, ToolstackError> {
    let region = xen.region();
    region.write(STRUCT, &[0; size_of::<AllocUnbound>()]);
    let put = |offset: usize, domain: DomId| {
        region.write(STRUCT + offset, &domain.number().to_ne_bytes());
    };
    put(offset_of!(AllocUnbound, dom), domain);
    put(offset_of!(AllocUnbound, remote_dom), peer);
    let arguments = [
        u64::from(EVTCHNOP_ALLOC_UNBOUND),
        xen.address(STRUCT),
        0,
        0,
        0,
    ];
    // SAFETY: the call makes a port of another domain, and writes into the struct.
    unsafe { xen.call(EVENT_CHANNEL_OP, arguments) }?;
    Ok(Port::new(
        region.load_u32(STRUCT + offset_of!(AllocUnbound, port)),
    ))
}

/// The first frame of a domain's grant table, which is made if there is none yet.
pub(super) fn table(xen: &Xen, domain: DomId) -> Result<Mfn, ToolstackError> {
    let region = xen.region();
    region.write(STRUCT, &[0; size_of::<SetupTable>()]);
    region.write(
        STRUCT + offset_of!(SetupTable, dom),
        &domain.number().to_ne_bytes(),
    );
    region.store_u32(STRUCT + offset_of!(SetupTable, nr_frames), 1);
    region.write(
        STRUCT + offset_of!(SetupTable, frame_list),
        &xen.address(LIST).to_ne_bytes(),
    );
    let arguments = [
        u64::from(GNTTABOP_SETUP_TABLE),
        xen.address(STRUCT),
        1,
        0,
        0,
    ];
    // SAFETY: the call makes another domain's table, and writes into the struct and one frame number into the list.
    unsafe { xen.call(GRANT_TABLE_OP, arguments) }?;
    let mut status = [0; 2];
    region.read(STRUCT + offset_of!(SetupTable, status), &mut status);
    match i16::from_ne_bytes(status) {
        GNTST_OKAY => {}
        status => return Err(ToolstackError::Refused(status.into())),
    }
    let mut frame = [0; 8];
    region.read(LIST, &mut frame);
    Ok(Mfn::new(u64::from_ne_bytes(frame)))
}

/// Writes entries of version 1 into the first page of a table.
pub(super) fn write(
    table: &impl Pages,
    entries: &[(GrantRef, DomId, Mfn)],
) -> Result<(), ToolstackError> {
    for &(reference, peer, frame) in entries {
        let frame = u32::try_from(frame.number()).map_err(|_| ToolstackError::BadFrame)?;
        if reference.number() >= ENTRIES_V1_PER_FRAME {
            return Err(ToolstackError::NoRoomHere);
        }
        let at = reference.number() as usize * size_of::<EntryV1>();
        let put = |offset: usize, bytes: &[u8]| table.region().write(at + offset, bytes);
        put(offset_of!(EntryV1, frame), &frame.to_ne_bytes());
        put(offset_of!(EntryV1, domid), &peer.number().to_ne_bytes());
        put(offset_of!(EntryV1, flags), &GTF_PERMIT_ACCESS.to_ne_bytes());
    }
    Ok(())
}
