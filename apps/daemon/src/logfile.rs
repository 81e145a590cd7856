//! The log's file, and its older parts.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// When a file's older parts move away, and how many are kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rotation {
    /// The longest that the file gets, in bytes. It is moved to `FILE.1` then, that to `FILE.2`, and so on.
    pub longest: u64,
    /// How many older parts are kept. With none, the file begins anew.
    pub kept: u32,
}

impl Default for Rotation {
    fn default() -> Self {
        Self {
            longest: 8 << 20,
            kept: 4,
        }
    }
}

/// A file at whose end lines are added. It may also be cut or moved by others.
#[derive(Debug)]
pub struct LogFile {
    file: File,
    path: PathBuf,
    rotation: Rotation,
}

impl LogFile {
    /// Opens it to be added to, or makes it.
    ///
    /// # Errors
    ///
    /// Those of the file.
    pub fn open(path: &Path, rotation: Rotation) -> io::Result<Self> {
        Ok(Self {
            file: File::options().create(true).append(true).open(path)?,
            path: path.to_owned(),
            rotation,
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Adds a line. What cannot be moved away goes on growing.
    ///
    /// # Errors
    ///
    /// Those of the file.
    pub fn add(&mut self, line: &str) -> io::Result<()> {
        // Asked each time, since others may cut it. Devices and pipes have no length.
        let len = self.file.metadata()?.len();
        if len > 0 && len + line.len() as u64 > self.rotation.longest && self.rotate().is_ok() {
            *self = Self::open(&self.path, self.rotation)?;
        }
        self.file.write_all(line.as_bytes())
    }

    fn rotate(&self) -> io::Result<()> {
        if self.rotation.kept == 0 {
            return fs::remove_file(&self.path);
        }
        for number in (1..self.rotation.kept).rev() {
            match fs::rename(self.part(number), self.part(number + 1)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        fs::rename(&self.path, self.part(1))
    }

    fn part(&self, number: u32) -> PathBuf {
        let mut name = OsString::from(&self.path);
        name.push(format!(".{number}"));
        name.into()
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
        };
        let mut log = LogFile::open(&path, rotation).unwrap();
        for number in 0..16 {
            log.add(&format!("line {number}\n")).unwrap();
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
        log.add("cut\n").unwrap();
        assert_eq!(part("log"), "cut\n");
        fs::remove_dir_all(folder).unwrap();
    }
}
