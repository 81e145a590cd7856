//! Event channels, from this domain to itself.

use core::task::{Context, Poll, Waker};
use core::time::Duration;

use alloc::vec::Vec;

use morgana_hal::{Channel, Clock, DomId, EventError, Events, Idle, Platform, Port, Virq};

use super::{Guest, Outcome, ensure};

/// Lets events come in until `done`, or for two seconds.
fn until(guest: &Guest, mut done: impl FnMut() -> bool) -> bool {
    let mut idle = guest.idle.borrow_mut();
    let deadline = guest.pv.clock().now() + Duration::from_secs(2);
    while !done() && guest.pv.clock().now() < deadline {
        idle.wait(Some(deadline));
        idle.dispatch();
    }
    done()
}

pub(super) fn counted(guest: &Guest) -> Outcome {
    let events = guest.pv.events();
    let listener = events
        .listen(guest.own)
        .map_err(|error| alloc::format!("{error}"))?;
    let caller = events
        .connect(guest.own, listener.port())
        .map_err(|error| alloc::format!("{error}"))?;
    // Xen raises an event at both ends when they connect.
    guest.idle.borrow_mut().dispatch();
    let mut cx = Context::from_waker(Waker::noop());
    for round in 0..100 {
        let seen = listener.count();
        ensure!(
            listener.poll_after(seen, &mut cx) == Poll::Pending,
            "round {round}: an event that nobody sent"
        );
        caller.notify();
        ensure!(
            until(guest, || listener.count() != seen),
            "round {round}: the event did not come"
        );
        ensure!(listener.count() == seen + 1, "round {round}: counted twice");
        ensure!(
            listener.poll_after(seen, &mut cx) == Poll::Ready(seen + 1),
            "round {round}: not ready"
        );
    }
    // Both ways.
    let seen = caller.count();
    listener.notify();
    ensure!(
        until(guest, || caller.count() == seen + 1),
        "nothing came back"
    );
    Ok(())
}

pub(super) fn close(guest: &Guest) -> Outcome {
    let before = guest.pv.usage().ports_used;
    let mut channels = Vec::new();
    for _ in 0..200 {
        channels.push(
            guest
                .pv
                .events()
                .listen(guest.own)
                .map_err(|error| alloc::format!("{error}"))?,
        );
    }
    ensure!(
        guest.pv.usage().ports_used == before + 200,
        "{} ports in use",
        guest.pv.usage().ports_used
    );
    drop(channels);
    ensure!(guest.pv.usage().ports_used == before, "ports are left open");
    Ok(())
}

pub(super) fn refused(guest: &Guest) -> Outcome {
    let events = guest.pv.events();
    let wrong = events.connect(guest.own, Port::new(4_000)).err();
    ensure!(wrong == Some(EventError::Refused), "port 4000: {wrong:?}");
    // No domain has this id: ordinary ones end at 0x7fef (xen.h, DOMID_FIRST_RESERVED).
    let nobody = events.connect(DomId::new(0x7fe0), Port::new(1)).err();
    ensure!(
        nobody == Some(EventError::NoSuchDomain),
        "domain 0x7fe0: {nobody:?}"
    );
    // The run loop has the timer.
    let timer = events.virq(Virq::Timer).err();
    ensure!(timer == Some(EventError::Denied), "timer: {timer:?}");
    Ok(())
}
