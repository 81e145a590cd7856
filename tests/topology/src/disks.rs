//! A guest with a disk: it writes and reads for ever, and knows what must be there.

use std::cell::{Cell, RefCell};
use std::ops::Range;
use std::rc::{Rc, Weak};
use std::time::Duration;

use morgana_blkfront::{Blkfront, BlockDevice, Config, Vdev};
use morgana_emul::EmulPlatform;
use morgana_exec::join_all;

use crate::medium::{Medium, SECTOR, SECTORS, content};
use crate::pace::Pace;
use crate::{Driver, Guest, Inside, Kind, Random, Worker, World};

/// How many tasks use the disk at once, each its own part of it.
const WRITERS: u64 = 3;
/// Sectors of the longest access, which takes several requests.
const LONGEST: u64 = 96;

/// Such a guest, from outside.
pub struct Disks {
    inside: Inside,
    medium: Medium,
    seen: Rc<Seen>,
}

struct Seen {
    steps: Cell<u64>,
    pace: Pace,
    front: RefCell<Weak<Blkfront<EmulPlatform>>>,
    sectors: RefCell<Vec<Versions>>,
}

/// Which writes of a sector were acknowledged, and which were begun.
#[derive(Clone, Copy, Default)]
struct Versions {
    acknowledged: u32,
    begun: u32,
}

impl Disks {
    fn front<T: Default>(&self, ask: impl Fn(&Blkfront<EmulPlatform>) -> T) -> T {
        let front = self.seen.front.borrow().upgrade();
        front.map(|front| ask(&front)).unwrap_or_default()
    }
}

impl Guest for Disks {
    const KIND: Kind = Kind::Vbd;

    fn start(world: &mut World) -> Self {
        let seen = Rc::new(Seen {
            steps: Cell::new(0),
            pace: Pace::default(),
            front: RefCell::default(),
            sectors: RefCell::new(vec![Versions::default(); SECTORS as usize]),
        });
        let (inner, random) = (seen.clone(), Random::new(world.random.number()));
        let inside = world.start(move |inside| main(inside, inner, random));
        let medium = Medium::new();
        Self {
            inside,
            medium,
            seen,
        }
    }

    fn serve(&self, driver: &Driver) {
        driver.disk(self.inside.id(), self.medium.clone());
    }

    /// Each sector has what was acknowledged last, or what has no answer yet.
    fn check(&self) {
        for (sector, versions) in (0..).zip(&*self.seen.sectors.borrow()) {
            let found = self.medium.sector(sector);
            let wanted = [versions.acknowledged, versions.begun];
            let there = wanted.map(|version| content(sector, version) == found);
            assert!(there.contains(&true), "sector {sector} has lost a write");
        }
    }
}

impl Worker for Disks {
    fn inside(&self) -> &Inside {
        &self.inside
    }

    fn steps(&self) -> u64 {
        self.seen.steps.get()
    }

    fn connections(&self) -> u64 {
        self.front(|front| front.stats().connections)
    }

    fn is_parted(&self) -> bool {
        self.front(|front| front.parted().is_some())
    }

    fn hold(&self) {
        self.seen.pace.hold();
    }

    fn release(&self) {
        self.seen.pace.release();
    }
}

async fn main(inside: Inside, seen: Rc<Seen>, mut random: Random) {
    let client = inside.xenstore();
    let front = loop {
        let (platform, handle) = (&inside.platform, &inside.handle);
        let config = Config {
            pool_pages: 32,
            ..Config::default()
        };
        match Blkfront::connect(platform, &client, handle, Vdev::XVDA, config).await {
            Ok(front) => break Rc::new(front),
            // There is no device yet.
            Err(_) => handle.timers().sleep(Duration::from_millis(10)).await,
        }
    };
    *seen.front.borrow_mut() = Rc::downgrade(&front);
    let part = SECTORS / WRITERS;
    join_all((0..WRITERS).map(|writer| {
        let random = Random::new(random.number());
        let area = writer * part..(writer + 1) * part;
        use_disk(&inside, &front, &seen, area, random)
    }))
    .await;
}

/// Writes and reads, one access after the other.
async fn use_disk(
    inside: &Inside,
    front: &Blkfront<EmulPlatform>,
    seen: &Seen,
    area: Range<u64>,
    mut random: Random,
) {
    let mut buffer = vec![0; LONGEST as usize * SECTOR];
    loop {
        seen.pace.going().await;
        let count = 1 + random.below(LONGEST);
        let first = area.start + random.below(area.end - area.start - count);
        let bytes = &mut buffer[..count as usize * SECTOR];
        let range = first as usize..(first + count) as usize;
        match random.below(8) {
            0 => front.flush().await.expect("a flush waits for a back end"),
            1..4 => {
                front.read(first, bytes).await.expect("and so does a read");
                seen.compare(range, bytes);
            }
            _ => {
                seen.begin(range.clone(), bytes);
                front.write(first, bytes).await.expect("and a write");
                seen.acknowledge(range);
            }
        }
        seen.steps.set(seen.steps.get() + 1);
        // Time only jumps while nobody has anything to do.
        let pause = Duration::from_millis(random.below(20));
        inside.handle.timers().sleep(pause).await;
    }
}

impl Seen {
    /// The next write of some sectors: what it writes.
    fn begin(&self, range: Range<usize>, bytes: &mut [u8]) {
        let sectors = &mut self.sectors.borrow_mut()[range.clone()];
        for ((sector, versions), bytes) in range.zip(sectors).zip(bytes.chunks_exact_mut(SECTOR)) {
            versions.begun += 1;
            bytes.copy_from_slice(&content(sector as u64, versions.begun));
        }
    }

    fn acknowledge(&self, range: Range<usize>) {
        for versions in &mut self.sectors.borrow_mut()[range] {
            versions.acknowledged = versions.begun;
        }
    }

    fn compare(&self, range: Range<usize>, bytes: &[u8]) {
        let sectors = &self.sectors.borrow()[range.clone()];
        for ((sector, versions), bytes) in range.zip(sectors).zip(bytes.chunks_exact(SECTOR)) {
            let right = bytes == content(sector as u64, versions.acknowledged);
            assert!(right, "sector {sector} was read wrong");
        }
    }
}
