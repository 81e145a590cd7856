//! Where zones come from.

use alloc::string::String;
use core::fmt;
use core::future::pending;

use morgana::tar::{Entry, Kind, Limits, ReadError};
use morgana::{Domain, Platform, Volume, VolumeError};

use crate::loader::{Loaded, ZoneFile, origin};
use crate::words::Words;

/// The longest file.
const MAX_FILE: usize = 256 << 20;
/// What is served where nothing else is said.
const EXAMPLE: &str = include_str!("../zones/example.zone");

/// Where zones come from.
#[derive(Debug)]
pub enum Source<P: Platform> {
    /// The image.
    Image,
    /// A disk with a tar archive.
    Disk(Volume<P>),
    /// A folder of the Linux that this is a process of.
    #[cfg(not(target_os = "none"))]
    Folder(crate::folder::Folder),
}

impl<P: Platform> Source<P> {
    /// Finds it.
    ///
    /// # Errors
    ///
    /// [`SourceError`] if there is no such disk, or no archive on it.
    pub async fn open(domain: &Domain<P>, words: &Words) -> Result<Self, SourceError> {
        let Some(place) = &words.zones else {
            return Ok(Self::Image);
        };
        #[cfg(not(target_os = "none"))]
        if std::path::Path::new(place).is_dir() {
            return Ok(Self::Folder(crate::folder::Folder::new(
                place,
                domain.timers(),
            )));
        }
        Ok(Self::Disk(domain.volume(place).await?))
    }

    /// Reads the zones that are there now. What is wrong with one of them is said in what comes of it.
    ///
    /// # Errors
    ///
    /// [`SourceError`] if files cannot be read.
    pub async fn load(&mut self) -> Result<Loaded, SourceError> {
        let mut loaded = Loaded::default();
        match self {
            Self::Image => {
                let file = ZoneFile {
                    path: "example.zone".into(),
                    text: EXAMPLE.as_bytes().to_vec(),
                };
                loaded.add(file).await;
            }
            Self::Disk(volume) => {
                let files = volume.files();
                let zones = |entry: &Entry<'_>| {
                    entry.kind() == Kind::File && origin(entry.path()).is_some()
                };
                for entry in files.entries().filter(zones) {
                    let path: String = entry.path().into();
                    match files.read(&entry, MAX_FILE).await {
                        Ok(text) => loaded.add(ZoneFile { path, text }).await,
                        Err(error) => return Err(SourceError::File(path, error)),
                    }
                }
            }
            #[cfg(not(target_os = "none"))]
            Self::Folder(folder) => {
                for file in folder.files()? {
                    loaded.add(file).await;
                }
            }
        }
        Ok(loaded)
    }

    /// Waits until there are others, and reads them.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load), and if the disk has no archive any more. It may be called again.
    pub async fn changed(&mut self) -> Result<Loaded, SourceError> {
        match self {
            Self::Image => return pending().await,
            Self::Disk(volume) => {
                volume.changed(Limits::default()).await?;
            }
            #[cfg(not(target_os = "none"))]
            Self::Folder(folder) => folder.changed().await,
        }
        self.load().await
    }
}

/// Why there are no zones.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SourceError {
    /// There is no disk, or no archive on it.
    Volume(VolumeError),
    /// A file on it cannot be read.
    File(String, ReadError),
    /// A folder cannot be read, or a file in it: the system says why.
    Folder(String),
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Volume(error) => error.fmt(f),
            Self::File(path, error) => write!(f, "{path}: {error}"),
            Self::Folder(error) => f.write_str(error),
        }
    }
}

impl core::error::Error for SourceError {}

impl From<VolumeError> for SourceError {
    fn from(error: VolumeError) -> Self {
        Self::Volume(error)
    }
}
