//! Pages that both see.

use alloc::vec::Vec;

use morgana_hal::{
    GrantRef, Memory, MemoryError, PAGE_SIZE, Pages, Platform, ReadOnlyPages, SharedPages,
};

use super::{copy_in, copy_out, pattern, same};
use crate::failure::ensure;
use crate::{Outcome, Role, Scene};

pub(crate) async fn both_ways<P: Platform>(scene: &Scene<'_, P>) -> Outcome {
    /// How the peer maps the subject's pages.
    const ORDER: [usize; 3] = [2, 0, 1];
    if scene.role() == Role::Subject {
        let shared = scene.memory().share(scene.peer(), 3)?;
        let region = shared.region();
        ensure!(
            region.len() == 3 * PAGE_SIZE && shared.grants().len() == 3,
            "{} bytes, {} grants",
            region.len(),
            shared.grants().len()
        );
        same(region, 0, &[0; 3 * PAGE_SIZE])?;
        for page in 0..3 {
            region.write(page * PAGE_SIZE + 100, &pattern(page, 500));
        }
        scene.tell_grants("grants", shared.grants()).await?;
        scene.meet("written there").await?;
        same(region, 2 * PAGE_SIZE, &pattern(7, 60))?;
        return scene.meet("read").await;
    }
    let grants = scene.hear_grants("grants").await?;
    let order: Vec<GrantRef> = ORDER.iter().map(|&page| grants[page]).collect();
    let imported = scene.memory().import(scene.peer(), &order)?;
    ensure!(
        imported.region().len() == 3 * PAGE_SIZE,
        "{} bytes are imported",
        imported.region().len()
    );
    for (index, page) in ORDER.into_iter().enumerate() {
        same(
            imported.region(),
            index * PAGE_SIZE + 100,
            &pattern(page, 500),
        )?;
        same(imported.region(), index * PAGE_SIZE + 600, &[0; 1_000])?;
    }
    imported.region().write(0, &pattern(7, 60));
    scene.meet("written there").await?;
    scene.meet("read").await
}

pub(crate) async fn large<P: Platform>(scene: &Scene<'_, P>) -> Outcome {
    /// Twice what the largest ring of a block device has (`ring-page-order` of 4).
    const PAGES: usize = 32;
    if scene.role() == Role::Subject {
        let shared = scene.memory().share(scene.peer(), PAGES)?;
        let mut numbers: Vec<GrantRef> = shared.grants().to_vec();
        numbers.sort_unstable();
        numbers.dedup();
        ensure!(numbers.len() == PAGES, "a reference was given twice");
        shared.region().write(0, &pattern(1, PAGES * PAGE_SIZE));
        scene.tell_grants("grants", shared.grants()).await?;
        scene.meet("changed").await?;
        return same(shared.region(), 0, &pattern(2, PAGES * PAGE_SIZE));
    }
    let grants = scene.hear_grants("grants").await?;
    let imported = scene.memory().import(scene.peer(), &grants)?;
    same(imported.region(), 0, &pattern(1, PAGES * PAGE_SIZE))?;
    imported.region().write(0, &pattern(2, PAGES * PAGE_SIZE));
    drop(imported);
    scene.meet("changed").await
}

pub(crate) async fn read_only<P: Platform>(scene: &Scene<'_, P>) -> Outcome {
    if scene.role() == Role::Subject {
        let mut pages = scene.memory().share_read_only(scene.peer(), 2)?;
        ensure!(
            pages.bytes().len() == 2 * PAGE_SIZE && pages.bytes().iter().all(|&byte| byte == 0),
            "fresh pages are not two pages of zeros"
        );
        pages.bytes_mut()[PAGE_SIZE..].copy_from_slice(&pattern(3, PAGE_SIZE));
        scene.tell_grants("grants", pages.grants()).await?;
        scene.meet("read").await?;
        pages.bytes_mut()[PAGE_SIZE] = 0xaa;
        scene.meet("changed").await?;
        scene.meet("tried").await?;
        let mut expected = pattern(3, PAGE_SIZE);
        expected[0] = 0xaa;
        ensure!(pages.bytes()[PAGE_SIZE..] == expected, "the peer wrote");
        return Ok(());
    }
    let grants = scene.hear_grants("grants").await?;
    let (memory, peer) = (scene.memory(), scene.peer());
    let mut page = alloc::vec![0; PAGE_SIZE];
    copy_in(memory, peer, grants[1], 0, &mut page)?;
    ensure!(page == pattern(3, PAGE_SIZE), "a copy differs");
    scene.meet("read").await?;
    scene.meet("changed").await?;
    copy_in(memory, peer, grants[1], 0, &mut page[..1])?;
    ensure!(page[0] == 0xaa, "a change does not show");
    let written = copy_out(memory, peer, grants[1], 8, b"fraud");
    ensure!(
        written == Err(MemoryError::BadGrant),
        "a copy into it says {written:?}"
    );
    let imported = memory.import(peer, &grants).err();
    ensure!(
        imported == Some(MemoryError::BadGrant),
        "mapping it to be written says {imported:?}"
    );
    scene.meet("tried").await
}
