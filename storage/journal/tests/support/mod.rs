//! A disk that forgets, and what both tests need.

use std::cell::{Cell, RefCell};
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use morgana_block::{BlockDevice, BlockError, Geometry, Writes};
use morgana_journal::{Journal, Step};

/// Nothing here waits for anybody.
pub(crate) fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a journal waits for nothing but its disk"),
    }
}

/// Numbers from a seed (splitmix64).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }
}

/// A disk that has a cache: what was not flushed may be lost, sector by sector and byte by byte.
#[derive(Clone)]
pub(crate) struct Forgetful(Rc<Inner>);

struct Inner {
    geometry: Geometry,
    /// What power cannot take.
    durable: RefCell<Vec<u8>>,
    /// What is read.
    cached: RefCell<Vec<u8>>,
    /// Sectors written since the last flush, in their order, with their content.
    pending: RefCell<Vec<(usize, Vec<u8>)>>,
    /// Accesses that change something, until the power fails.
    left: Cell<u64>,
}

impl Forgetful {
    pub(crate) fn new(sector_size: u32, bytes: usize) -> Self {
        let sectors = bytes as u64 / u64::from(sector_size);
        Self(Rc::new(Inner {
            geometry: Geometry::new(sector_size, sectors, Writes::Allowed).unwrap(),
            durable: RefCell::new(vec![0; bytes]),
            cached: RefCell::new(vec![0; bytes]),
            pending: RefCell::default(),
            left: Cell::new(u64::MAX),
        }))
    }

    /// Lets the power fail at a later write or flush.
    pub(crate) fn fail_after(&self, accesses: u64) {
        self.0.left.set(accesses);
    }

    /// Power comes back: of what was not flushed, each sector's writes have happened, or not, or in part.
    pub(crate) fn crash(&self, random: &mut Random) {
        let size = self.0.geometry.sector_size();
        let mut durable = self.0.durable.borrow_mut();
        for (sector, content) in self.0.pending.take() {
            let place = &mut durable[sector * size..][..size];
            let (cut, whole) = (random.below(size), content.len());
            match random.below(5) {
                0 | 1 => place.copy_from_slice(&content),
                2 => place[..cut].copy_from_slice(&content[..cut]),
                3 => place[cut..].copy_from_slice(&content[cut..whole]),
                _ => {}
            }
        }
        self.0.cached.borrow_mut().copy_from_slice(&durable);
        self.0.left.set(u64::MAX);
    }

    /// Changes what is on the disk.
    pub(crate) fn damage(&self, change: impl FnOnce(&mut [u8])) {
        change(&mut self.0.cached.borrow_mut());
    }

    fn spend(&self) -> Result<(), BlockError> {
        let left = self.0.left.get();
        self.0.left.set(left.saturating_sub(1));
        if left == 0 {
            Err(BlockError::Io)
        } else {
            Ok(())
        }
    }
}

impl BlockDevice for Forgetful {
    fn geometry(&self) -> Geometry {
        self.0.geometry
    }

    async fn read(&self, sector: u64, into: &mut [u8]) -> Result<(), BlockError> {
        self.0.geometry.check(sector, into.len())?;
        let start = sector as usize * self.0.geometry.sector_size();
        into.copy_from_slice(&self.0.cached.borrow()[start..start + into.len()]);
        Ok(())
    }

    async fn write(&self, sector: u64, from: &[u8]) -> Result<(), BlockError> {
        self.0.geometry.check_write(sector, from.len())?;
        let size = self.0.geometry.sector_size();
        for (index, content) in from.chunks(size).enumerate() {
            // A write of many sectors may end in the middle.
            self.spend()?;
            let sector = sector as usize + index;
            self.0.cached.borrow_mut()[sector * size..][..size].copy_from_slice(content);
            self.0.pending.borrow_mut().push((sector, content.to_vec()));
        }
        Ok(())
    }

    async fn flush(&self) -> Result<(), BlockError> {
        self.spend()?;
        self.0.pending.borrow_mut().clear();
        let cached = self.0.cached.borrow();
        self.0.durable.borrow_mut().copy_from_slice(&cached);
        Ok(())
    }
}

/// All entries that are there, with their numbers and times.
pub(crate) fn all<D: BlockDevice>(journal: &Journal<D>) -> Vec<(u64, u64, Vec<u8>)> {
    let mut cursor = journal.oldest();
    let mut all = Vec::new();
    loop {
        match now(journal.next(&mut cursor, |_| true)).unwrap() {
            Step::Entry { number, time } => all.push((number, time, cursor.entry().to_vec())),
            Step::Lost(_) => {}
            Step::End => return all,
        }
    }
}
