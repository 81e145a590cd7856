//! What each end does in its turn. All of it goes into the caller, as the peer's compiler does with what it calls once. Whether a notification is
//! needed is found out and counted; none is sent.

use anyhow::{Result, ensure};
use morgana_hal::Pages;
use morgana_ring::{Armed, BackRing, FrontRing};

use crate::entries::Exchange;

/// A ring's front end.
pub(crate) type Front<M, E> = FrontRing<M, <E as Exchange>::Request, <E as Exchange>::Response>;
/// A ring's back end.
pub(crate) type Back<M, E> = BackRing<M, <E as Exchange>::Request, <E as Exchange>::Response>;

/// Puts a batch on the ring, numbered from `from` on; returns how many notifications that would need.
#[inline(always)]
pub(crate) fn ask<M: Pages, E: Exchange>(
    ring: &mut Front<M, E>,
    from: u64,
    batch: u64,
) -> Result<u64> {
    for number in from..from + batch {
        ring.push(&E::ask(number))?;
    }
    Ok(ring.publish().is_needed().into())
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

/// Answers what requests there are; returns how many notifications that would need.
#[inline(always)]
pub(crate) fn answer<M: Pages, E: Exchange>(ring: &mut Back<M, E>) -> Result<u64> {
    let mut notifications = 0;
    loop {
        let mut idle = true;
        while let Some(request) = ring.pop()? {
            ring.push(&E::answer(&request))?;
            idle = false;
        }
        if idle {
            return Ok(notifications);
        }
        notifications += u64::from(ring.publish().is_needed());
        if ring.arm()? == Armed::Idle {
            return Ok(notifications);
        }
    }
}
