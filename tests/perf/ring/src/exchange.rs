//! What each end does in its turn.

use anyhow::{Result, ensure};
use morgana_hal::Pages;
use morgana_ring::{Armed, BackRing, FrontRing};

use crate::entries::Exchange;

/// A ring's front end.
pub(crate) type Front<M, E> = FrontRing<M, <E as Exchange>::Request, <E as Exchange>::Response>;
/// A ring's back end.
pub(crate) type Back<M, E> = BackRing<M, <E as Exchange>::Request, <E as Exchange>::Response>;

/// Puts a batch on the ring, numbered from `from` on.
#[inline(never)]
pub(crate) fn ask<M: Pages, E: Exchange>(
    ring: &mut Front<M, E>,
    from: u64,
    batch: u64,
) -> Result<()> {
    for number in from..from + batch {
        ring.push(&E::ask(number))?;
    }
    let _ = ring.publish();
    Ok(())
}

/// Takes what responses there are, numbered from `from` on; returns how many.
#[inline(always)]
pub(crate) fn take<M: Pages, E: Exchange>(ring: &mut Front<M, E>, from: u64) -> Result<u64> {
    let mut number = from;
    loop {
        let before = number;
        while let Some(response) = ring.pop()? {
            ensure!(E::fits(&response, number), "a wrong response");
            number += 1;
        }
        if number == before || ring.arm()? == Armed::Idle {
            return Ok(number - from);
        }
    }
}

/// Answers what requests there are.
#[inline(always)]
pub(crate) fn answer<M: Pages, E: Exchange>(ring: &mut Back<M, E>) -> Result<()> {
    loop {
        let mut idle = true;
        while let Some(request) = ring.pop()? {
            ring.push(&E::answer(&request))?;
            idle = false;
        }
        if idle {
            return Ok(());
        }
        let _ = ring.publish();
        if ring.arm()? == Armed::Idle {
            return Ok(());
        }
    }
}
