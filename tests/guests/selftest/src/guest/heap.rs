//! The allocator under load.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use morgana_hal::Platform;

use super::{Guest, Outcome, ensure};

pub(super) fn small(Guest { pv, .. }: &Guest) -> Outcome {
    let before = pv.usage().heap_used_bytes;
    let mut map: BTreeMap<u32, Vec<u8>> = BTreeMap::new();
    let mut random = 1_u32;
    for step in 0..20_000_u32 {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let key = random >> 22;
        if step % 3 == 2 {
            if let Some(bytes) = map.remove(&key) {
                ensure!(
                    bytes.iter().all(|&byte| byte == key as u8),
                    "object {key} was overwritten"
                );
            }
        } else {
            map.insert(key, alloc::vec![key as u8; (random >> 8 & 1023) as usize]);
        }
    }
    drop(map);
    // Each of 16 size classes may keep a page.
    let after = pv.usage().heap_used_bytes;
    ensure!(
        after <= before + 16 * 4096,
        "{before} bytes used before, {after} after"
    );
    Ok(())
}

pub(super) fn large(Guest { pv, .. }: &Guest) -> Outcome {
    let before = pv.usage().heap_used_bytes;
    let mut blocks: Vec<Vec<u8>> = Vec::new();
    for round in 0..200_usize {
        blocks.push(alloc::vec![round as u8; 3_000 + round * 97]);
        if round % 3 == 0 {
            blocks.swap_remove(round % blocks.len());
        }
        for block in &blocks {
            ensure!(block.first() == block.last(), "a block was overwritten");
        }
    }
    drop(blocks);
    let after = pv.usage().heap_used_bytes;
    ensure!(
        after <= before + 16 * 4096,
        "{before} bytes used before, {after} after"
    );
    Ok(())
}

pub(super) fn most(Guest { pv, .. }: &Guest) -> Outcome {
    let before = pv.usage();
    let free = before.heap_total_bytes - before.heap_used_bytes;
    let mut blocks: Vec<Vec<u64>> = Vec::new();
    let mut taken = 0;
    // Seven eighths of what is free: page tables need some.
    while taken < free / 8 * 7 {
        let mut block = Vec::new();
        ensure!(
            block.try_reserve_exact(8_192).is_ok(),
            "{taken} bytes of {free} could be had"
        );
        block.resize(8_192, blocks.len() as u64);
        taken += 8_192 * 8;
        blocks.push(block);
    }
    for (index, block) in blocks.iter().enumerate() {
        ensure!(
            block.iter().step_by(64).all(|&word| word == index as u64),
            "block {index} was overwritten"
        );
    }
    let mut impossible: Vec<u8> = Vec::new();
    ensure!(
        impossible.try_reserve_exact(free).is_err(),
        "more memory than there is"
    );
    Ok(())
}
