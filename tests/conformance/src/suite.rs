//! The checks one after the other.

use alloc::format;

use morgana_hal::Platform;

use crate::failure::ensure;
use crate::{Check, Failure, Outcome, Party, Scene};

/// Plays one part in a check. Afterwards as much must be in use as before.
///
/// # Errors
///
/// The [`Failure`], whose words begin with the check's name; the other domain hears of it too.
pub async fn check<P: Platform>(party: &Party<P>, check: Check) -> Outcome {
    let outcome = framed(&Scene::new(party, check), check).await;
    if let Err(why) = &outcome {
        let why = format!("{check}: {why}");
        party.give_up(&why).await;
        return Err(Failure::new(why));
    }
    outcome
}

async fn framed<P: Platform>(scene: &Scene<'_, P>, check: Check) -> Outcome {
    scene.meet("begin").await?;
    let before = scene.usage();
    check.play(scene).await?;
    // Now neither uses anything of the other's.
    scene.meet("end").await?;
    let after = scene.usage();
    ensure!(
        after.grants_used == before.grants_used
            && after.ports_used == before.ports_used
            && after.quarantined_pages == before.quarantined_pages,
        "something is left over: {before:?}, {after:?}"
    );
    Ok(())
}

/// Plays one part in all checks, and stops at the first that fails: the two cannot find together again after that. `told` hears
/// of each that has passed.
///
/// # Errors
///
/// As for [`check`].
pub async fn run<P: Platform>(party: &Party<P>, mut told: impl FnMut(Check)) -> Outcome {
    for &one in Check::ALL {
        check(party, one).await?;
        told(one);
    }
    Ok(())
}
