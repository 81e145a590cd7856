//! The seam itself.

use alloc::rc::Rc;

use crate::{BlockError, Geometry};

/// Something that stores sectors.
///
/// Any number of accesses may be under way at once; they take effect in any order. Who needs an order waits for one access before the next is
/// begun. A future may be dropped: then nobody learns whether the access has happened.
// One thread runs a domain, so no future needs to be `Send`.
#[allow(async_fn_in_trait)]
pub trait BlockDevice {
    /// What the device is like now. A device may grow or shrink.
    fn geometry(&self) -> Geometry;

    /// Reads whole sectors from `sector` on.
    ///
    /// # Errors
    ///
    /// [`BlockError`]; what is in `into` then is not told.
    async fn read(&self, sector: u64, into: &mut [u8]) -> Result<(), BlockError>;

    /// Writes whole sectors from `sector` on. What was written may be lost in a failure of power until [`flush`](Self::flush) is done.
    ///
    /// # Errors
    ///
    /// [`BlockError`]; after it each sector has its old content or the new one.
    async fn write(&self, sector: u64, from: &[u8]) -> Result<(), BlockError>;

    /// Makes durable all writes that were done when this began.
    ///
    /// # Errors
    ///
    /// [`BlockError`].
    async fn flush(&self) -> Result<(), BlockError>;

    /// Forgets what is in `count` sectors from `sector` on: what is read there afterwards is not told.
    ///
    /// # Errors
    ///
    /// [`BlockError::Unsupported`] from a device that does not forget.
    async fn discard(&self, sector: u64, count: u64, how: Discard) -> Result<(), BlockError> {
        let _ = (sector, count, how);
        Err(BlockError::Unsupported)
    }

    /// Whether the device takes such discards.
    fn discards(&self, how: Discard) -> bool {
        let _ = how;
        false
    }
}

/// How thoroughly to forget.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Discard {
    /// The room may be used otherwise.
    Plain,
    /// What was there can't be had back by any means.
    Secure,
}

macro_rules! forward {
    ($($pointer:ty),*) => {$(
        impl<D: BlockDevice + ?Sized> BlockDevice for $pointer {
            fn geometry(&self) -> Geometry {
                (**self).geometry()
            }

            async fn read(&self, sector: u64, into: &mut [u8]) -> Result<(), BlockError> {
                (**self).read(sector, into).await
            }

            async fn write(&self, sector: u64, from: &[u8]) -> Result<(), BlockError> {
                (**self).write(sector, from).await
            }

            async fn flush(&self) -> Result<(), BlockError> {
                (**self).flush().await
            }

            async fn discard(&self, sector: u64, count: u64, how: Discard) -> Result<(), BlockError> {
                (**self).discard(sector, count, how).await
            }

            fn discards(&self, how: Discard) -> bool {
                (**self).discards(how)
            }
        }
    )*};
}

forward!(&D, Rc<D>);
