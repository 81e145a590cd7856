//! Grants that give no access.

use morgana_hal::{GrantRef, Memory, MemoryError, Pages, Platform, SharedPages};

use super::{copy_in, copy_out};
use crate::events::NOBODY;
use crate::failure::ensure;
use crate::{Outcome, Role, Scene};

/// Tries all that one can do with a grant, and expects that each is refused as a bad one.
fn all_refused<P: Platform>(scene: &Scene<'_, P>, grant: GrantRef) -> Outcome {
    let (memory, peer) = (scene.memory(), scene.peer());
    for (what, answer) in [
        ("mapping", memory.import(peer, &[grant]).err()),
        (
            "reading",
            copy_in(memory, peer, grant, 0, &mut [0; 4]).err(),
        ),
        ("writing", copy_out(memory, peer, grant, 0, &[1; 4]).err()),
    ] {
        ensure!(
            answer == Some(MemoryError::BadGrant),
            "{what} {grant} says {answer:?}"
        );
    }
    Ok(())
}

pub(crate) async fn bad_grants<P: Platform>(scene: &Scene<'_, P>) -> Outcome {
    if scene.role() == Role::Subject {
        let shared = scene.memory().share(scene.peer(), 2)?;
        scene.tell_grants("grants", shared.grants()).await?;
        return scene.meet("tried").await;
    }
    let good = scene.hear_grants("grants").await?;
    let (memory, peer) = (scene.memory(), scene.peer());
    // The last of the reserved entries, which nobody uses, and what no table can have.
    for wrong in [7, 1 << 20, u32::MAX].map(GrantRef::new) {
        all_refused(scene, wrong)?;
        for together in [
            &[good[0], wrong][..],
            &[wrong, good[0]],
            &[good[0], good[1], wrong],
        ] {
            let answer = memory.import(peer, together).err();
            ensure!(
                answer == Some(MemoryError::BadGrant),
                "importing {together:?} says {answer:?}"
            );
        }
    }
    // Nothing of what failed is left: both can be mapped, and written.
    let imported = memory.import(peer, &good)?;
    imported.region().write(0, b"good");
    drop(imported);
    scene.meet("tried").await
}

pub(crate) async fn wrong_domain<P: Platform>(scene: &Scene<'_, P>) -> Outcome {
    if scene.role() == Role::Subject {
        let shared = scene.memory().share(scene.stranger(), 1)?;
        scene.tell("grant", shared.grants()[0].number()).await?;
        scene.meet("tried").await?;
        return super::same(shared.region(), 0, &[0; 64]);
    }
    let grant = scene.hear_grant("grant").await?;
    all_refused(scene, grant)?;
    let nobody = scene.memory().import(NOBODY, &[grant]).err();
    ensure!(
        nobody == Some(MemoryError::NoSuchDomain),
        "a domain that does not exist says {nobody:?}"
    );
    let nobody = copy_in(scene.memory(), NOBODY, grant, 0, &mut [0; 4]);
    ensure!(
        nobody == Err(MemoryError::NoSuchDomain),
        "a copy from a domain that does not exist says {nobody:?}"
    );
    scene.meet("tried").await
}
