//! A part of a file, in the address space.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use morgana_hal::{PAGE_SIZE, Pages, SharedRegion};
use rustix::fs::{FallocateFlags, fallocate};
use rustix::io::Errno;

use super::Mapping;

/// Pages of a file that others may read: what is written here is in the file at once, with no system call, and stays there if the process is killed.
///
/// The file must not be made shorter by anybody as long as this lives: the kernel kills a process (`SIGBUS`) that touches what a file no longer has.
#[derive(Debug)]
pub struct MappedFile {
    region: SharedRegion,
    _mapping: Mapping,
}

impl MappedFile {
    /// Maps `pages` pages of the file, which is open for reading and writing, from `offset` on, a multiple of the size of a page. The file gets them if it does not
    /// have them, and memory for all of them: it cannot run out later.
    ///
    /// # Errors
    ///
    /// The kernel's: that there is no room for them, above all.
    pub fn new(file: &File, offset: u64, pages: usize) -> io::Result<Self> {
        let len = pages as u64 * PAGE_SIZE as u64;
        match fallocate(file, FallocateFlags::empty(), offset, len) {
            Ok(()) => {}
            Err(Errno::OPNOTSUPP) => fill_up(file, offset, pages)?,
            Err(errno) => return Err(errno.into()),
        }
        let mapping = Mapping::filled(file, offset, pages)?;
        // SAFETY: the mapping is kept beside the region, and nobody makes references into it.
        let region = unsafe { mapping.region() };
        Ok(Self {
            region,
            _mapping: mapping,
        })
    }
}

// SAFETY: `region` is never changed, and the mapping keeps its pages until the value is dropped, wherever it is moved.
unsafe impl Pages for MappedFile {
    fn region(&self) -> &SharedRegion {
        &self.region
    }
}

/// For file systems that cannot reserve: zeros behind the file's end.
fn fill_up(file: &File, offset: u64, pages: usize) -> io::Result<()> {
    let end = offset + pages as u64 * PAGE_SIZE as u64;
    let mut at = file.metadata()?.len();
    while at < end {
        let len = (end - at).min(PAGE_SIZE as u64) as usize;
        file.write_all_at(&[0; PAGE_SIZE][..len], at)?;
        at += len as u64;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::io::Write;

    #[test]
    fn what_is_written_is_in_the_file() {
        let path = std::env::temp_dir().join(format!("morgana-mapped-{}", std::process::id()));
        let mut options = File::options();
        let options = options.read(true).write(true).create(true).truncate(true);
        let mut file = options.open(&path).unwrap();
        file.write_all(b"head").unwrap();
        let first = MappedFile::new(&file, 0, 2).unwrap();
        first.region().write(4, b"behind");
        let second = MappedFile::new(&file, PAGE_SIZE as u64, 2).unwrap();
        second.region().write(2 * PAGE_SIZE - 3, b"end");
        first.region().write(2 * PAGE_SIZE - 1, b"x");
        drop((first, second));
        let bytes = fs::read(&path).unwrap();
        assert_eq!(bytes.len(), 3 * PAGE_SIZE);
        assert!(bytes.starts_with(b"headbehind\0") && bytes.ends_with(b"\0end"));
        assert_eq!(bytes[2 * PAGE_SIZE - 1], b'x');
        fs::remove_file(&path).unwrap();
        // The file is where it was, and can be longer.
        fill_up(&file, 0, 4).unwrap();
        assert_eq!(file.metadata().unwrap().len(), 4 * PAGE_SIZE as u64);
        assert!(MappedFile::new(&file, 0, 1 << 40).is_err());
    }
}
