//! A disk that remembers what was done.

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::RefCell;

use morgana_block::{BlockDevice, BlockError, Geometry, Writes};

pub(super) enum Event {
    Write(usize, Vec<u8>),
    Flush,
}

/// A disk in memory that remembers what was done.
#[derive(Clone)]
pub(super) struct Recorder(pub(super) Rc<Recorded>);

pub(super) struct Recorded {
    pub(super) geometry: Geometry,
    pub(super) bytes: RefCell<Vec<u8>>,
    pub(super) events: RefCell<Vec<Event>>,
}

impl Recorder {
    pub(super) fn new(sector_size: usize, bytes: Vec<u8>) -> Self {
        let sectors = (bytes.len() / sector_size) as u64;
        let geometry = Geometry::new(sector_size as u32, sectors, Writes::Allowed).unwrap();
        Self(Rc::new(Recorded {
            geometry,
            bytes: RefCell::new(bytes),
            events: RefCell::default(),
        }))
    }

    pub(super) fn events(&self) -> usize {
        self.0.events.borrow().len()
    }
}

impl BlockDevice for Recorder {
    fn geometry(&self) -> Geometry {
        self.0.geometry
    }

    async fn read(&self, sector: u64, into: &mut [u8]) -> Result<(), BlockError> {
        self.0.geometry.check(sector, into.len())?;
        let start = sector as usize * self.0.geometry.sector_size();
        into.copy_from_slice(&self.0.bytes.borrow()[start..start + into.len()]);
        Ok(())
    }

    async fn write(&self, sector: u64, from: &[u8]) -> Result<(), BlockError> {
        self.0.geometry.check_write(sector, from.len())?;
        let start = sector as usize * self.0.geometry.sector_size();
        self.0.bytes.borrow_mut()[start..start + from.len()].copy_from_slice(from);
        self.0
            .events
            .borrow_mut()
            .push(Event::Write(start, from.to_vec()));
        Ok(())
    }

    async fn flush(&self) -> Result<(), BlockError> {
        self.0.events.borrow_mut().push(Event::Flush);
        Ok(())
    }
}
