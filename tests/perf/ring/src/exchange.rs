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
pub(crate) fn ask<M: Pages, E: Exchange>(
    ring: &mut Front<M, E>,
    from: u64,
    batch: u64,
) -> Result<()> {
    let mut numbers = from..from + batch;
    ring.push_all(|| numbers.next().map(E::ask));
    ensure!(numbers.is_empty(), "the ring is full");
    let _ = ring.publish();
    Ok(())
}

/// Takes what responses there are, numbered from `from` on; returns how many.
pub(crate) fn take<M: Pages, E: Exchange>(ring: &mut Front<M, E>, from: u64) -> Result<u64> {
    let mut number = from;
    loop {
        let waiting = ring.available()?;
        if waiting == 0 {
            return Ok(number - from);
        }
        let mut right = true;
        let _ = ring.drain(waiting as usize, |response| {
            right &= E::fits(&response, number);
            number += 1;
        })?;
        ensure!(right, "a wrong response");
        if ring.arm()? == Armed::Idle {
            return Ok(number - from);
        }
    }
}

/// Answers what requests there are.
pub(crate) fn answer<M: Pages, E: Exchange>(ring: &mut Back<M, E>) -> Result<()> {
    loop {
        let waiting = ring.available()?;
        if waiting == 0 {
            return Ok(());
        }
        let _ = ring.answer(waiting as usize, |request| E::answer(&request))?;
        let _ = ring.publish();
        if ring.arm()? == Armed::Idle {
            return Ok(());
        }
    }
}
