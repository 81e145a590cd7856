//! When the bytes of a log were written: a file beside a log whose lines don't say it.
//!
//! `FILE.times` belongs to `FILE`, and moves with it. It begins with eight bytes that say what it is, and a number that no other log has; then come
//! entries of two numbers, of eight bytes each, little-endian as that one: a place in the log, and the time, in seconds of Unix. What lies from that place
//! on was written then or later, up to the next entry's. Where others move the log, as logrotate does, it goes after it ([`parts`](crate::parts)).

use std::fs::{File, Metadata};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::parts;

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
    log: PathBuf,
    file: File,
    len: u64,
    last: Option<TimeEntry>,
    /// How long the log was when it was written last: a shorter one was cut since.
    end: u64,
}

/// The name of the file that belongs to a log.
pub(crate) fn path_of(log: &Path) -> PathBuf {
    parts::with_suffix(log, "times")
}

impl Times {
    /// Goes on with the file that belongs to the log, or begins a new one, if there is none or if it was another log's.
    ///
    /// # Errors
    ///
    /// Those of the file.
    pub(crate) fn open(path: &Path, log: &Metadata) -> io::Result<Self> {
        parts::follow(path);
        let mut options = File::options();
        let mut file = options
            .create(true)
            .read(true)
            .append(true)
            .open(path_of(path))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let mut times = Self {
            log: path.to_owned(),
            file,
            len: bytes.len() as u64 / ENTRY as u64 * ENTRY as u64,
            last: None,
            end: log.len(),
        };
        match entries(&bytes, log) {
            Some(entries) => {
                // The last entry may have been cut off by a full disk.
                times.file.set_len(times.len)?;
                times.last = entries.last().copied();
            }
            None => {
                times.file.set_len(0)?;
                times.file.write_all(&beginning(log))?;
                times.len = ENTRY as u64;
            }
        }
        Ok(times)
    }

    /// Bytes are about to be written from this place on. An entry is made at most once a second, and only so many that the file is hardly longer than the log.
    ///
    /// # Errors
    ///
    /// Those of the file.
    pub(crate) fn note(&mut self, offset: u64, unix_seconds: u64) -> io::Result<()> {
        if self.was_cut(offset) {
            self.begin_anew()?;
        }
        let last = self.last;
        if self.len + ENTRY as u64 > offset + FREE
            || last.is_some_and(|last| last.unix_seconds == unix_seconds)
        {
            return Ok(());
        }
        let entry = [offset.to_le_bytes(), unix_seconds.to_le_bytes()];
        if let Err(error) = self.file.write_all(entry.as_flattened()) {
            // No piece of it stays.
            self.file.set_len(self.len)?;
            return Err(error);
        }
        self.len += ENTRY as u64;
        self.last = Some(TimeEntry {
            offset,
            unix_seconds,
        });
        Ok(())
    }

    /// The log is that long now.
    pub(crate) fn written(&mut self, end: u64) {
        self.end = end;
    }

    /// Whether the log ends before a place that was written.
    fn was_cut(&self, end: u64) -> bool {
        end < self.end || self.last.is_some_and(|last| end < last.offset)
    }

    /// The log was cut. What was noted goes with the copy that logrotate makes before (`copytruncate`), if there is one.
    fn begin_anew(&mut self) -> io::Result<()> {
        parts::follow(&self.log);
        if let Some(last) = self.last.take()
            && let Some((copy, metadata)) = parts::copy_of(&self.log, last)
        {
            let mut bytes = vec![0; self.len as usize];
            self.file.read_exact_at(&mut bytes, 0)?;
            bytes[..ENTRY].copy_from_slice(&beginning(&metadata));
            // Without it the copy is still whole.
            let _ = std::fs::write(path_of(&copy), bytes);
        }
        self.file.set_len(ENTRY as u64)?;
        self.len = ENTRY as u64;
        Ok(())
    }
}

/// What the file of this log begins with.
fn beginning(log: &Metadata) -> [u8; ENTRY] {
    let mut bytes = [0; ENTRY];
    bytes[..8].copy_from_slice(&MAGIC);
    bytes[8..].copy_from_slice(&identity(log).to_le_bytes());
    bytes
}

/// A number that no other log has, whatever its name: the inode number of one that was removed may be used again, but not with the same time of birth.
pub(crate) fn identity(log: &Metadata) -> u64 {
    let born = log.created().ok();
    let born = born.and_then(|born| born.duration_since(SystemTime::UNIX_EPOCH).ok());
    let born = born.map_or(0, |born| born.as_nanos() as u64);
    // Multiplied by an odd number, so that the two don't meet in the same bits.
    log.ino().wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ born
}

/// Which log's times a file says, by that number; `None` if it is no such file.
pub(crate) fn belongs_to(times: &Path) -> Option<u64> {
    let mut bytes = [0; ENTRY];
    File::open(times).ok()?.read_exact(&mut bytes).ok()?;
    owner(&bytes)
}

fn owner(bytes: &[u8]) -> Option<u64> {
    match bytes.as_chunks::<8>().0 {
        [MAGIC, identity, ..] => Some(u64::from_le_bytes(*identity)),
        _ => None,
    }
}

/// When the bytes of a log were written, as far as the file beside it says so, in order. Nothing, if there is no such file.
pub fn log_times(path: &Path, log: &Metadata) -> Vec<TimeEntry> {
    // Of one that somebody else has moved the file may be where it was.
    let places = [Some(path.to_owned()), parts::newest(path)];
    let read = |path: PathBuf| entries(&std::fs::read(path_of(&path)).ok()?, log);
    let mut found = places.into_iter().flatten().filter_map(read);
    found.next().unwrap_or_default()
}

/// The entries of a file that belongs to this log.
fn entries(bytes: &[u8], log: &Metadata) -> Option<Vec<TimeEntry>> {
    if owner(bytes)? != identity(log) {
        return None;
    }
    let (words, _) = bytes[ENTRY..].as_chunks::<8>();
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
