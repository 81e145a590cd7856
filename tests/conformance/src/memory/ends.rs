//! The end of grants, and of memory.

use alloc::vec::Vec;

use morgana_hal::{Memory, MemoryError, Pages, Platform, ReadOnlyPages, SharedPages};

use super::{copy_in, copy_out, same};
use crate::failure::ensure;
use crate::{Outcome, Role, Scene};

pub(crate) async fn ended<P: Platform>(scene: &Scene<'_, P>) -> Outcome {
    let (memory, peer) = (scene.memory(), scene.peer());
    if scene.role() == Role::Subject {
        let shared = memory.share(peer, 1)?;
        let read_only = memory.share_read_only(peer, 1)?;
        scene.tell("shared", shared.grants()[0].number()).await?;
        scene
            .tell("read only", read_only.grants()[0].number())
            .await?;
        scene.meet("used").await?;
        drop((shared, read_only));
        scene.meet("ended").await?;
        return scene.meet("tried").await;
    }
    let grants = [
        scene.hear_grant("shared").await?,
        scene.hear_grant("read only").await?,
    ];
    for grant in grants {
        copy_in(memory, peer, grant, 0, &mut [0; 8])?;
    }
    drop(memory.import(peer, &grants[..1])?);
    scene.meet("used").await?;
    scene.meet("ended").await?;
    for grant in grants {
        let read = copy_in(memory, peer, grant, 0, &mut [0; 8]).err();
        let written = copy_out(memory, peer, grant, 0, &[0; 8]).err();
        let imported = memory.import(peer, &[grant]).err();
        ensure!(
            [read, written, imported] == [Some(MemoryError::BadGrant); 3],
            "{grant}, which has ended: {read:?}, {written:?}, {imported:?}"
        );
    }
    scene.meet("tried").await
}

pub(crate) async fn quarantine<P: Platform>(scene: &Scene<'_, P>) -> Outcome {
    let (memory, peer) = (scene.memory(), scene.peer());
    if scene.role() == Role::Peer {
        let grants = scene.hear_grants("grants").await?;
        let imported = memory.import(peer, &grants[1..])?;
        scene.meet("mapped").await?;
        scene.meet("given back").await?;
        // Late, and to nobody's harm.
        imported.region().write(0, &[0xee; 4096]);
        scene.meet("written").await?;
        drop(imported);
        return scene.meet("let go").await;
    }
    let before = scene.usage();
    let shared = memory.share(peer, 2)?;
    scene.tell_grants("grants", shared.grants()).await?;
    scene.meet("mapped").await?;
    drop(shared);
    let usage = scene.usage();
    let has_figures = usage.grants_total > 0;
    ensure!(
        !has_figures
            || (usage.quarantined_pages == before.quarantined_pages + 1
                && usage.grants_used == before.grants_used + 1),
        "one of two pages is still mapped: {before:?}, then {usage:?}"
    );
    scene.meet("given back").await?;
    scene.meet("written").await?;
    // What is new is another page than the one that the peer still writes.
    let fresh = memory.share(peer, 8)?;
    same(fresh.region(), 0, &[0; 8 * 4096])?;
    drop(fresh);
    scene.meet("let go").await?;
    let usage = scene.usage();
    ensure!(
        usage.quarantined_pages == before.quarantined_pages
            && usage.grants_used == before.grants_used,
        "the peer has let go: {before:?}, then {usage:?}"
    );
    Ok(())
}

pub(crate) async fn full<P: Platform>(scene: &Scene<'_, P>) -> Outcome {
    /// Pages a share, so that there are few of them.
    const RUN: usize = 8;
    /// More references than any table has.
    const ENOUGH: usize = 70_000 / RUN;
    if scene.role() == Role::Peer {
        return Ok(());
    }
    let share = || scene.memory().share(scene.peer(), RUN);
    let before = scene.usage();
    // Made beforehand: where memory is what ends, there is none left for it later.
    let (mut all, mut end) = (Vec::with_capacity(ENOUGH), None);
    while all.len() < ENOUGH && end.is_none() {
        match share() {
            Ok(shared) => all.push(shared),
            Err(error) => end = Some(error),
        }
    }
    let (taken, usage) = (all.len(), scene.usage());
    all.clear();
    ensure!(
        matches!(
            end,
            Some(MemoryError::NoFreeGrant | MemoryError::OutOfMemory)
        ),
        "after {taken} times {RUN} pages: {end:?}"
    );
    ensure!(
        usage.grants_total == 0
            || (usage.grants_used == before.grants_used + taken * RUN
                && usage.grants_used <= usage.grants_total),
        "{taken} times {RUN} pages more than in {before:?}: {usage:?}"
    );
    drop(share()?);
    Ok(())
}
