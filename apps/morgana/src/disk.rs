//! The domain's disks.

use alloc::boxed::Box;
use core::fmt;
use core::time::Duration;

use morgana_blkfront::{Blkfront, Config, ConnectError, Vdev};
use morgana_hal::Platform;

use crate::{Domain, NoXenstore};

/// How long to wait for a disk's back end. A toolstack has it ready before the domain runs; a domain that restarts has its driver domain to
/// wait for.
const PATIENCE: Duration = Duration::from_secs(60);

impl<P: Platform> Domain<P> {
    /// Connects a disk, by the name (`xvda`) or the number (`51712`) that its xl configuration gives it.
    ///
    /// To be called once for each disk: it cannot be connected a second time.
    ///
    /// # Errors
    ///
    /// [`DiskError`].
    pub async fn disk(&self, name: &str) -> Result<Blkfront<P>, DiskError> {
        self.disk_with(name, Config::default()).await
    }

    /// As [`disk`](Self::disk), with more or less memory for it.
    ///
    /// # Errors
    ///
    /// [`DiskError`].
    pub async fn disk_with(&self, name: &str, config: Config) -> Result<Blkfront<P>, DiskError> {
        let vdev: Vdev = name.parse().map_err(|_| DiskError::Name)?;
        let (platform, client, tasks) = (self.platform(), self.xenstore()?, self.tasks());
        // A hundred kilobytes while it connects, which the application's future should not have for good.
        let connect = Box::pin(Blkfront::connect(platform, client, tasks, vdev, config));
        let connected = self.timers().timeout(PATIENCE, connect).await;
        Ok(connected.map_err(|_| DiskError::NoBackend(vdev))??)
    }
}

/// Why there is no disk.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DiskError {
    /// No disk can be called so.
    Name,
    /// Disks are found through xenstore.
    NoXenstore(NoXenstore),
    /// No back end was there within a minute.
    NoBackend(Vdev),
    /// The disk could not be connected.
    Interface(ConnectError),
}

impl fmt::Display for DiskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name => f.write_str("no disk: its name must be like xvda, or its number"),
            Self::NoXenstore(error) => write!(f, "no disk: {error}"),
            Self::NoBackend(vdev) => write!(
                f,
                "no disk: after {} s no back end serves {vdev}",
                PATIENCE.as_secs()
            ),
            Self::Interface(error) => write!(f, "no disk: {error}"),
        }
    }
}

impl core::error::Error for DiskError {}

impl From<NoXenstore> for DiskError {
    fn from(error: NoXenstore) -> Self {
        Self::NoXenstore(error)
    }
}

impl From<ConnectError> for DiskError {
    fn from(error: ConnectError) -> Self {
        Self::Interface(error)
    }
}
