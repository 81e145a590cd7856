//! Any bytes as the first half of a queue, whose checksums fit: it is opened or it is not, and what is in it obeys the rules.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use morgana_block::{BlockDevice, RamDisk};
use morgana_queue::{Backoff, JobId, JobQueue, Limits, NewJob, Queue};

const SECTOR: usize = 512;

fn limits() -> Limits {
    Limits {
        jobs: 16,
        payload: 64,
        key: 8,
        bytes: 256,
        keys: 8,
        backoff: Backoff { first: 1, most: 4 },
        ..Limits::default()
    }
}

/// What nobody may break, whatever is on the device: the bytes as they are, and as records behind a header and checksums that fit.
pub(crate) fn check(input: &[u8]) {
    let sectors = limits().device_bytes().div_ceil(SECTOR as u64);
    now(use_all(disk(input, sectors)));
    now(use_all(disk(&wrapped(input, sectors / 2), sectors)));
}

fn disk(input: &[u8], sectors: u64) -> RamDisk {
    let disk = RamDisk::new(SECTOR as u32, sectors).unwrap();
    let mut bytes = input[..input.len().min(sectors as usize * SECTOR)].to_vec();
    bytes.resize(bytes.len().next_multiple_of(SECTOR), 0);
    now(disk.write(0, &bytes)).unwrap();
    disk
}

/// A half with one batch, of these records.
fn wrapped(records: &[u8], half: u64) -> Vec<u8> {
    let (nonce, time) = (7_u64, 5_u64);
    let mut bytes = b"mrgnjob1".to_vec();
    for number in [1, SECTOR as u64, half, 1, nonce, 0] {
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    let sum = crc32fast::hash(&bytes);
    bytes.extend_from_slice(&sum.to_le_bytes());
    bytes.resize(SECTOR, 0);
    let mut covered = Vec::new();
    for number in [nonce, 0, time, records.len() as u64] {
        covered.extend_from_slice(&number.to_le_bytes());
    }
    covered.extend_from_slice(records);
    for number in [nonce, 0, time] {
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    bytes.extend_from_slice(&(records.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&crc32fast::hash(&covered).to_le_bytes());
    bytes.extend_from_slice(records);
    bytes
}

async fn use_all(disk: RamDisk) {
    let Ok(queue) = Queue::open(disk, || 1 << 20, limits(), 1).await else {
        return;
    };
    let before = queue.statistics().await.unwrap();
    _ = queue.enqueue(NewJob::default()).await;
    for _ in 0..before.ready + 1 {
        if let Some(lease) = queue.lease(10).await.unwrap() {
            queue.acknowledge(lease.id, lease.token).await.unwrap();
        }
    }
    assert_eq!(queue.statistics().await.unwrap().ready, 0);
    for letter in queue.dead_letters(JobId(0), 1000).await.unwrap() {
        queue.purge(letter.id).await.unwrap();
    }
    assert_eq!(queue.statistics().await.unwrap().dead, 0);
}

/// A disk in memory never waits.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a disk in memory waits for nothing"),
    }
}
