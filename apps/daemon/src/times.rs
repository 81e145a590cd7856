//! When the bytes of a log were written: a file beside a log whose lines don't say it.
//!
//! `FILE.times` belongs to `FILE`, and moves with it. It begins with eight bytes that say what it is and the log's inode number; then come
//! entries of two numbers, of eight bytes each, little-endian as that one: a place in the log, and the time, in seconds of Unix. What lies from that place
//! on was written then or later, up to the next entry's.

use std::ffi::OsString;
use std::fs::{File, Metadata};
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

const MAGIC: [u8; 8] = *b"logtimes";
/// Bytes of the beginning, and of an entry.
const ENTRY: usize = 16;
/// The file may be as long as its log, and so many bytes longer.
const FREE: u64 = 4096;

/// From a place in a log on, bytes were written at this time or later.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TimeEntry {
    /// The place, in bytes from the log's beginning.
    pub offset: u64,
    /// The time, in seconds of Unix.
    pub unix_seconds: u64,
}

/// The file, while the log is written.
#[derive(Debug)]
pub(crate) struct Times {
    file: File,
    len: u64,
    last: Option<TimeEntry>,
}

/// The name of the file that belongs to a log.
pub(crate) fn path_of(log: &Path) -> PathBuf {
    let mut name = OsString::from(log);
    name.push(".times");
    name.into()
}

impl Times {
    /// Goes on with the file that belongs to the log, or begins a new one, if there is none or if it was another log's.
    ///
    /// # Errors
    ///
    /// Those of the file.
    pub(crate) fn open(path: &Path, log: &Metadata) -> io::Result<Self> {
        let mut options = File::options();
        let mut file = options
            .create(true)
            .read(true)
            .append(true)
            .open(path_of(path))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let entries = entries(&bytes, log);
        let len = bytes.len() as u64 / ENTRY as u64 * ENTRY as u64;
        match entries {
            Some(entries) => {
                // The last entry may have been cut off by a full disk.
                file.set_len(len)?;
                let last = entries.last().copied();
                Ok(Self { file, len, last })
            }
            None => {
                file.set_len(0)?;
                file.write_all(&[MAGIC, log.ino().to_le_bytes()].concat())?;
                let len = ENTRY as u64;
                Ok(Self {
                    file,
                    len,
                    last: None,
                })
            }
        }
    }

    /// Bytes are written from this place on. An entry is made at most once a second, and only so many that the file is hardly longer than the log.
    ///
    /// # Errors
    ///
    /// Those of the file.
    pub(crate) fn note(&mut self, offset: u64, unix_seconds: u64) -> io::Result<()> {
        let last = self.last.take();
        if last.is_some_and(|last| offset < last.offset) {
            // Somebody has cut the log.
            self.file.set_len(ENTRY as u64)?;
            self.len = ENTRY as u64;
        } else if self.len + ENTRY as u64 > offset + FREE
            || last.is_some_and(|last| last.unix_seconds == unix_seconds)
        {
            self.last = last;
            return Ok(());
        }
        let entry = [offset.to_le_bytes(), unix_seconds.to_le_bytes()];
        self.file.write_all(entry.as_flattened())?;
        self.len += ENTRY as u64;
        self.last = Some(TimeEntry {
            offset,
            unix_seconds,
        });
        Ok(())
    }
}

/// When the bytes of a log were written, as far as the file beside it says so, in order. Nothing, if there is no such file.
pub fn log_times(path: &Path, log: &Metadata) -> Vec<TimeEntry> {
    let bytes = std::fs::read(path_of(path)).unwrap_or_default();
    entries(&bytes, log).unwrap_or_default()
}

/// The entries of a file that belongs to this log.
fn entries(bytes: &[u8], log: &Metadata) -> Option<Vec<TimeEntry>> {
    let (words, _) = bytes.as_chunks::<8>();
    let (beginning, words) = words.split_first_chunk::<2>()?;
    if beginning[0] != MAGIC || u64::from_le_bytes(beginning[1]) != log.ino() {
        return None;
    }
    let (pairs, _) = words.as_chunks::<2>();
    let mut entries: Vec<TimeEntry> = Vec::with_capacity(pairs.len());
    for [offset, seconds] in pairs {
        let entry = TimeEntry {
            offset: u64::from_le_bytes(*offset),
            unix_seconds: u64::from_le_bytes(*seconds),
        };
        if entries
            .last()
            .is_some_and(|last| entry.offset < last.offset)
        {
            break;
        }
        entries.push(entry);
    }
    Some(entries)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn entry(offset: u64, unix_seconds: u64) -> TimeEntry {
        TimeEntry {
            offset,
            unix_seconds,
        }
    }

    #[test]
    fn times_are_noted_seldom_and_found_again() {
        let folder = std::env::temp_dir().join(format!("morgana-times-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("log");
        fs::write(&path, b"x").unwrap();
        let log = fs::metadata(&path).unwrap();
        let mut times = Times::open(&path, &log).unwrap();
        for (offset, time) in [(0, 100), (10, 100), (20, 101), (30, 101), (40, 99)] {
            times.note(offset, time).unwrap();
        }
        let noted = [entry(0, 100), entry(20, 101), entry(40, 99)];
        assert_eq!(log_times(&path, &log), noted);
        // It is opened anew, with a piece of an entry at its end.
        let mut cut = File::options().append(true).open(path_of(&path)).unwrap();
        cut.write_all(b"cut").unwrap();
        let mut times = Times::open(&path, &log).unwrap();
        times.note(50, 99).unwrap();
        times.note(60, 102).unwrap();
        let last = log_times(&path, &log).pop();
        assert_eq!(last, Some(entry(60, 102)));
        // Many short writes: no more entries than the log has room for.
        for time in 103..5000 {
            times.note(61, time).unwrap();
        }
        let len = fs::metadata(path_of(&path)).unwrap().len();
        assert!((4000..=61 + FREE).contains(&len), "{len}");
        // The log was cut; then it is another file.
        times.note(5, 6000).unwrap();
        assert_eq!(log_times(&path, &log), [entry(5, 6000)]);
        let other = folder.join("other");
        fs::write(&other, b"").unwrap();
        let other = fs::metadata(other).unwrap();
        assert_eq!(log_times(&path, &other), []);
        Times::open(&path, &other).unwrap();
        assert_eq!(log_times(&path, &log), []);
        fs::remove_dir_all(folder).unwrap();
    }
}
