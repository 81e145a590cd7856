//! Clocks, sleeping, entropy.

use core::time::Duration;

use morgana_hal::{Clock, Idle, Platform};

use super::{Guest, Outcome, ensure};

pub(super) fn monotonic(Guest { pv, .. }: &Guest) -> Outcome {
    let mut last = pv.clock().now();
    let first = last;
    for _ in 0..100_000 {
        let now = pv.clock().now();
        ensure!(now >= last, "{last:?}, then {now:?}");
        last = now;
    }
    ensure!(last > first, "time stands still at {last:?}");
    Ok(())
}

pub(super) fn wall(Guest { pv, .. }: &Guest) -> Outcome {
    // 2020-01-01 and 2100-01-01.
    let seconds = pv.clock().wall().unix_seconds();
    ensure!(
        (1_577_836_800..4_102_444_800).contains(&seconds),
        "{seconds} s since 1970"
    );
    Ok(())
}

pub(super) fn sleeps(Guest { pv, idle, .. }: &Guest) -> Outcome {
    let mut idle = idle.borrow_mut();
    ensure!(pv.idle().is_none(), "the run loop's part was given twice");
    // Many short ones: a wakeup that got lost would stop the guest here for ever.
    for round in 0..300_u64 {
        let deadline = pv.clock().now() + Duration::from_micros(200 + round * 7);
        while pv.clock().now() < deadline {
            idle.wait(Some(deadline));
            idle.dispatch();
        }
    }
    // A deadline that has passed does not sleep at all.
    idle.wait(Some(pv.clock().now()));
    Ok(())
}

pub(super) fn entropy(Guest { pv, .. }: &Guest) -> Outcome {
    let (mut one, mut two) = ([0; 37], [0; 37]);
    pv.entropy(&mut one);
    pv.entropy(&mut two);
    ensure!(one != two, "the same bytes twice");
    let differing: u32 = one
        .iter()
        .zip(&two)
        .map(|(one, two)| (one ^ two).count_ones())
        .sum();
    // 296 coin tosses; 60 of one kind is 10 standard deviations off.
    ensure!(
        (60..236).contains(&differing),
        "{differing} of 296 bits differ"
    );
    Ok(())
}
