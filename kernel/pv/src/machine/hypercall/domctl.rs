//! Questions about other domains.

use morgana_abi::domctl::{DomainInfo, Domctl};
use morgana_abi::hypercall::call1;
use morgana_abi::hypercall_number as number;
use morgana_hal::DomId;

use super::{Errno, check};

/// Asks how a domain is, in one version of the interface.
pub(in crate::machine) fn domain_info(domain: DomId, version: u32) -> Result<DomainInfo, Errno> {
    let mut argument = Domctl::get_domain_info(domain.number(), version);
    // SAFETY: this command reads and writes a `struct xen_domctl`, for which the argument has room in every version; it is ours alone
    // during the call, and any bytes are valid in it.
    check(unsafe { call1::<{ number::DOMCTL }>(&raw mut argument as u64) })?;
    Ok(argument.info)
}
