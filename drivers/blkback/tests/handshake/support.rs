//! Disks in the machine of these tests.

use std::rc::Rc;
use std::time::Duration;

use morgana_blkback::{BackendAddress, Blkback};
use morgana_blkfront::{Blkfront, ConnectError, Vdev};
use morgana_block::{BlockDevice, BlockError, Discard, Geometry, RamDisk};
use morgana_emul::EmulPlatform;
use morgana_exec::{Timers, join_all};

use crate::domain::Domain;
use crate::machine::FRONT;

/// Their class, and the number of the one that is tested.
pub(crate) const DEVICE: (&str, u32) = ("vbd", 51712);

pub(crate) const FRONT_PATH: &str = "/local/domain/1/device/vbd/51712";

/// What the toolstack writes for a front end besides.
pub(crate) const OWN_KEY: (&str, &str) = ("virtual-device", "51712");

impl Domain {
    /// The back end of this domain, which serves `disk`.
    pub(crate) async fn blkback(&self, disk: impl BlockDevice + 'static) -> Blkback {
        self.blkback_with(disk, Default::default()).await
    }

    pub(crate) async fn blkback_with(
        &self,
        disk: impl BlockDevice + 'static,
        config: morgana_blkback::Config,
    ) -> Blkback {
        let address = BackendAddress {
            frontend: FRONT,
            index: Vdev::XVDA.number(),
        };
        Blkback::open(
            &self.platform,
            &self.client,
            &self.handle,
            address,
            disk,
            config,
        )
        .await
        .unwrap()
    }

    /// The front end of this domain.
    pub(crate) async fn blkfront(&self) -> Result<Blkfront<EmulPlatform>, ConnectError> {
        self.blkfront_with(small()).await
    }

    pub(crate) async fn blkfront_with(
        &self,
        config: morgana_blkfront::Config,
    ) -> Result<Blkfront<EmulPlatform>, ConnectError> {
        let (platform, client) = (&self.platform, &self.client);
        Blkfront::connect(platform, client, &self.handle, Vdev::XVDA, config).await
    }
}

/// A front end of little memory.
pub(crate) fn small() -> morgana_blkfront::Config {
    morgana_blkfront::Config {
        pool_pages: 64,
        ..Default::default()
    }
}

/// Sectors of a disk in memory that outlives its back ends.
pub(crate) fn disk() -> Rc<RamDisk> {
    Rc::new(RamDisk::new(512, 4096).unwrap())
}

/// A disk that takes its time.
pub(crate) struct Slow<D> {
    pub(crate) disk: D,
    pub(crate) timers: Timers,
}

impl<D: BlockDevice> BlockDevice for Slow<D> {
    fn geometry(&self) -> Geometry {
        self.disk.geometry()
    }

    async fn read(&self, sector: u64, into: &mut [u8]) -> Result<(), BlockError> {
        self.timers.sleep(Duration::from_millis(5)).await;
        self.disk.read(sector, into).await
    }

    async fn write(&self, sector: u64, from: &[u8]) -> Result<(), BlockError> {
        self.timers.sleep(Duration::from_millis(7)).await;
        self.disk.write(sector, from).await
    }

    async fn flush(&self) -> Result<(), BlockError> {
        self.timers.sleep(Duration::from_millis(9)).await;
        self.disk.flush().await
    }

    async fn discard(&self, sector: u64, count: u64, how: Discard) -> Result<(), BlockError> {
        self.disk.discard(sector, count, how).await
    }

    fn discards(&self, how: Discard) -> bool {
        self.disk.discards(how)
    }
}

/// What `number` puts into some sectors.
pub(crate) fn content(number: u64, len: usize) -> Vec<u8> {
    (0..len as u64 / 8)
        .flat_map(|word| (word * 0x1_0001 + number * 0x9e37_79b9).to_le_bytes())
        .collect()
}

/// Writes and reads back, in pieces of many sizes, several at once.
pub(crate) async fn exercise(disk: &impl BlockDevice, rounds: u64) {
    for round in 0..rounds {
        let mut at = 0;
        let mut pieces = Vec::new();
        for size in [1, 8, 7, 88, 96, 3, 300, 16, 600] {
            pieces.push((at, size));
            at += size;
        }
        let writes = pieces.iter().map(|&(sector, count)| async move {
            let bytes = content(round + sector, count as usize * 512);
            disk.write(sector, &bytes).await.unwrap();
        });
        join_all(writes).await;
        disk.flush().await.unwrap();
        let reads = pieces.iter().map(|&(sector, count)| async move {
            let mut bytes = vec![0; count as usize * 512];
            disk.read(sector, &mut bytes).await.unwrap();
            assert_eq!(bytes, content(round + sector, count as usize * 512));
        });
        join_all(reads).await;
    }
}
