//! A device that cannot be written.

use crate::{BlockDevice, BlockError, Geometry, Writes};

/// Another device, without the ways to change it.
#[derive(Clone, Debug)]
pub struct ReadOnly<D>(pub D);

impl<D: BlockDevice> BlockDevice for ReadOnly<D> {
    fn geometry(&self) -> Geometry {
        self.0.geometry().with_writes(Writes::Refused)
    }

    async fn read(&self, sector: u64, into: &mut [u8]) -> Result<(), BlockError> {
        self.0.read(sector, into).await
    }

    async fn write(&self, sector: u64, from: &[u8]) -> Result<(), BlockError> {
        self.geometry().check_write(sector, from.len())?;
        Err(BlockError::ReadOnly)
    }

    async fn flush(&self) -> Result<(), BlockError> {
        self.0.flush().await
    }
}
