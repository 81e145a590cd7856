//! Grants, from this domain to itself.

use alloc::vec::Vec;

use morgana_hal::{
    CopyFrom, CopyTo, DomId, GrantRef, Memory, MemoryError, Pages, Platform, ReadOnlyPages,
    SharedPages,
};

use super::{Guest, Outcome, ensure};

fn text(error: MemoryError) -> alloc::string::String {
    alloc::format!("{error}")
}

pub(super) fn import(guest: &Guest) -> Outcome {
    let memory = guest.pv.memory();
    let shared = memory.share(guest.own, 3).map_err(text)?;
    ensure!(shared.region().len() == 3 * 4096, "not three pages");
    let mut first = [1; 64];
    shared.region().read(0, &mut first);
    ensure!(first == [0; 64], "fresh pages are not zero");
    // In another order than they have here.
    let order: Vec<GrantRef> = [2, 0, 1].map(|index: usize| shared.grants()[index]).into();
    let imported = memory.import(guest.own, &order).map_err(text)?;
    ensure!(
        imported.region().len() == 3 * 4096,
        "not three pages imported"
    );
    for page in 0..3_usize {
        shared
            .region()
            .write(page * 4096 + 100, &[page as u8 + 1; 50]);
    }
    for (at, page) in [2_u8, 0, 1].into_iter().enumerate() {
        let mut bytes = [0; 50];
        imported.region().read(at * 4096 + 100, &mut bytes);
        ensure!(bytes == [page + 1; 50], "page {at} shows {bytes:?}");
    }
    imported
        .region()
        .write(4096 * 2 + 7, b"from the other side");
    let mut bytes = [0; 19];
    shared.region().read(4096 + 7, &mut bytes);
    ensure!(&bytes == b"from the other side", "{bytes:?}");
    Ok(())
}

pub(super) fn copy(guest: &Guest) -> Outcome {
    let memory = guest.pv.memory();
    let mut source = memory.share_read_only(guest.own, 1).map_err(text)?;
    for (index, byte) in source.bytes_mut().iter_mut().enumerate() {
        *byte = (index * 7 + index / 256) as u8;
    }
    let expected: Vec<u8> = source.bytes().into();
    let grant = source.grants()[0];
    // More operations than one batch has, at odd places in own memory that cross pages.
    let mut target = alloc::vec![0_u8; 3 * 4096 * 10];
    let mut operations: Vec<CopyFrom<'_>> = target
        .chunks_mut(1_237)
        .enumerate()
        .map(|(index, into)| CopyFrom {
            grant,
            offset: (index * 29 % 2_800) as u16,
            into,
            status: Err(MemoryError::BadGrant),
        })
        .collect();
    memory.copy_from(guest.own, &mut operations);
    for (index, operation) in operations.iter().enumerate() {
        ensure!(
            operation.status.is_ok(),
            "copy {index}: {:?}",
            operation.status
        );
        let from = index * 29 % 2_800;
        ensure!(
            *operation.into == expected[from..from + operation.into.len()],
            "copy {index} differs"
        );
    }
    let shared = memory.share(guest.own, 1).map_err(text)?;
    let mut operations: Vec<CopyTo<'_>> = expected
        .chunks(500)
        .enumerate()
        .map(|(index, from)| CopyTo {
            grant: shared.grants()[0],
            offset: (index * 500) as u16,
            from,
            status: Err(MemoryError::BadGrant),
        })
        .collect();
    memory.copy_to(guest.own, &mut operations);
    ensure!(
        operations.iter().all(|operation| operation.status.is_ok()),
        "a copy failed"
    );
    let mut back = alloc::vec![0; 4096];
    shared.region().read(0, &mut back);
    ensure!(back == expected, "what was copied there differs");
    Ok(())
}

