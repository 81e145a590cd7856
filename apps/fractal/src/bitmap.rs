//! Pictures with a palette (Windows' BMP with a `BITMAPINFOHEADER`), which every browser shows, and which need no compression.

use alloc::collections::TryReserveError;
use alloc::vec::Vec;

/// The two headers.
const HEADERS: usize = 14 + 40;
/// The palette: 256 colours of four bytes.
const PALETTE: usize = 256 * 4;

/// A square picture in the making: rows come from the lowest to the highest, as the file has them.
#[derive(Debug)]
pub struct Bitmap {
    bytes: Vec<u8>,
    side: u32,
}

impl Bitmap {
    /// A picture of `side` pixels in each direction, a multiple of 4.
    ///
    /// # Errors
    ///
    /// There is no memory for it.
    pub fn new(side: u32) -> Result<Self, TryReserveError> {
        let pixels = side as usize * side as usize;
        let length = HEADERS + PALETTE + pixels;
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(length)?;
        bytes.extend_from_slice(b"BM");
        for number in [length as u32, 0, (HEADERS + PALETTE) as u32, 40, side, side] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        // One plane, 8 bits a pixel.
        bytes.extend_from_slice(&[1, 0, 8, 0]);
        for number in [0, pixels as u32, 2835, 2835, 256, 0u32] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        for index in 0..=255u8 {
            bytes.extend_from_slice(&colour(index));
        }
        Ok(Self { bytes, side })
    }

    /// Adds a row above those that are there, of which `iterations` is the colour of the set.
    pub fn row(&mut self, pixels: impl Iterator<Item = u32>, iterations: u32) {
        let index = |steps: u32| match steps {
            steps if steps >= iterations => 0,
            steps => (steps % 255) as u8 + 1,
        };
        self.bytes
            .extend(pixels.take(self.side as usize).map(index));
    }

    /// The file.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// Blue, green, red and nothing: black for the set, then from dark blue over white to amber, and around.
const fn colour(index: u8) -> [u8; 4] {
    if index == 0 {
        return [0; 4];
    }
    let place = (index as u32 * 6) % 256;
    let (up, down) = (place as u8, 255 - place as u8);
    match (index as u32 * 6 / 256) % 3 {
        0 => [96 + up / 2, up / 2, up / 4, 0],
        1 => [224 - up / 3, 128 + up / 2, 64 + up / 2 + up / 4, 0],
        _ => [down / 2 + 16, down / 2 + 64, down / 2 + 96, 0],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_as_long_as_it_says() {
        let mut picture = Bitmap::new(8).unwrap();
        for row in 0..8 {
            picture.row((0..8).map(|column| column * row), 40);
        }
        let bytes = picture.into_bytes();
        let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
        assert_eq!(number(2) as usize, bytes.len());
        assert_eq!(bytes.len() - number(10) as usize, 64);
        assert_eq!(&bytes[bytes.len() - 8..], [1, 8, 15, 22, 29, 36, 0, 0]);
    }
}
