//! Numbers in an image, little-endian.

use crate::image::{ImageError, Problem};

/// The bytes of a range, if it lies in the image.
pub(crate) fn range(bytes: &[u8], offset: u64, len: u64) -> Result<&[u8], ImageError> {
    let outside = ImageError {
        problem: Problem::Truncated,
        offset,
    };
    let start = usize::try_from(offset).map_err(|_| outside)?;
    let len = usize::try_from(len).map_err(|_| outside)?;
    let end = start.checked_add(len).ok_or(outside)?;
    bytes.get(start..end).ok_or(outside)
}

fn array<const N: usize>(bytes: &[u8], offset: u64) -> Result<[u8; N], ImageError> {
    let found = range(bytes, offset, N as u64)?;
    // `range` gives as many bytes as it is asked for.
    Ok(found.try_into().unwrap_or([0; N]))
}

pub(crate) fn u16(bytes: &[u8], offset: u64) -> Result<u16, ImageError> {
    array(bytes, offset).map(u16::from_le_bytes)
}

pub(crate) fn u32(bytes: &[u8], offset: u64) -> Result<u32, ImageError> {
    array(bytes, offset).map(u32::from_le_bytes)
}

pub(crate) fn u64(bytes: &[u8], offset: u64) -> Result<u64, ImageError> {
    array(bytes, offset).map(u64::from_le_bytes)
}
