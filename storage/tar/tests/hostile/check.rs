//! Any bytes as a disk: it is an archive or it is not, and what is found in it can be read.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use morgana_block::{BlockDevice, RamDisk};
use morgana_tar::{Archive, Kind, Limits};

/// What nobody may break, whatever is on the disk.
pub(crate) fn check(input: &[u8]) {
    now(read_all(disk(input)));
    // Few inputs have a checksum that fits: here all have.
    let mut mended = input.to_vec();
    mended.chunks_exact_mut(512).for_each(mend);
    now(read_all(disk(&mended)));
}

/// Puts in the checksum of what would be a header.
fn mend(block: &mut [u8]) {
    if &block[257..262] == b"ustar" {
        block[148..156].fill(b' ');
        let sum: u32 = block.iter().map(|&byte| u32::from(byte)).sum();
        block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    }
}

fn disk(input: &[u8]) -> RamDisk {
    let disk = RamDisk::new(512, input.len() as u64 / 512).unwrap();
    now(disk.write(0, &input[..input.len() / 512 * 512])).unwrap();
    disk
}

async fn read_all(disk: RamDisk) {
    let limits = Limits {
        entries: 8,
        path_bytes: 2000,
    };
    let size = disk.geometry().bytes();
    let Ok(archive) = Archive::open(disk, limits).await else {
        return;
    };
    let entries: Vec<_> = archive.entries().collect();
    assert!(entries.len() + archive.passed_over() <= limits.entries);
    for entry in &entries {
        assert_eq!(archive.find(entry.path()).as_ref(), Some(entry));
        assert!(
            !entry
                .path()
                .split('/')
                .any(|name| matches!(name, "" | "." | ".."))
        );
        assert!(entry.size() <= size);
        let read = archive.read(entry, size as usize).await;
        match entry.kind() {
            Kind::File => assert_eq!(read.unwrap().len() as u64, entry.size()),
            Kind::Directory => assert!(read.is_err()),
        }
    }
}

/// A disk in memory never waits.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a disk in memory waits for nothing"),
    }
}
