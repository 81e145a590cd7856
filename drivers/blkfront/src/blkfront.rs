//! The device that an app owns.

use alloc::rc::Rc;
use core::cell::RefCell;
use core::fmt;

use morgana_blkif::{SECTOR_SIZE, Vdev, keys};
use morgana_block::{BlockDevice, BlockError, Discard, Geometry, Writes};
use morgana_exec::{Handle, Task};
use morgana_hal::Platform;
use morgana_xenbus::{Device, keep};
use morgana_xenstore_client::Client;

use crate::handshake::{ConnectError, connect};
use crate::keeper::{Keeper, Parted};
use crate::shared::Shared;
use crate::transfer::{InFlight, in_pieces};
use crate::{Config, Features, Request, Stats, Table};

/// A disk of this domain.
///
/// A task of its own keeps it connected: when the back end leaves (its domain restarts, the toolstack gives another one), accesses wait, and what
/// has no answer is asked again, until a back end is there again. Dropping the device ends the task, which closes in order.
pub struct Blkfront<P: Platform> {
    shared: Rc<Shared<P>>,
    vdev: Vdev,
    keeper: Option<Task<()>>,
}

impl<P: Platform> Blkfront<P> {
    /// Connects the disk `vdev`. Waits for its back end as long as it takes; a caller that does not want that uses a time-out, and drops the
    /// future.
    ///
    /// # Errors
    ///
    /// [`ConnectError`].
    pub async fn connect(
        platform: &P,
        client: &Client,
        handle: &Handle,
        vdev: Vdev,
        config: Config,
    ) -> Result<Self, ConnectError> {
        let timers = handle.timers();
        let device = Device::frontend(client, keys::CLASS, vdev.number()).await?;
        let (link, geometry, features) = connect(platform, &device, &timers, &config).await?;
        let shared = Rc::new(Shared::new(Table::new(&config), geometry, features));
        let keeper = Keeper {
            platform: platform.clone(),
            timers,
            vdev,
            config,
            shared: shared.clone(),
            parting: RefCell::new(None),
        };
        keeper.enter(link);
        let (ended, timers) = (shared.clone(), handle.timers());
        let keeper = handle.spawn(async move {
            keep(keeper, device, timers).await;
            ended.end();
        });
        Ok(Self {
            shared,
            vdev,
            keeper: Some(keeper.map_err(|_| ConnectError::TooManyTasks)?),
        })
    }

    /// Which disk it is.
    pub fn vdev(&self) -> Vdev {
        self.vdev
    }

    /// What the back end can do besides reading and writing.
    pub fn features(&self) -> Features {
        self.shared.features.get()
    }

    /// Why there is no connection, if there is none.
    pub fn parted(&self) -> Option<Parted> {
        self.shared.parted.get()
    }

    /// The counters of all connections.
    pub fn stats(&self) -> Stats {
        self.shared.stats()
    }

    /// Shows the counters to others while something else has the device.
    pub fn monitor(&self) -> Monitor<P> {
        Monitor(self.shared.clone())
    }

    /// Closes the device in order once everything under way is answered, and waits until the back end has let go. What was written is as
    /// durable as the last [`flush`](BlockDevice::flush) has made it.
    pub async fn close(mut self) {
        self.shared.abandon();
        if let Some(keeper) = self.keeper.take() {
            keeper.await;
        }
    }

    /// A sector of the device as one of the protocol.
    fn first(&self, sector: u64) -> u64 {
        sector * (self.geometry().sector_size() / SECTOR_SIZE) as u64
    }

    async fn simple(&self, request: Request<'_>) -> Result<(), BlockError> {
        let under_way = InFlight::submit(&self.shared, &request).await?;
        under_way.collect(&mut []).await
    }
}

impl<P: Platform> BlockDevice for Blkfront<P> {
    fn geometry(&self) -> Geometry {
        self.shared.geometry.get()
    }

    async fn read(&self, sector: u64, into: &mut [u8]) -> Result<(), BlockError> {
        self.geometry().check(sector, into.len())?;
        let first = self.first(sector);
        if !into.is_empty()
            && self
                .shared
                .max_bytes()
                .is_some_and(|most| into.len() <= most)
        {
            let bytes = into.len();
            let request = Request::Read {
                sector: first,
                bytes,
            };
            let under_way = InFlight::submit(&self.shared, &request).await?;
            return under_way.collect(into).await;
        }
        let request = |range: core::ops::Range<usize>| Request::Read {
            sector: first + (range.start / SECTOR_SIZE) as u64,
            bytes: range.len(),
        };
        let length = into.len();
        let finish = async |under_way: InFlight<P>, range: core::ops::Range<usize>| {
            under_way.collect(&mut into[range]).await
        };
        in_pieces(&self.shared, length, request, finish).await
    }

    async fn write(&self, sector: u64, from: &[u8]) -> Result<(), BlockError> {
        self.geometry().check_write(sector, from.len())?;
        let first = self.first(sector);
        let request = |range: core::ops::Range<usize>| Request::Write {
            sector: first + (range.start / SECTOR_SIZE) as u64,
            data: &from[range],
        };
        if !from.is_empty()
            && self
                .shared
                .max_bytes()
                .is_some_and(|most| from.len() <= most)
        {
            return self.simple(request(0..from.len())).await;
        }
        let finish = async |under_way: InFlight<P>, _| under_way.collect(&mut []).await;
        in_pieces(&self.shared, from.len(), request, finish).await
    }

    /// A back end that takes no flushes has made durable what it has answered, or never will.
    async fn flush(&self) -> Result<(), BlockError> {
        if !self.features().flush {
            return Ok(());
        }
        self.simple(Request::Flush).await
    }

    async fn discard(&self, sector: u64, count: u64, how: Discard) -> Result<(), BlockError> {
        self.geometry().check_write(sector, 0)?;
        self.geometry().check_sectors(sector, count)?;
        if !self.discards(how) {
            return Err(BlockError::Unsupported);
        }
        if count == 0 {
            return Ok(());
        }
        self.simple(Request::Discard {
            sector: self.first(sector),
            sectors: self.first(count),
            how,
        })
        .await
    }

    fn discards(&self, how: Discard) -> bool {
        let Features {
            discard,
            secure_discard,
            ..
        } = self.features();
        let takes = match how {
            Discard::Plain => discard,
            Discard::Secure => discard && secure_discard,
        };
        takes && self.geometry().writes() == Writes::Allowed
    }
}

/// A view of a device's counters; see [`Blkfront::monitor`].
pub struct Monitor<P: Platform>(Rc<Shared<P>>);

impl<P: Platform> Monitor<P> {
    /// The counters of all connections.
    pub fn stats(&self) -> Stats {
        self.0.stats()
    }
}

impl<P: Platform> Clone for Monitor<P> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<P: Platform> fmt::Debug for Monitor<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Monitor").field(&self.stats()).finish()
    }
}

impl<P: Platform> Drop for Blkfront<P> {
    fn drop(&mut self) {
        self.shared.abandon();
    }
}

impl<P: Platform> fmt::Debug for Blkfront<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blkfront")
            .field("vdev", &self.vdev)
            .field("geometry", &self.geometry())
            .field("parted", &self.parted())
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}
