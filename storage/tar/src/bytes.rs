//! Bytes of a device that is read in sectors.

use alloc::vec;
use alloc::vec::Vec;

use morgana_block::{BlockDevice, BlockError};

/// What is read at once to find the next headers: in archives of small files several are in it.
const WINDOW: usize = 16 * 1024;

/// Reads `into.len()` bytes from byte `start` on, of which the device has enough.
pub(crate) async fn read_bytes(
    device: &impl BlockDevice,
    start: u64,
    into: &mut [u8],
) -> Result<(), BlockError> {
    let size = device.geometry().sector_size();
    let mut done = 0;
    while done < into.len() {
        let at = start + done as u64;
        // Less than a sector's size.
        let skip = (at % size as u64) as usize;
        let left = into.len() - done;
        if skip == 0 && left >= size {
            let whole = left - left % size;
            let part = &mut into[done..done + whole];
            device.read(at / size as u64, part).await?;
            done += whole;
        } else {
            let mut sector = vec![0; size];
            device.read(at / size as u64, &mut sector).await?;
            let count = left.min(size - skip);
            into[done..done + count].copy_from_slice(&sector[skip..skip + count]);
            done += count;
        }
    }
    Ok(())
}

/// A part of the device in memory, for many small reads that go forward.
pub(crate) struct Window<'a, D> {
    device: &'a D,
    /// The device's bytes.
    end: u64,
    start: u64,
    bytes: Vec<u8>,
}

impl<'a, D: BlockDevice> Window<'a, D> {
    pub(crate) fn new(device: &'a D) -> Self {
        Self {
            device,
            end: device.geometry().bytes(),
            start: 0,
            bytes: Vec::new(),
        }
    }

    /// Bytes that the device has.
    pub(crate) fn end(&self) -> u64 {
        self.end
    }

    /// `N` bytes from `at` on; `None` where the device ends before.
    pub(crate) async fn array<const N: usize>(
        &mut self,
        at: u64,
    ) -> Result<Option<[u8; N]>, BlockError> {
        let Some(end) = at.checked_add(N as u64).filter(|&end| end <= self.end) else {
            return Ok(None);
        };
        let held = self.start + self.bytes.len() as u64;
        if at < self.start || end > held {
            let len = (WINDOW as u64).min(self.end - at);
            self.bytes.clear();
            self.bytes.resize(len as usize, 0);
            self.start = at;
            read_bytes(self.device, at, &mut self.bytes).await?;
        }
        let offset = (at - self.start) as usize;
        Ok(self.bytes[offset..].first_chunk().copied())
    }

    /// `len` bytes from `at` on, of which the device has enough.
    pub(crate) async fn vec(&mut self, at: u64, len: usize) -> Result<Vec<u8>, BlockError> {
        let mut bytes = vec![0; len];
        read_bytes(self.device, at, &mut bytes).await?;
        Ok(bytes)
    }
}
