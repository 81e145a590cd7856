//! A machine with a control domain, which is toolstack and back end, and one domain with a front end.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use morgana_blkback::{BackendAddress, Blkback};
use morgana_blkfront::{Blkfront, ConnectError, Vdev};
use morgana_block::{BlockDevice, BlockError, Discard, Geometry, RamDisk};
use morgana_emul::{DomainConfig, EmulPlatform, Lockstep};
use morgana_exec::{Handle, Notify, Timers, join_all};
use morgana_hal::{DomId, Exit};
use morgana_xenstore_client::{Access, Client, Error, Permission, Tree};

use crate::xenstored::Xenstored;

pub(crate) const FRONT: DomId = DomId::new(1);

pub(crate) const FRONT_PATH: &str = "/local/domain/1/device/vbd/51712";

/// What a domain of a test has.
#[derive(Clone)]
pub(crate) struct Domain {
    pub(crate) platform: EmulPlatform,
    pub(crate) client: Client,
    pub(crate) handle: Handle,
    meeting: Rc<Meeting>,
}

/// Steps that one domain has reached, for the other to wait for.
#[derive(Default)]
struct Meeting {
    reached: RefCell<Vec<&'static str>>,
    changed: Notify,
}

impl Domain {
    /// Tells the other domains that this point is reached.
    pub(crate) fn reach(&self, point: &'static str) {
        self.meeting.reached.borrow_mut().push(point);
        self.meeting.changed.notify();
    }

    /// Whether some domain has reached this point.
    pub(crate) fn has_reached(&self, point: &'static str) -> bool {
        self.meeting.reached.borrow().contains(&point)
    }

    /// Waits until some domain has reached this point.
    pub(crate) async fn wait_for(&self, point: &'static str) {
        loop {
            let seen = self.meeting.changed.count();
            if self.meeting.reached.borrow().contains(&point) {
                return;
            }
            self.meeting.changed.after(seen).await;
        }
    }

    /// Makes the device, as the toolstack does: front end in `FRONT`, back end in domain `back`. One that was there before is replaced.
    pub(crate) async fn attach(&self, back: DomId) {
        let made = self.client.transaction(async |tree| {
            let back_path = back_path(back);
            give(tree, "/local/domain/1/device/vbd", DomId::DOM0, FRONT).await?;
            tree.remove(FRONT_PATH).await?;
            give(tree, &back_path, back, FRONT).await?;
            give(tree, FRONT_PATH, FRONT, back).await?;
            for (path, key, value) in [
                (&back_path[..], "frontend", FRONT_PATH.to_string()),
                (&back_path, "frontend-id", FRONT.number().to_string()),
                (&back_path, "online", "1".into()),
                (&back_path, "state", "1".into()),
                (FRONT_PATH, "virtual-device", "51712".into()),
                (FRONT_PATH, "state", "1".into()),
                (FRONT_PATH, "backend-id", back.number().to_string()),
                (FRONT_PATH, "backend", back_path.clone()),
            ] {
                tree.write(&format!("{path}/{key}"), value).await?;
            }
            Ok::<_, Error>(())
        });
        made.await.unwrap();
    }

    /// The states of front and back end, as digits.
    pub(crate) async fn states(&self, back: DomId) -> String {
        let front = format!("{FRONT_PATH}/state");
        let back = format!("{}/state", back_path(back));
        let front = self.client.read_text(&front).await.unwrap();
        front + &self.client.read_text(&back).await.unwrap()
    }

    /// The back end of this domain, which serves `disk`.
    pub(crate) async fn blkback(&self, disk: impl BlockDevice + 'static) -> Blkback {
        let address = BackendAddress {
            frontend: FRONT,
            index: Vdev::XVDA.number(),
        };
        let (client, config) = (&self.client, Default::default());
        Blkback::open(&self.platform, client, &self.handle, address, disk, config)
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

    /// Waits for a time that is long for everybody.
    pub(crate) async fn pause(&self) {
        self.handle.timers().sleep(Duration::from_secs(300)).await;
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

/// Makes a node that belongs to one domain, and another may read.
async fn give(tree: &Tree, path: &str, owner: DomId, reader: DomId) -> Result<(), Error> {
    tree.make(path).await?;
    let permission = |domain, access| Permission { domain, access };
    let permissions = [
        permission(owner, Access::None),
        permission(reader, Access::Read),
    ];
    tree.set_permissions(path, &permissions).await
}

pub(crate) fn back_path(back: DomId) -> String {
    format!("/local/domain/{}/backend/vbd/1/51712", back.number())
}

/// Runs domains 0, 1 and 2 to their ends, and checks that nothing is left over.
pub(crate) fn run(
    seed: u64,
    control: impl AsyncFnOnce(Domain) + 'static,
    front: impl AsyncFnOnce(Domain) + 'static,
    driver: impl AsyncFnOnce(Domain) + 'static,
) {
    let mut machine = Lockstep::new(seed);
    let create = || {
        let created = machine.hypervisor().create(DomainConfig::default());
        created.unwrap()
    };
    let domains = [create(), create(), create()];
    let meeting = Rc::new(Meeting::default());
    let xenstored = Xenstored::new();
    let make = |platform: EmulPlatform, handle: Handle| Domain {
        client: xenstored.client(platform.id(), &handle),
        platform,
        handle,
        meeting: meeting.clone(),
    };
    let [zero, one, two] = domains;
    macro_rules! start {
        ($domain:expr, $main:expr) => {
            machine.start($domain, |platform, handle| {
                let domain = make(platform, handle);
                async move {
                    $main(domain).await;
                    Exit::Poweroff
                }
            });
        };
    }
    start!(zero, control);
    start!(one, front);
    start!(two, driver);
    machine.run().unwrap();
    machine.hypervisor().assert_clean();
}
