//! A part of a device.

use core::fmt;
use core::ops::Range;

use crate::{BlockDevice, BlockError, Discard, Geometry};

/// Some sectors of another device, as a device of their own: a partition.
#[derive(Clone, Debug)]
pub struct Slice<D> {
    device: D,
    start: u64,
    geometry: Geometry,
}

impl<D: BlockDevice> Slice<D> {
    /// These sectors of `device`.
    ///
    /// # Errors
    ///
    /// [`SliceError`] if it does not have them.
    pub fn new(device: D, sectors: Range<u64>) -> Result<Self, SliceError> {
        let whole = device.geometry();
        let count = sectors.end.checked_sub(sectors.start).ok_or(SliceError)?;
        whole
            .check_sectors(sectors.start, count)
            .map_err(|_| SliceError)?;
        let size = whole.sector_size() as u32;
        let geometry = Geometry::new(size, count, whole.writes()).map_err(|_| SliceError)?;
        Ok(Self {
            device,
            start: sectors.start,
            geometry,
        })
    }
}

impl<D: BlockDevice> BlockDevice for Slice<D> {
    fn geometry(&self) -> Geometry {
        self.geometry
    }

    async fn read(&self, sector: u64, into: &mut [u8]) -> Result<(), BlockError> {
        self.geometry.check(sector, into.len())?;
        self.device.read(self.start + sector, into).await
    }

    async fn write(&self, sector: u64, from: &[u8]) -> Result<(), BlockError> {
        self.geometry.check_write(sector, from.len())?;
        self.device.write(self.start + sector, from).await
    }

    async fn flush(&self) -> Result<(), BlockError> {
        self.device.flush().await
    }

    async fn discard(&self, sector: u64, count: u64, how: Discard) -> Result<(), BlockError> {
        self.geometry.check_write(sector, 0)?;
        self.geometry.check_sectors(sector, count)?;
        self.device.discard(self.start + sector, count, how).await
    }

    fn discards(&self, how: Discard) -> bool {
        self.device.discards(how)
    }
}

/// The device does not have these sectors.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SliceError;

impl fmt::Display for SliceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the block device does not have these sectors")
    }
}

impl core::error::Error for SliceError {}
