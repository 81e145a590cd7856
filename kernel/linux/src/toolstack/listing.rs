//! All domains at once (`XEN_SYSCTL_getdomaininfolist`): a call for each takes longer than making one, where there are hundreds.

use core::mem::offset_of;

use morgana_abi::domctl::building as abi;
use morgana_abi::hypercall_number::SYSCTL;
use morgana_abi::sysctl::{BUILDING_VERSION, DomainInfoList, Sysctl, XEN_SYSCTL_GETDOMAININFOLIST};
use morgana_hal::{DomId, DomainInfo, ToolstackError};
use zerocopy::{FromZeros, IntoBytes};

use super::domctl;
use super::xen::{LIST, LIST_BYTES, STRUCT, Xen};

/// Where the argument is.
const ARGUMENT: usize = STRUCT + offset_of!(Sysctl, read_console);
/// Domains that the buffer has room for.
const ROOM: usize = LIST_BYTES / size_of::<abi::DomainInfo>();

/// How all domains are, in the order of their numbers.
pub(super) fn list(xen: &Xen) -> Result<Vec<DomainInfo>, ToolstackError> {
    let mut infos = Vec::new();
    let mut from = DomId::DOM0;
    loop {
        let told = ask(xen, from)?;
        infos.extend((0..told).map(|number| {
            let mut info = abi::DomainInfo::new_zeroed();
            let at = LIST + number * size_of::<abi::DomainInfo>();
            xen.region().read(at, info.as_mut_bytes());
            domctl::info(&info)
        }));
        // Where there was room for more, there are no more.
        let next = infos
            .last()
            .and_then(|info| info.domain.number().checked_add(1));
        match next {
            Some(next) if told == ROOM => from = DomId::new(next),
            _ => return Ok(infos),
        }
    }
}

/// Has Xen tell of the first domains whose numbers are not below `from`. Returns of how many it has.
fn ask(xen: &Xen, from: DomId) -> Result<usize, ToolstackError> {
    let argument = DomainInfoList {
        first_domain: from.number(),
        max_domains: ROOM as u32,
        buffer: xen.address(LIST),
        ..DomainInfoList::default()
    };
    let region = xen.region();
    region.write(STRUCT, &[0; size_of::<Sysctl>()]);
    region.store_u32(
        STRUCT + offset_of!(Sysctl, cmd),
        XEN_SYSCTL_GETDOMAININFOLIST,
    );
    region.store_u32(
        STRUCT + offset_of!(Sysctl, interface_version),
        BUILDING_VERSION,
    );
    region.write(ARGUMENT, argument.as_bytes());
    // SAFETY: the call changes no domain, and writes but into the struct and, as far as there is room, into the list.
    unsafe { xen.call(SYSCTL, [xen.address(STRUCT), 0, 0, 0, 0]) }?;
    let told = region.load_u32(ARGUMENT + offset_of!(DomainInfoList, num_domains));
    Ok((told as usize).min(ROOM))
}
