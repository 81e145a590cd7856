//! Time, and random bytes.

use core::time::Duration;

use morgana_hal::{Clock, Platform};

use crate::failure::ensure;
use crate::{Outcome, Scene};

pub(crate) async fn monotonic<P: Platform>(scene: &Scene<'_, P>) -> Outcome {
    let clock = scene.clock();
    let mut last = clock.now();
    for _ in 0..10_000 {
        let now = clock.now();
        ensure!(now >= last, "{last:?}, then {now:?}");
        last = now;
    }
    for round in 1..20_u64 {
        let pause = Duration::from_micros(round * 131);
        let due = clock.now() + pause;
        scene.timers().sleep_until(due).await;
        let now = clock.now();
        ensure!(now >= due, "a sleep until {due:?} ended at {now:?}");
    }
    Ok(())
}

pub(crate) async fn wall<P: Platform>(scene: &Scene<'_, P>) -> Outcome {
    // 2000-01-01, where virtual time begins, and 2100-01-01.
    const YEARS: core::ops::Range<u64> = 946_684_800..4_102_444_800;
    let clock = scene.clock();
    let (wall, start) = (clock.wall(), clock.now());
    ensure!(
        YEARS.contains(&wall.unix_seconds()),
        "{} s since 1970",
        wall.unix_seconds()
    );
    scene.timers().sleep(Duration::from_millis(20)).await;
    // In this order: the second span lies around the first, if nobody sets the clock meanwhile. It need not be exact, but some time
    // must have passed, and no hour more than the monotonic clock's.
    let later = clock.wall();
    let passed = clock.now() - start;
    let wall_passed = Duration::from_nanos(later.unix_nanos().saturating_sub(wall.unix_nanos()));
    ensure!(
        !wall_passed.is_zero() && wall_passed < passed + Duration::from_secs(3_600),
        "{passed:?} passed, {wall_passed:?} by the wall clock"
    );
    Ok(())
}

pub(crate) async fn entropy<P: Platform>(scene: &Scene<'_, P>) -> Outcome {
    let (mut one, mut two) = ([0; 37], [0; 37]);
    scene.platform().entropy(&mut one);
    scene.platform().entropy(&mut two);
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
