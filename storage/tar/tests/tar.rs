//! Archives made by tar itself.

use std::fs;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::Command;
use std::task::{Context, Poll, Waker};

use morgana_block::{BlockDevice, RamDisk, Slice};
use morgana_tar::{Archive, Entry, Fault, Kind, Limits, OpenError, ReadError};
use proptest::prelude::*;

fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a disk in memory waits for nothing"),
    }
}

/// A directory that goes when the test ends.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("tar-{name}-{}", std::process::id()));
        drop(fs::remove_dir_all(&path));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, path: &str, contents: &[u8]) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, contents).unwrap();
    }

    /// The directory as an archive.
    fn tar(&self, options: &[&str]) -> Vec<u8> {
        let output = Command::new("tar")
            .args(options)
            .args(["-cf", "-", "-C"])
            .arg(&self.0)
            .arg(".")
            .output()
            .expect("tar is there wherever Debian's packages can be unpacked");
        assert!(output.status.success(), "{output:?}");
        output.stdout
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

fn disk(sector: u32, bytes: &[u8]) -> RamDisk {
    let sectors = bytes.len().div_ceil(sector as usize);
    let disk = RamDisk::new(sector, sectors as u64).unwrap();
    let mut padded = bytes.to_vec();
    padded.resize(sectors * sector as usize, 0);
    now(disk.write(0, &padded)).unwrap();
    disk
}

fn open(bytes: &[u8]) -> Result<Archive<RamDisk>, OpenError> {
    now(Archive::open(disk(512, bytes), Limits::default()))
}

fn paths<D: BlockDevice>(archive: &Archive<D>) -> Vec<String> {
    archive.entries().map(|entry| entry.path().into()).collect()
}

fn contents<D: BlockDevice>(archive: &Archive<D>, path: &str) -> Vec<u8> {
    let entry = archive.find(path).unwrap_or_else(|| panic!("no {path}"));
    now(archive.read(&entry, 1 << 20)).unwrap()
}

#[test]
fn all_formats_of_tar_and_all_sizes_of_sectors() {
    let scratch = Scratch::new("formats");
    let long = format!("{}/{}.txt", "directory".repeat(9), "name".repeat(15));
    let large: Vec<u8> = (0..100_000u32).map(|byte| byte as u8).collect();
    scratch.file("a.txt", b"contents of a");
    scratch.file("empty", b"");
    scratch.file("deep/er/block", &[7; 512]);
    scratch.file(&long, b"long");
    scratch.file("large", &large);
    std::os::unix::fs::symlink("a.txt", scratch.0.join("link")).unwrap();
    let longer = format!("x/{}", "name".repeat(50));
    for format in ["ustar", "pax", "gnu"] {
        if format != "ustar" {
            scratch.file(&longer, b"longer");
        }
        let bytes = scratch.tar(&[&format!("--format={format}")]);
        for sector in [512, 4096] {
            let archive = now(Archive::open(disk(sector, &bytes), Limits::default())).unwrap();
            assert_eq!(contents(&archive, "a.txt"), b"contents of a");
            assert_eq!(contents(&archive, "empty"), b"");
            assert_eq!(contents(&archive, "deep/er/block"), [7; 512]);
            assert_eq!(contents(&archive, &long), b"long");
            assert!(contents(&archive, "large") == large);
            if format != "ustar" {
                assert_eq!(contents(&archive, &longer), b"longer");
            }
            assert_eq!(archive.find("deep").unwrap().kind(), Kind::Directory);
            assert!(archive.find("a.txt").unwrap().modified() > 1_500_000_000);
            assert_eq!(archive.passed_over(), 1);
            assert_eq!(archive.find("link"), None);
            assert!(paths(&archive).is_sorted());
        }
    }
}

#[test]
fn a_size_in_a_pax_header_counts() {
    let scratch = Scratch::new("size");
    scratch.file("a", b"twelve bytes");
    scratch.file("b", b"after it");
    let bytes = scratch.tar(&["--format=pax", "--pax-option=size:=12"]);
    // Both files have the record, and the size of b is that of its header.
    let error = open(&bytes).map(|archive| contents(&archive, "a"));
    assert_eq!(error.unwrap(), b"twelve bytes");
}

#[test]
fn the_last_of_several_entries_counts() {
    let scratch = Scratch::new("twice");
    scratch.file("a", b"old");
    let mut bytes = scratch.tar(&["-b1"]);
    scratch.file("a", b"new");
    // Without the end's two blocks.
    bytes.truncate(bytes.len() - 1024);
    bytes.extend(scratch.tar(&["-b1"]));
    assert_eq!(contents(&open(&bytes).unwrap(), "a"), b"new");
}

#[test]
fn limits_hold() {
    let scratch = Scratch::new("limits");
    for index in 0..5 {
        scratch.file(&format!("file-{index}"), b"12345");
    }
    let bytes = scratch.tar(&[]);
    let limited = |entries, path_bytes| {
        let limits = Limits {
            entries,
            path_bytes,
        };
        now(Archive::open(disk(512, &bytes), limits))
    };
    // The five and the root.
    let archive = limited(6, 30).unwrap();
    for (entries, path_bytes) in [(5, 30), (6, 29)] {
        let Err(OpenError::Broken { fault, .. }) = limited(entries, path_bytes) else {
            panic!("there are too many");
        };
        assert_eq!(fault, Fault::TooManyEntries);
    }
    let entry = archive.find("file-0").unwrap();
    assert_eq!(now(archive.read(&entry, 4)), Err(ReadError::TooLarge));
    assert_eq!(now(archive.read(&entry, 5)).unwrap(), b"12345");
}

#[test]
fn what_is_no_archive_is_refused_with_its_place() {
    let scratch = Scratch::new("broken");
    scratch.file("a", b"a");
    let bytes = scratch.tar(&["-b1"]);
    let broken = |at, fault| Some(OpenError::Broken { at, fault });
    assert_eq!(open(&[]).err(), broken(0, Fault::Truncated));
    assert_eq!(open(&[1; 1024]).err(), broken(0, Fault::NotTar));
    // The root's header, that of a, the byte in it.
    let mut changed = bytes.clone();
    changed[512] ^= 1;
    assert_eq!(open(&changed).err(), broken(512, Fault::Checksum));
    let mut garbage = bytes.clone();
    garbage[1536..].fill(b'x');
    assert_eq!(open(&garbage).err(), broken(1536, Fault::NotTar));
    for blocks in 0..3 {
        let cut = open(&bytes[..blocks * 512]).err();
        assert!(
            matches!(
                cut,
                Some(OpenError::Broken {
                    fault: Fault::Truncated,
                    ..
                })
            ),
            "{blocks} blocks: {cut:?}"
        );
    }
    let up = scratch.tar(&["-b1", "--transform=s,^./a,../a,", "-P"]);
    assert_eq!(open(&up).err(), broken(512, Fault::Path));
}

#[test]
fn a_device_that_fails_says_so() {
    let scratch = Scratch::new("fails");
    scratch.file("a", &[1; 2000]);
    let whole = disk(512, &scratch.tar(&["-b1"]));
    let faulty = morgana_block::Faulty::new(
        &whole,
        morgana_block::Faults {
            reads: 1,
            ..morgana_block::Faults::default()
        },
        1,
    );
    let error = now(Archive::open(&faulty, Limits::default())).err();
    assert_eq!(error, Some(OpenError::Disk(morgana_block::BlockError::Io)));
    // An archive that ends with its slice has no block of zeros.
    let slice = Slice::new(&whole, 0..6).unwrap();
    assert!(now(Archive::open(slice, Limits::default())).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// Any part of a file is what was written.
    #[test]
    fn any_range_can_be_read(size in 0usize..5000, sector in prop::sample::select(vec![512u32, 2048, 4096]), ranges in prop::collection::vec((0u64..6000, 0usize..6000), 1..40)) {
        let scratch = Scratch::new("range");
        let bytes: Vec<u8> = (0..size).map(|byte| (byte * 7 % 251) as u8).collect();
        scratch.file("file", &bytes);
        let archive = now(Archive::open(disk(sector, &scratch.tar(&[])), Limits::default())).unwrap();
        let entry: Entry<'_> = archive.find("file").unwrap();
        for (offset, len) in ranges {
            let mut into = vec![0xee; len];
            let count = now(archive.read_at(&entry, offset, &mut into)).unwrap();
            let start = size.min(offset as usize);
            let end = size.min(start + len);
            prop_assert_eq!(&into[..count], &bytes[start..end]);
            prop_assert!(into[count..].iter().all(|&byte| byte == 0xee));
        }
    }
}
