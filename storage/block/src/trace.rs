//! A device that counts and logs what is done.

use core::cell::Cell;

use crate::{BlockDevice, BlockError, Discard, Geometry};

/// What was done on a device.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Reads that came off.
    pub reads: u64,
    /// Their bytes.
    pub read_bytes: u64,
    /// Writes that came off.
    pub writes: u64,
    /// Their bytes.
    pub written_bytes: u64,
    /// Flushes that came off.
    pub flushes: u64,
    /// Discards that came off.
    pub discards: u64,
    /// Accesses that failed.
    pub errors: u64,
}

/// Another device, whose accesses are counted, and logged at the level `trace`.
#[derive(Debug)]
pub struct Traced<D> {
    device: D,
    counts: Cell<Counts>,
}

impl<D: BlockDevice> Traced<D> {
    /// Counts what is done on `device` from now on.
    pub fn new(device: D) -> Self {
        Self {
            device,
            counts: Cell::default(),
        }
    }

    /// What was done so far.
    pub fn counts(&self) -> Counts {
        self.counts.get()
    }

    fn count(
        &self,
        result: Result<(), BlockError>,
        add: impl FnOnce(&mut Counts),
    ) -> Result<(), BlockError> {
        let mut counts = self.counts.get();
        match result {
            Ok(()) => add(&mut counts),
            Err(_) => counts.errors += 1,
        }
        self.counts.set(counts);
        result
    }
}

impl<D: BlockDevice> BlockDevice for Traced<D> {
    fn geometry(&self) -> Geometry {
        self.device.geometry()
    }

    async fn read(&self, sector: u64, into: &mut [u8]) -> Result<(), BlockError> {
        let bytes = into.len();
        let result = self.device.read(sector, into).await;
        log::trace!("read {bytes} bytes at sector {sector}: {result:?}");
        self.count(result, |counts| {
            counts.reads += 1;
            counts.read_bytes += bytes as u64;
        })
    }

    async fn write(&self, sector: u64, from: &[u8]) -> Result<(), BlockError> {
        let bytes = from.len();
        let result = self.device.write(sector, from).await;
        log::trace!("write {bytes} bytes at sector {sector}: {result:?}");
        self.count(result, |counts| {
            counts.writes += 1;
            counts.written_bytes += bytes as u64;
        })
    }

    async fn flush(&self) -> Result<(), BlockError> {
        let result = self.device.flush().await;
        log::trace!("flush: {result:?}");
        self.count(result, |counts| counts.flushes += 1)
    }

    async fn discard(&self, sector: u64, count: u64, how: Discard) -> Result<(), BlockError> {
        let result = self.device.discard(sector, count, how).await;
        log::trace!("discard {count} sectors from {sector} on: {result:?}");
        self.count(result, |counts| counts.discards += 1)
    }

    fn discards(&self, how: Discard) -> bool {
        self.device.discards(how)
    }
}