pub(super) fn refused(guest: &Guest) -> Outcome {
    let memory = guest.pv.memory();
    let mut shared = memory.share_read_only(guest.own, 1).map_err(text)?;
    shared.bytes_mut().fill(9);
    let good = shared.grants()[0];
    let bad = GrantRef::new(400);
    // Two of four fail, each for its own reason; the others do not mind.
    let mut buffers = [[0_u8; 100]; 4];
    let mut operations: Vec<CopyFrom<'_>> = buffers
        .iter_mut()
        .zip([(good, 0), (bad, 0), (good, 4_000), (good, 3_996)])
        .map(|(into, (grant, offset))| CopyFrom {
            grant,
            offset,
            into,
            status: Ok(()),
        })
        .collect();
    memory.copy_from(guest.own, &mut operations);
    let found: Vec<_> = operations
        .iter()
        .map(|operation| operation.status)
        .collect();
    ensure!(
        found
            == [
                Ok(()),
                Err(MemoryError::BadGrant),
                Err(MemoryError::OutOfPage),
                Ok(())
            ],
        "{found:?}"
    );
    drop(operations);
    ensure!(
        buffers[0] == [9; 100] && buffers[1] == [0; 100],
        "wrong bytes"
    );
    let mut write = [CopyTo {
        grant: good,
        offset: 0,
        from: b"x",
        status: Ok(()),
    }];
    memory.copy_to(guest.own, &mut write);
    ensure!(
        write[0].status == Err(MemoryError::BadGrant),
        "wrote to a read-only grant: {:?}",
        write[0].status
    );
    ensure!(shared.bytes()[0] == 9, "a read-only page changed");
    for grants in [&[good][..], &[bad], &[bad, good]] {
        let imported = memory.import(guest.own, grants).err();
        ensure!(
            imported == Some(MemoryError::BadGrant),
            "{grants:?}: {imported:?}"
        );
    }
    let nobody = memory.import(DomId::new(0x7fe0), &[good]).err();
    ensure!(nobody == Some(MemoryError::NoSuchDomain), "{nobody:?}");
    Ok(())
}

pub(super) fn quarantine(guest: &Guest) -> Outcome {
    let memory = guest.pv.memory();
    let shared = memory.share(guest.own, 2).map_err(text)?;
    let (kept, grants) = (shared.grants()[1], shared.grants().len());
    let imported = memory.import(guest.own, &[kept]).map_err(text)?;
    drop(shared);
    let usage = guest.pv.usage();
    ensure!(
        usage.quarantined_pages == 1 && usage.grants_used == 1,
        "of {grants} grants with one in use: {usage:?}"
    );
    imported.region().write(0, b"still there");
    drop(imported);
    let usage = guest.pv.usage();
    ensure!(
        usage.quarantined_pages == 0 && usage.grants_used == 0,
        "after it was let go: {usage:?}"
    );
    Ok(())
}

pub(super) fn many(guest: &Guest) -> Outcome {
    let memory = guest.pv.memory();
    let usage = guest.pv.usage();
    let free_pages = (usage.heap_total_bytes - usage.heap_used_bytes) / 4096;
    // More than two frames of the table (512 entries each) hold, if the domain has as many pages.
    let runs = 150.min(free_pages / 2 / 8);
    let mut all = Vec::new();
    for _ in 0..runs {
        all.push(memory.share(guest.own, 8).map_err(text)?);
    }
    ensure!(
        guest.pv.usage().grants_used == runs * 8,
        "{} grants in use",
        guest.pv.usage().grants_used
    );
    let mut grants: Vec<u32> = all
        .iter()
        .flat_map(|shared| shared.grants().iter().map(|grant| grant.number()))
        .collect();
    grants.sort_unstable();
    grants.dedup();
    ensure!(grants.len() == runs * 8, "a reference was given twice");
    // The last one works as well as the first.
    let last = all.last().ok_or("no pages")?;
    let imported = memory.import(guest.own, last.grants()).map_err(text)?;
    last.region().write(8 * 4096 - 4, b"last");
    let mut bytes = [0; 4];
    imported.region().read(8 * 4096 - 4, &mut bytes);
    ensure!(&bytes == b"last", "{bytes:?}");
    Ok(())
}
