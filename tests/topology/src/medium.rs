//! What a disk is on: it outlives the driver domains that serve it.

use std::cell::{Cell, RefCell};
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use morgana_blkback::{BackendAddress, Blkback, Config};
use morgana_block::{BlockDevice, BlockError, Geometry, RamDisk};
use morgana_exec::Timers;
use morgana_hal::DomId;
use morgana_xenstore_client::Client;

use crate::{Inside, Kind, Random};

/// Sectors of a medium.
pub(crate) const SECTORS: u64 = 384;
/// Bytes of a sector.
pub(crate) const SECTOR: usize = 512;

/// How many pages of a front end stay mapped: none, fewer than it uses, or all. Which of them, its number decides.
const KEPT: [usize; 3] = [0, 8, 512];

/// Sectors that were all written once.
#[derive(Clone)]
pub struct Medium(Rc<RamDisk>);

impl Medium {
    pub(crate) fn new() -> Self {
        let disk = RamDisk::new(SECTOR as u32, SECTORS).expect("such disks are possible");
        let medium = Self(Rc::new(disk));
        for sector in 0..SECTORS {
            at_once(medium.0.write(sector, &content(sector, 0)));
        }
        medium
    }

    /// What is on it now.
    pub(crate) fn sector(&self, sector: u64) -> [u8; SECTOR] {
        let mut bytes = [0; SECTOR];
        at_once(self.0.read(sector, &mut bytes));
        bytes
    }
}

/// What the `version`-th write puts into a sector.
pub(crate) fn content(sector: u64, version: u32) -> [u8; SECTOR] {
    let mut random = Random::new(sector << 32 | u64::from(version));
    let mut bytes = [0; SECTOR];
    for word in bytes.chunks_exact_mut(8) {
        word.copy_from_slice(&random.number().to_le_bytes());
    }
    bytes
}

/// A disk in memory does not let anybody wait.
fn at_once(access: impl Future<Output = Result<(), BlockError>>) {
    let polled = pin!(access).poll(&mut Context::from_waker(Waker::noop()));
    assert_eq!(polled, Poll::Ready(Ok(())), "the medium works");
}

/// Serves the disk of `front` until its keys go.
pub(crate) async fn serve(
    inside: Inside,
    client: Client,
    front: DomId,
    medium: Medium,
    violations: Rc<Cell<u64>>,
) {
    let address = BackendAddress {
        frontend: front,
        index: Kind::Vbd.index(),
    };
    let (platform, handle) = (&inside.platform, &inside.handle);
    let disk = Slow {
        disk: medium.0,
        timers: handle.timers(),
        random: RefCell::new(Random::new(front.number().into())),
    };
    let config = Config {
        persistent_pages: KEPT[usize::from(front.number()) % KEPT.len()],
        ..Config::default()
    };
    let opened = Blkback::open(platform, &client, handle, address, disk, config).await;
    // The keys may have gone already.
    let Ok(mut back) = opened else { return };
    back.ended().await;
    violations.set(violations.get() + back.stats().violations);
}

/// A disk that takes its time before an access takes effect, and after. So there is always something under way when its domain dies.
struct Slow {
    disk: Rc<RamDisk>,
    timers: Timers,
    random: RefCell<Random>,
}

impl Slow {
    async fn dawdle(&self) {
        let pause = Duration::from_micros(self.random.borrow_mut().below(2000));
        self.timers.sleep(pause).await;
    }
}

impl BlockDevice for Slow {
    fn geometry(&self) -> Geometry {
        self.disk.geometry()
    }

    async fn read(&self, sector: u64, into: &mut [u8]) -> Result<(), BlockError> {
        self.dawdle().await;
        self.disk.read(sector, into).await?;
        self.dawdle().await;
        Ok(())
    }

    async fn write(&self, sector: u64, from: &[u8]) -> Result<(), BlockError> {
        self.dawdle().await;
        self.disk.write(sector, from).await?;
        self.dawdle().await;
        Ok(())
    }

    async fn flush(&self) -> Result<(), BlockError> {
        self.dawdle().await;
        self.disk.flush().await
    }
}
