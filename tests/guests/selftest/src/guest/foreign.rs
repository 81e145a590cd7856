//! Frames that are not ours.

use morgana_hal::{DomId, Mfn, Pages};
use morgana_pv::MapError;

use super::{Guest, Outcome, ensure};

/// `DOMID_IO` (xen.h).
const IO: DomId = DomId::new(0x7ff1);

/// The last frame below 1 MiB: the PC's firmware, whose last 16 bytes begin with a far jump (0xea).
const FIRMWARE: Mfn = Mfn::new(0xff);

pub(super) fn frames(guest: &Guest) -> Outcome {
    let mapped = guest.pv.map_foreign(IO, &[FIRMWARE, FIRMWARE]);
    if !guest.pv.is_dom0() {
        ensure!(
            mapped.as_ref().err() == Some(&MapError::Refused),
            "an ordinary domain may map I/O memory: {mapped:?}"
        );
        return Ok(());
    }
    let mapped = mapped.map_err(|error| alloc::format!("{error}"))?;
    for at in [0xff0, 0x1ff0] {
        let mut bytes = [0; 16];
        mapped.region().read(at, &mut bytes);
        ensure!(bytes[0] == 0xea, "no firmware there: {bytes:x?}");
    }
    Ok(())
}
