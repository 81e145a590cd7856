//! The figures of what is in use.

use morgana_hal::{Events, Memory, Platform};

use crate::failure::ensure;
use crate::{Outcome, Scene};

pub(crate) async fn follows<P: Platform>(scene: &Scene<'_, P>) -> Outcome {
    let before = scene.usage();
    ensure!(
        before.heap_used_bytes <= before.heap_total_bytes
            && before.grants_used <= before.grants_total
            && before.ports_used <= before.ports_total,
        "more than there is: {before:?}"
    );
    let pages = scene.memory().share(scene.peer(), 5)?;
    let read_only = scene.memory().share_read_only(scene.peer(), 2)?;
    let channel = scene.events().listen(scene.peer())?;
    let during = scene.usage();
    ensure!(
        before.grants_total == 0 || during.grants_used == before.grants_used + 7,
        "7 grants more than in {before:?}: {during:?}"
    );
    ensure!(
        before.ports_total == 0 || during.ports_used == before.ports_used + 1,
        "a port more than in {before:?}: {during:?}"
    );
    drop((pages, read_only, channel));
    Ok(())
}
