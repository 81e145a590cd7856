//! Bytes that a seed gives for each place of a disk.

use alloc::vec;
use alloc::vec::Vec;

use crc32fast::Hasher;
use morgana::block::{BlockDevice, BlockError};
use morgana::exec::join_all;

/// Pieces of these sizes, in bytes, in turn: less than a page, pages, more than one request holds.
const SIZES: [usize; 6] = [4096, 65_536, 12_288, 524_288, 49_152, 8192];
/// How many pieces are under way at once.
const AT_ONCE: usize = 8;

/// Fills `bytes` with what the disk has at `offset`.
pub(crate) fn fill(seed: u64, offset: u64, bytes: &mut [u8]) {
    for (word, index) in bytes.chunks_exact_mut(8).zip(offset / 8..) {
        let value = index
            .wrapping_add(seed)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .rotate_left(17);
        word.copy_from_slice(&value.to_le_bytes());
    }
}

/// Fills the disk.
pub(crate) async fn write(disk: &impl BlockDevice, seed: u64) -> Result<(), BlockError> {
    for batch in pieces(disk).chunks(AT_ONCE) {
        let writes = batch.iter().map(|&(offset, len)| async move {
            let mut bytes = vec![0; len];
            fill(seed, offset, &mut bytes);
            disk.write(offset / disk.geometry().sector_size() as u64, &bytes)
                .await
        });
        join_all(writes)
            .await
            .into_iter()
            .collect::<Result<(), _>>()?;
    }
    disk.flush().await
}

/// The checksum of what is on the disk.
pub(crate) async fn read(disk: &impl BlockDevice) -> Result<u32, BlockError> {
    let mut crc = Hasher::new();
    for batch in pieces(disk).chunks(AT_ONCE) {
        let reads = batch.iter().map(|&(offset, len)| async move {
            let mut bytes = vec![0; len];
            let sector = offset / disk.geometry().sector_size() as u64;
            disk.read(sector, &mut bytes).await.map(|()| bytes)
        });
        for bytes in join_all(reads).await {
            crc.update(&bytes?);
        }
    }
    Ok(crc.finalize())
}

/// The checksum of a disk that [`write`] has filled.
pub(crate) fn checksum(disk: &impl BlockDevice, seed: u64) -> u32 {
    let mut crc = Hasher::new();
    let mut bytes = vec![0; 65_536];
    for (offset, len) in pieces(disk) {
        let mut done = 0;
        while done < len {
            let count = bytes.len().min(len - done);
            fill(seed, offset + done as u64, &mut bytes[..count]);
            crc.update(&bytes[..count]);
            done += count;
        }
    }
    crc.finalize()
}

/// The whole disk in pieces.
fn pieces(disk: &impl BlockDevice) -> Vec<(u64, usize)> {
    let total = disk.geometry().bytes();
    let mut pieces = Vec::new();
    let mut at = 0;
    for size in SIZES.into_iter().cycle() {
        if at >= total {
            break;
        }
        let len = (size as u64).min(total - at) as usize;
        pieces.push((at, len));
        at += len as u64;
    }
    pieces
}
