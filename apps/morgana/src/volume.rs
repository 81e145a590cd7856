//! A disk of files that an operator replaces while the application runs.

use alloc::format;
use alloc::rc::Rc;
use core::cell::{Cell, RefCell};
use core::fmt;
use core::time::Duration;

use morgana_blkfront::{Blkfront, Config};
use morgana_exec::{Either, select};
use morgana_hal::Platform;
use morgana_tar::{Archive, Limits, OpenError};
use morgana_xenstore_client::{Error, Watch};

use crate::{DiskError, Domain};

/// The node that an operator writes anything to, in the domain's own directory: `xenstore-write /local/domain/ID/data/reload 1`.
const RELOAD: &str = "data/reload";

/// How often to look whether a disk that is being swapped is there again.
const SWAP_PAUSE: Duration = Duration::from_millis(100);

/// The files of a volume.
pub type Files<P> = Archive<Rc<Blkfront<P>>>;

/// A disk with a tar archive on it.
pub struct Volume<P: Platform> {
    domain: Domain<P>,
    disk: Rc<Blkfront<P>>,
    files: RefCell<Rc<Files<P>>>,
    /// Of what is in `files`, how often the disk had been connected.
    connections: Cell<u64>,
    notices: Watch,
    moves: Watch,
}

impl<P: Platform> Domain<P> {
    /// Opens the disk `name` (`xvdb`) as a tar archive.
    ///
    /// To be called once for each disk, and not together with [`disk`](Self::disk).
    ///
    /// # Errors
    ///
    /// [`VolumeError`].
    pub async fn volume(&self, name: &str) -> Result<Volume<P>, VolumeError> {
        self.volume_with(name, Limits::default()).await
    }

    /// As [`volume`](Self::volume), with more or fewer files.
    ///
    /// # Errors
    ///
    /// [`VolumeError`].
    pub async fn volume_with(&self, name: &str, limits: Limits) -> Result<Volume<P>, VolumeError> {
        let disk = Rc::new(self.disk_with(name, Config::default()).await?);
        // Before the files are looked at, so that no notice is missed. What a watch tells at first is no notice.
        let client = self.xenstore().map_err(DiskError::from)?;
        let notices = client.watch(RELOAD).await?;
        notices.next().await?;
        let state = format!("device/vbd/{}/state", disk.vdev().number());
        let moves = client.watch(&state).await?;
        let connections = Cell::new(disk.stats().connections);
        let files = Archive::open(disk.clone(), limits).await?;
        Ok(Volume {
            domain: self.clone(),
            disk,
            files: RefCell::new(Rc::new(files)),
            connections,
            notices,
            moves,
        })
    }
}

impl<P: Platform> Volume<P> {
    /// The files as they were when they were last looked at.
    pub fn files(&self) -> Rc<Files<P>> {
        self.files.borrow().clone()
    }

    /// The disk.
    pub fn disk(&self) -> &Blkfront<P> {
        &self.disk
    }

    /// Waits until the operator says that there are other files (anything written to `data/reload` in the domain's directory of xenstore) or the disk
    /// is another one (`xl block-detach`, `xl block-attach`), and looks at it again. With `limits` as when it was opened, or others.
    ///
    /// # Errors
    ///
    /// [`VolumeError`] if what is on the disk is no archive, or the disk fails; [`files`](Self::files) stays as it was, and this may be called again.
    pub async fn changed(&self, limits: Limits) -> Result<Rc<Files<P>>, VolumeError> {
        self.notice().await?;
        self.connections.set(self.disk.stats().connections);
        let files = Rc::new(Archive::open(self.disk.clone(), limits).await?);
        *self.files.borrow_mut() = files.clone();
        Ok(files)
    }

    async fn notice(&self) -> Result<(), Error> {
        loop {
            match select(self.notices.next(), self.moves.next()).await {
                Either::First(told) => return told.map(|_| ()),
                Either::Second(told) => told?,
            };
            while self.disk.parted().is_some() {
                self.domain.timers().sleep(SWAP_PAUSE).await;
            }
            if self.disk.stats().connections != self.connections.get() {
                return Ok(());
            }
        }
    }
}

impl<P: Platform> fmt::Debug for Volume<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Volume")
            .field("disk", &self.disk)
            .finish_non_exhaustive()
    }
}

/// Why there are no files.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum VolumeError {
    /// There is no disk.
    Disk(DiskError),
    /// Nobody can tell of other files.
    Xenstore(Error),
    /// The disk is no archive.
    Archive(OpenError),
}

impl fmt::Display for VolumeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disk(error) => error.fmt(f),
            Self::Xenstore(error) => write!(f, "no volume: {error}"),
            Self::Archive(error) => write!(f, "no volume: {error}"),
        }
    }
}

impl core::error::Error for VolumeError {}

impl From<DiskError> for VolumeError {
    fn from(error: DiskError) -> Self {
        Self::Disk(error)
    }
}

impl From<Error> for VolumeError {
    fn from(error: Error) -> Self {
        Self::Xenstore(error)
    }
}

impl From<OpenError> for VolumeError {
    fn from(error: OpenError) -> Self {
        Self::Archive(error)
    }
}
