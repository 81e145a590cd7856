//! The parts of a log (`FILE`, `FILE.1` and so on), where somebody else moves them: logrotate, mostly. Files of times go after them.
//!
//! logrotate either moves `FILE` to `FILE.1` and has the daemon open a new one (SIGHUP), or copies it there and cuts it (`copytruncate`). Either way it
//! has moved `FILE.1` to `FILE.2` before, and so on, and it may compress older ones, of which nobody here reads any more.

use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::times::{TimeEntry, belongs_to, identity, path_of};

/// A path with a word behind it.
pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".");
    name.push(suffix);
    name.into()
}

/// A part of a log: the newest has the number 0.
pub(crate) fn part(log: &Path, number: u32) -> PathBuf {
    match number {
        0 => log.to_owned(),
        number => with_suffix(log, &number.to_string()),
    }
}

/// The newest part of the log of which this is an older one.
pub(crate) fn newest(part: &Path) -> Option<PathBuf> {
    let number = part.extension()?.to_str()?;
    number.parse::<u32>().ok()?;
    Some(part.with_extension(""))
}

/// Moves files of times to where their logs are now. Those whose logs are gone go, too.
pub(crate) fn follow(log: &Path) {
    let is_there = |number: &u32| path_of(&part(log, *number)).exists();
    let oldest = (1..).take_while(is_there).last().unwrap_or(0);
    // The oldest first: it makes room for the next.
    for number in (0..=oldest).rev() {
        let times = path_of(&part(log, number));
        let Some(whose) = belongs_to(&times) else {
            continue;
        };
        // A log becomes older only.
        let parts = (number..).map(|number| part(log, number));
        let mut there = parts.map_while(|part| Some((fs::metadata(&part).ok()?, part)));
        // What cannot be moved or removed is of no log then, and is not taken for another's.
        let _ = match there.find(|(metadata, _)| identity(metadata) == whose) {
            Some((_, part)) if path_of(&part) == times => Ok(()),
            Some((_, part)) => fs::rename(&times, path_of(&part)),
            None => fs::remove_file(&times),
        };
    }
}

/// The copy that was made of a log before it was cut: it has no times, and is neither shorter nor older than the last that was noted of the log.
pub(crate) fn copy_of(log: &Path, last: TimeEntry) -> Option<(PathBuf, Metadata)> {
    let copy = part(log, 1);
    let metadata = fs::metadata(&copy).ok()?;
    // The time of a file may be that of the last tick of the kernel's clock.
    let modified = metadata.modified().ok()? + Duration::from_secs(1);
    let noted = SystemTime::UNIX_EPOCH + Duration::from_secs(last.unix_seconds);
    let is_it = metadata.len() >= last.offset && modified >= noted && !path_of(&copy).exists();
    is_it.then_some((copy, metadata))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{LogFile, Rotation, log_times};
    use std::fs::File;

    /// A folder with a log, which goes with the test.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let name = format!("morgana-parts-{name}-{}", std::process::id());
            let folder = std::env::temp_dir().join(name);
            fs::create_dir_all(&folder).unwrap();
            Self(folder)
        }

        fn log(&self) -> PathBuf {
            self.0.join("log")
        }

        fn open(&self) -> LogFile {
            LogFile::open_timed(&self.log(), Rotation::default()).unwrap()
        }

        /// Whether it is noted when a part was begun. (The second may have passed in the middle of it.)
        fn is_noted(&self, number: u32) -> bool {
            let path = part(&self.log(), number);
            let times = log_times(&path, &fs::metadata(&path).unwrap());
            assert!(times.first().is_none_or(|first| first.offset == 0));
            !times.is_empty()
        }

        fn rename(&self, from: u32, to: u32) {
            fs::rename(part(&self.log(), from), part(&self.log(), to)).unwrap();
        }

        /// How many files there are.
        fn files(&self) -> usize {
            fs::read_dir(&self.0).unwrap().count()
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn times_follow_a_log_that_was_moved() {
        let folder = Folder::new("moved");
        let mut log = folder.open();
        log.add(b"one\n").unwrap();
        // The daemon does not know yet, and goes on; who reads finds the times.
        folder.rename(0, 1);
        log.add(b"still one\n").unwrap();
        assert!(folder.is_noted(1));
        log = log.reopened().unwrap();
        log.add(b"two\n").unwrap();
        assert!(folder.is_noted(0) && folder.is_noted(1));
        folder.rename(1, 2);
        folder.rename(0, 1);
        log = log.reopened().unwrap();
        assert!(!folder.is_noted(0) && folder.is_noted(1) && folder.is_noted(2));
        assert_eq!(folder.files(), 6);
        // Twice while no daemon was there, and the oldest goes.
        drop(log);
        for _ in 0..2 {
            folder.rename(1, 2);
            folder.rename(0, 1);
            File::create(folder.log()).unwrap();
        }
        let mut log = folder.open();
        log.add(b"three\n").unwrap();
        assert!(folder.is_noted(0) && !folder.is_noted(1) && !folder.is_noted(2));
        assert_eq!(folder.files(), 5);
    }

    #[test]
    fn times_go_with_a_log_that_was_compressed() {
        let folder = Folder::new("compressed");
        let mut log = folder.open();
        for round in 0..4 {
            log.add(b"line\n").unwrap();
            let _ = fs::rename(part(&folder.log(), 1), folder.0.join("log.2.gz"));
            folder.rename(0, 1);
            log = log.reopened().unwrap();
            assert!(!folder.is_noted(0) && folder.is_noted(1));
            assert_eq!(folder.files(), if round == 0 { 4 } else { 5 });
        }
    }

    #[test]
    fn times_go_with_the_copy_of_a_log_that_was_cut() {
        let folder = Folder::new("copied");
        let path = folder.log();
        let mut log = folder.open();
        for round in 0..3 {
            log.add(b"a long line\n").unwrap();
            for number in (1..=round).rev() {
                folder.rename(number, number + 1);
            }
            fs::copy(&path, part(&path, 1)).unwrap();
            let cut = File::options().write(true).open(&path).unwrap();
            cut.set_len(0).unwrap();
            log.add(b"x\n").unwrap();
            for number in 0..=round + 1 {
                assert!(folder.is_noted(number), "{round} {number}");
            }
        }
        // Nobody has made a copy of it: its times are nobody's.
        let cut = File::options().write(true).open(&path).unwrap();
        cut.set_len(0).unwrap();
        log.add(b"y\n").unwrap();
        assert!(folder.is_noted(0));
        assert_eq!(folder.files(), 8);
    }
}
