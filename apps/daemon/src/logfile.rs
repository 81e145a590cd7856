//! The log's file, and its older parts.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::parts::part;
use crate::times::{self, Times};

/// When a file's older parts move away, and how many are kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rotation {
    /// The longest that the file gets, in bytes. It is moved to `FILE.1` then, that to `FILE.2`, and so on.
    pub longest: u64,
    /// How many older parts are kept. With none, the file begins anew.
    pub kept: u32,
    /// How old it gets before it moves, if that matters.
    pub oldest: Option<Duration>,
}

impl Default for Rotation {
    fn default() -> Self {
        Self {
            longest: 8 << 20,
            kept: 4,
            oldest: None,
        }
    }
}

/// A file at whose end lines are added. It may also be cut or moved by others.
#[derive(Debug)]
pub struct LogFile {
    file: File,
    path: PathBuf,
    rotation: Rotation,
    /// When the file was made, as far as that is known.
    made: SystemTime,
    /// When its bytes were written, if that is to be noted.
    times: Option<Times>,
}

impl LogFile {
    /// Opens it to be added to, or makes it.
    ///
    /// # Errors
    ///
    /// Those of the file.
    pub fn open(path: &Path, rotation: Rotation) -> io::Result<Self> {
        let file = File::options().create(true).append(true).open(path)?;
        let metadata = file.metadata()?;
        let made = metadata.created().or_else(|_| metadata.modified())?;
        Ok(Self {
            file,
            path: path.to_owned(),
            rotation,
            made,
            times: None,
        })
    }

    /// As [`open`](Self::open), for lines that don't say when they were written: a file beside it does ([`log_times`](crate::log_times)). If that cannot be
    /// written, there is none.
    ///
    /// # Errors
    ///
    /// Those of the log's file.
    pub fn open_timed(path: &Path, rotation: Rotation) -> io::Result<Self> {
        let mut log = Self::open(path, rotation)?;
        log.times = Times::open(path, &log.file.metadata()?).ok();
        Ok(log)
    }

    /// The same file, opened anew: it may be another one by now.
    ///
    /// # Errors
    ///
    /// Those of the log's file.
    pub fn reopened(&self) -> io::Result<Self> {
        match self.times {
            Some(_) => Self::open_timed(&self.path, self.rotation),
            None => Self::open(&self.path, self.rotation),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Adds bytes, mostly a line. What cannot be moved away goes on growing.
    ///
    /// # Errors
    ///
    /// Those of the file.
    pub fn add(&mut self, bytes: &[u8]) -> io::Result<()> {
        // Asked each time, since others may cut it. Devices and pipes have no length.
        let mut len = self.file.metadata()?.len();
        let too_long = len + bytes.len() as u64 > self.rotation.longest;
        if len > 0 && (too_long || self.is_too_old()) && self.rotate().is_ok() {
            *self = self.reopened()?;
            len = 0;
        }
        if let Some(times) = &mut self.times {
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
            // Without it the log is still whole.
            let _ = times.note(len, now.unwrap_or_default().as_secs());
        }
        self.file.write_all(bytes)?;
        if let Some(times) = &mut self.times {
            times.written(len + bytes.len() as u64);
        }
        Ok(())
    }

    fn is_too_old(&self) -> bool {
        let age = self.made.elapsed().unwrap_or_default();
        self.rotation.oldest.is_some_and(|oldest| age > oldest)
    }

    fn rotate(&self) -> io::Result<()> {
        if self.rotation.kept == 0 {
            return fs::remove_file(&self.path);
        }
        for number in (1..self.rotation.kept).rev() {
            match rename(&self.part(number), &self.part(number + 1)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        rename(&self.path, &self.part(1))
    }

    fn part(&self, number: u32) -> PathBuf {
        part(&self.path, number)
    }
}

/// Moves a part of the log, with the file that says its times.
fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)?;
    let to = times::path_of(to);
    match fs::rename(times::path_of(from), &to) {
        // That of an older part must not be taken for this one's.
        Err(_) => match fs::remove_file(to) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        },
        Ok(()) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_long_enough_moves_away() {
        let folder = std::env::temp_dir().join(format!("morgana-log-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("log");
        let rotation = Rotation {
            longest: 10,
            kept: 4,
            oldest: None,
        };
        let mut log = LogFile::open(&path, rotation).unwrap();
        for number in 0..16 {
            log.add(format!("line {number}\n").as_bytes()).unwrap();
        }
        let part = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
        assert_eq!(part("log"), "line 15\n");
        assert_eq!(part("log.1"), "line 14\n");
        assert_eq!(part("log.4"), "line 11\n");
        assert!(!folder.join("log.5").exists());
        // A file that was cut by others is short again.
        File::options()
            .write(true)
            .truncate(true)
            .open(&path)
            .unwrap();
        log.add(b"cut\n").unwrap();
        assert_eq!(part("log"), "cut\n");
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_file_that_is_old_enough_moves_away() {
        let folder = std::env::temp_dir().join(format!("morgana-old-log-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("log");
        let rotation = Rotation {
            oldest: Some(Duration::from_secs(3600)),
            ..Rotation::default()
        };
        let mut log = LogFile::open(&path, rotation).unwrap();
        log.add(b"old\n").unwrap();
        log.add(b"old, too\n").unwrap();
        log.made -= Duration::from_secs(3601);
        log.add(b"new\n").unwrap();
        log.add(b"new, too\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new\nnew, too\n");
        let older = fs::read_to_string(folder.join("log.1")).unwrap();
        assert_eq!(older, "old\nold, too\n");
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn times_move_with_their_log() {
        let folder = std::env::temp_dir().join(format!("morgana-timed-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("log");
        let rotation = Rotation {
            longest: 10,
            kept: 2,
            oldest: None,
        };
        let mut log = LogFile::open_timed(&path, rotation).unwrap();
        for number in 0..5 {
            log.add(format!("line {number}\n").as_bytes()).unwrap();
        }
        for name in ["log", "log.1", "log.2"] {
            let part = folder.join(name);
            let times = crate::log_times(&part, &fs::metadata(&part).unwrap());
            let offsets: Vec<u64> = times.iter().map(|entry| entry.offset).collect();
            assert_eq!(offsets, [0], "{name}");
        }
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 6);
        fs::remove_dir_all(folder).unwrap();
    }
}
