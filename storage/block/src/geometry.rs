//! What a block device is like from outside.

use core::fmt;

use crate::BlockError;

/// How large a device is, in which units, and whether it can be written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Geometry {
    /// Bytes in a sector: a power of two from 512 to 4,096. Every access is of whole sectors.
    sector_size: u32,
    /// How many sectors there are.
    sectors: u64,
    writes: Writes,
}

/// Whether a device can be written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Writes {
    /// It can.
    Allowed,
    /// It is read-only.
    Refused,
}

impl Geometry {
    /// # Errors
    ///
    /// [`GeometryError`] if no device can be like this.
    pub const fn new(
        sector_size: u32,
        sectors: u64,
        writes: Writes,
    ) -> Result<Self, GeometryError> {
        if !sector_size.is_power_of_two() || sector_size < 512 || sector_size > 4096 {
            return Err(GeometryError::SectorSize);
        }
        // So that a number of bytes, and one of 512-byte sectors, always fits.
        if sectors > (1 << 63) / sector_size as u64 {
            return Err(GeometryError::TooLarge);
        }
        Ok(Self {
            sector_size,
            sectors,
            writes,
        })
    }

    /// Bytes in a sector.
    pub const fn sector_size(&self) -> usize {
        self.sector_size as usize
    }

    /// How many sectors there are.
    pub const fn sectors(&self) -> u64 {
        self.sectors
    }

    /// The size in bytes.
    pub const fn bytes(&self) -> u64 {
        self.sectors * self.sector_size as u64
    }

    /// Whether it can be written.
    pub const fn writes(&self) -> Writes {
        self.writes
    }

    /// The same device, which can be written or not.
    pub const fn with_writes(self, writes: Writes) -> Self {
        Self { writes, ..self }
    }

    /// How many whole sectors `bytes` are, if they lie inside the device from `sector` on.
    ///
    /// # Errors
    ///
    /// [`BlockError::Misaligned`] or [`BlockError::OutOfRange`].
    pub const fn check(&self, sector: u64, bytes: usize) -> Result<u64, BlockError> {
        if !bytes.is_multiple_of(self.sector_size as usize) {
            return Err(BlockError::Misaligned);
        }
        let count = bytes as u64 / self.sector_size as u64;
        match self.check_sectors(sector, count) {
            Ok(()) => Ok(count),
            Err(error) => Err(error),
        }
    }

    /// As [`check`](Self::check), for a device that is to be written there.
    ///
    /// # Errors
    ///
    /// Also [`BlockError::ReadOnly`].
    pub const fn check_write(&self, sector: u64, bytes: usize) -> Result<u64, BlockError> {
        match self.writes {
            Writes::Refused => Err(BlockError::ReadOnly),
            Writes::Allowed => self.check(sector, bytes),
        }
    }

    /// Whether `count` sectors from `sector` on lie inside the device.
    ///
    /// # Errors
    ///
    /// [`BlockError::OutOfRange`].
    pub const fn check_sectors(&self, sector: u64, count: u64) -> Result<(), BlockError> {
        if sector > self.sectors || count > self.sectors - sector {
            return Err(BlockError::OutOfRange);
        }
        Ok(())
    }
}

/// Why no device can be like this.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum GeometryError {
    /// A sector has a power of two from 512 to 4,096 bytes.
    SectorSize,
    /// More than 2^63 bytes.
    TooLarge,
}

impl fmt::Display for GeometryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SectorSize => "a sector has 512, 1,024, 2,048 or 4,096 bytes",
            Self::TooLarge => "a block device has at most 2^63 bytes",
        })
    }
}

impl core::error::Error for GeometryError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_devices_are_refused() {
        for size in [0, 1, 256, 513, 8192] {
            let error = Geometry::new(size, 1, Writes::Allowed);
            assert_eq!(error, Err(GeometryError::SectorSize));
        }
        let error = Geometry::new(512, u64::MAX, Writes::Allowed);
        assert_eq!(error, Err(GeometryError::TooLarge));
        assert!(Geometry::new(4096, 1 << 51, Writes::Allowed).is_ok());
    }

    #[test]
    fn what_leaves_the_device_or_is_no_sector_is_refused() {
        let geometry = Geometry::new(512, 8, Writes::Allowed).unwrap();
        assert_eq!(geometry.check(0, 4096), Ok(8));
        assert_eq!(geometry.check(8, 0), Ok(0));
        assert_eq!(geometry.check(0, 511), Err(BlockError::Misaligned));
        for (sector, bytes) in [(0, 4608), (8, 512), (9, 0), (u64::MAX, 512)] {
            assert_eq!(geometry.check(sector, bytes), Err(BlockError::OutOfRange));
        }
        let frozen = geometry.with_writes(Writes::Refused);
        assert_eq!(frozen.check_write(0, 512), Err(BlockError::ReadOnly));
        assert_eq!(frozen.check(0, 512), Ok(1));
    }
}
