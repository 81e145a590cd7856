//! A device that fails now and then.

use core::cell::Cell;

use crate::{BlockDevice, BlockError, Discard, Geometry};

/// How often what fails: one access of so many, in the mean; 0 for never.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Faults {
    /// Reads that fail.
    pub reads: u32,
    /// Writes that fail and change nothing.
    pub writes: u32,
    /// Writes of several sectors that fail after some of them.
    pub torn_writes: u32,
    /// Flushes that fail.
    pub flushes: u32,
}

/// Another device, of which accesses fail as a seed says.
#[derive(Debug)]
pub struct Faulty<D> {
    device: D,
    faults: Faults,
    state: Cell<u64>,
}

impl<D: BlockDevice> Faulty<D> {
    /// Lets accesses to `device` fail. The same seed makes the same accesses fail.
    pub fn new(device: D, faults: Faults, seed: u64) -> Self {
        Self {
            device,
            faults,
            state: Cell::new(seed),
        }
    }

    /// The next of a sequence of numbers (splitmix64; Steele, Lea and Flood, OOPSLA 2014).
    fn random(&self) -> u64 {
        let state = self.state.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.state.set(state);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn fails(&self, one_of: u32) -> bool {
        one_of != 0 && self.random().is_multiple_of(one_of.into())
    }
}

impl<D: BlockDevice> BlockDevice for Faulty<D> {
    fn geometry(&self) -> Geometry {
        self.device.geometry()
    }

    async fn read(&self, sector: u64, into: &mut [u8]) -> Result<(), BlockError> {
        if self.fails(self.faults.reads) {
            return Err(BlockError::Io);
        }
        self.device.read(sector, into).await
    }

    async fn write(&self, sector: u64, from: &[u8]) -> Result<(), BlockError> {
        let sectors = self.geometry().check_write(sector, from.len())?;
        if self.fails(self.faults.writes) {
            return Err(BlockError::Io);
        }
        if sectors > 1 && self.fails(self.faults.torn_writes) {
            // Less than the buffer has, so the cast loses nothing.
            let whole = (self.random() % sectors) as usize * self.geometry().sector_size();
            self.device.write(sector, &from[..whole]).await?;
            return Err(BlockError::Io);
        }
        self.device.write(sector, from).await
    }

    async fn flush(&self) -> Result<(), BlockError> {
        if self.fails(self.faults.flushes) {
            return Err(BlockError::Io);
        }
        self.device.flush().await
    }

    async fn discard(&self, sector: u64, count: u64, how: Discard) -> Result<(), BlockError> {
        self.device.discard(sector, count, how).await
    }

    fn discards(&self, how: Discard) -> bool {
        self.device.discards(how)
    }
}
