//! Grants.

use alloc::format;
use alloc::vec::Vec;

use morgana_hal::{CopyFrom, CopyTo, DomId, GrantRef, Memory, MemoryError, ReadRegion};

use crate::Failure;

pub(crate) mod copies;
pub(crate) mod ends;
pub(crate) mod refused;
pub(crate) mod shared;

/// One copy out of a peer's page.
fn copy_in<M: Memory>(
    memory: &M,
    peer: DomId,
    grant: GrantRef,
    offset: u16,
    into: &mut [u8],
) -> Result<(), MemoryError> {
    let mut operation = [CopyFrom {
        grant,
        offset,
        into,
        status: Ok(()),
    }];
    memory.copy_from(peer, &mut operation);
    operation[0].status
}

/// One copy into a peer's page.
fn copy_out<M: Memory>(
    memory: &M,
    peer: DomId,
    grant: GrantRef,
    offset: u16,
    from: &[u8],
) -> Result<(), MemoryError> {
    let mut operation = [CopyTo {
        grant,
        offset,
        from,
        status: Ok(()),
    }];
    memory.copy_to(peer, &mut operation);
    operation[0].status
}

/// Bytes that differ from place to place, and from seed to seed.
fn pattern(seed: usize, len: usize) -> Vec<u8> {
    (0..len)
        .map(|index| ((index * 7 + index / 251 + seed * 31) % 255) as u8 + 1)
        .collect()
}

/// Compares a part of a region.
fn same(region: &ReadRegion, offset: usize, expected: &[u8]) -> Result<(), Failure> {
    let mut found = alloc::vec![0; expected.len()];
    region.read(offset, &mut found);
    match found.iter().zip(expected).position(|(a, b)| a != b) {
        None => Ok(()),
        Some(at) => Err(Failure::new(format!(
            "byte {} is {:#x}, not {:#x}",
            offset + at,
            found[at],
            expected[at]
        ))),
    }
}
