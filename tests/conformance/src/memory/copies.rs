//! Copies without mapping.

use alloc::vec::Vec;

use morgana_hal::{
    CopyFrom, CopyTo, GrantRef, Memory, MemoryError, PAGE_SIZE, Platform, ReadOnlyPages,
    SharedPages,
};

use super::{copy_in, copy_out, pattern, same};
use crate::failure::ensure;
use crate::{Outcome, Role, Scene};

/// A reserved entry that nobody uses.
const BAD: GrantRef = GrantRef::new(7);

pub(crate) async fn from<P: Platform>(scene: &Scene<'_, P>) -> Outcome {
    let content = pattern(4, PAGE_SIZE);
    if scene.role() == Role::Subject {
        let mut pages = scene.memory().share_read_only(scene.peer(), 1)?;
        pages.bytes_mut().copy_from_slice(&content);
        scene.tell("grant", pages.grants()[0].number()).await?;
        return scene.meet("copied").await;
    }
    let grant = scene.hear_grant("grant").await?;
    // Many operations, at odd places of memory of our own that cross pages, of lengths from 0 to 1,236.
    let mut target = alloc::vec![0_u8; 100_000];
    let place = |index: usize| index * 29 % 2_800;
    let mut rest = &mut target[..];
    let mut operations = Vec::new();
    for index in 0..150 {
        let (into, more) = rest.split_at_mut(index * 53 % 1_237);
        rest = more;
        operations.push(CopyFrom {
            grant: if index % 10 == 9 { BAD } else { grant },
            offset: place(index) as u16,
            into,
            status: Err(MemoryError::OutOfMemory),
        });
    }
    scene.memory().copy_from(scene.peer(), &mut operations);
    for (index, operation) in operations.iter().enumerate() {
        if index % 10 == 9 {
            ensure!(
                operation.status == Err(MemoryError::BadGrant),
                "copy {index}, of a bad grant, says {:?}",
                operation.status
            );
            continue;
        }
        ensure!(
            operation.status == Ok(()),
            "copy {index} says {:?}",
            operation.status
        );
        let expected = &content[place(index)..][..operation.into.len()];
        ensure!(*operation.into == *expected, "copy {index} differs");
    }
    scene.meet("copied").await
}

pub(crate) async fn to<P: Platform>(scene: &Scene<'_, P>) -> Outcome {
    let content = pattern(5, PAGE_SIZE);
    if scene.role() == Role::Subject {
        let shared = scene.memory().share(scene.peer(), 1)?;
        scene.tell("grant", shared.grants()[0].number()).await?;
        scene.meet("copied").await?;
        return same(morgana_hal::Pages::region(&shared), 0, &content);
    }
    let grant = scene.hear_grant("grant").await?;
    let pieces: Vec<&[u8]> = content.chunks(123).collect();
    let mut operations: Vec<CopyTo<'_>> = pieces
        .iter()
        .enumerate()
        // One of them a second time, to nowhere.
        .flat_map(|(index, &from)| [(index, from, grant), (index, from, BAD)])
        .map(|(index, from, grant)| CopyTo {
            grant,
            offset: (index * 123) as u16,
            from,
            status: Err(MemoryError::OutOfMemory),
        })
        .collect();
    scene.memory().copy_to(scene.peer(), &mut operations);
    for (index, operation) in operations.iter().enumerate() {
        let expected = match operation.grant {
            BAD => Err(MemoryError::BadGrant),
            _ => Ok(()),
        };
        ensure!(
            operation.status == expected,
            "copy {index} of {} says {:?}",
            operation.grant,
            operation.status
        );
    }
    scene.meet("copied").await
}

pub(crate) async fn out_of_page<P: Platform>(scene: &Scene<'_, P>) -> Outcome {
    let content = pattern(6, PAGE_SIZE);
    if scene.role() == Role::Subject {
        // The neighbour is granted too, but by a reference of its own.
        let shared = scene.memory().share(scene.peer(), 2)?;
        let region = morgana_hal::Pages::region(&shared);
        region.write(0, &content);
        scene.tell("grant", shared.grants()[0].number()).await?;
        scene.meet("tried").await?;
        same(region, 0, &content[..PAGE_SIZE - 4])?;
        same(region, PAGE_SIZE - 4, b"last")?;
        return same(region, PAGE_SIZE, &[0; PAGE_SIZE]);
    }
    let grant = scene.hear_grant("grant").await?;
    let (memory, peer) = (scene.memory(), scene.peer());
    for (offset, len) in [(4_093, 4), (4_096, 1), (1, PAGE_SIZE), (u16::MAX, 1)] {
        let mut bytes = alloc::vec![1; len];
        let read = copy_in(memory, peer, grant, offset, &mut bytes);
        let written = copy_out(memory, peer, grant, offset, &bytes);
        ensure!(
            (read, written) == (Err(MemoryError::OutOfPage), Err(MemoryError::OutOfPage)),
            "{len} bytes at {offset}: {read:?}, {written:?}"
        );
    }
    copy_out(memory, peer, grant, 4_092, b"last")?;
    let mut bytes = [0; 4];
    copy_in(memory, peer, grant, 4_092, &mut bytes)?;
    ensure!(&bytes == b"last", "the last bytes are {bytes:?}");
    let mut whole = alloc::vec![0; PAGE_SIZE];
    copy_in(memory, peer, grant, 0, &mut whole)?;
    ensure!(
        whole[..PAGE_SIZE - 4] == content[..PAGE_SIZE - 4],
        "the whole page differs"
    );
    scene.meet("tried").await
}
