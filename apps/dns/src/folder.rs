//! A folder of zone files, where this is a Linux process.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;
use std::fs;
use std::path::PathBuf;
use std::time::SystemTime;

use morgana_exec::Timers;

use crate::SourceError;
use crate::loader::{ZoneFile, origin};

/// How often to look whether files have changed.
const PAUSE: Duration = Duration::from_secs(1);

/// A file's path, when it was changed, and its length.
type Seen = (PathBuf, Option<SystemTime>, u64);

/// A folder.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    timers: Timers,
    seen: Vec<Seen>,
}

impl Folder {
    pub(crate) fn new(path: &str, timers: Timers) -> Self {
        Self {
            path: path.into(),
            timers,
            seen: Vec::new(),
        }
    }

    /// The zone files in it.
    pub(crate) fn files(&mut self) -> Result<Vec<ZoneFile>, SourceError> {
        let error = |path: &PathBuf, error: std::io::Error| {
            SourceError::Folder(format!("{}: {error}", path.display()))
        };
        self.seen = self.look().map_err(|told| error(&self.path, told))?;
        let read = |(path, ..): &Seen| {
            let text = fs::read(path).map_err(|told| error(path, told))?;
            Ok(ZoneFile {
                path: path.display().to_string(),
                text,
            })
        };
        self.seen.iter().map(read).collect()
    }

    /// Waits until they are others.
    pub(crate) async fn changed(&self) {
        loop {
            self.timers.sleep(PAUSE).await;
            if self.look().is_ok_and(|now| now != self.seen) {
                return;
            }
        }
    }

    fn look(&self) -> std::io::Result<Vec<Seen>> {
        let mut seen = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            let name: String = entry.file_name().to_string_lossy().into_owned();
            if origin(&name).is_some() {
                let about = fs::metadata(entry.path())?;
                seen.push((entry.path(), about.modified().ok(), about.len()));
            }
        }
        seen.sort();
        Ok(seen)
    }
}
