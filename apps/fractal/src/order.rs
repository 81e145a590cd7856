//! What a worker is asked for: a poster of a tile.

use alloc::format;
use alloc::string::String;
use core::fmt;

use crate::{BadTile, Tile};

/// Pixels of a poster in each direction at the most.
pub const MOST_SIDE: u32 = 2048;
/// Steps of a pixel at the most.
pub const MOST_ITERATIONS: u32 = 100_000;

/// A poster of a tile. As a job it is a text: `poster LEVEL X Y SIDE ITERATIONS`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// What is on it.
    pub tile: Tile,
    /// Pixels in each direction.
    pub side: u32,
    /// Steps of a pixel.
    pub iterations: u32,
}

/// Why a text is no order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadOrder {
    /// It is not `poster` and five numbers.
    Malformed,
    /// There is no such tile.
    Tile(BadTile),
    /// No side that a poster may have.
    Side,
    /// More steps than a pixel may have, or none.
    Iterations,
}

impl fmt::Display for BadOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => f.write_str("an order is: poster LEVEL X Y SIDE ITERATIONS"),
            Self::Tile(error) => error.fmt(f),
            Self::Side => write!(f, "a side is a multiple of 4 up to {MOST_SIDE}"),
            Self::Iterations => write!(f, "iterations are from 1 to {MOST_ITERATIONS}"),
        }
    }
}

impl core::error::Error for BadOrder {}

impl Order {
    /// An order whose numbers are in their bounds.
    ///
    /// # Errors
    ///
    /// [`BadOrder`].
    pub const fn new(tile: Tile, side: u32, iterations: u32) -> Result<Self, BadOrder> {
        if side == 0 || side > MOST_SIDE || !side.is_multiple_of(4) {
            return Err(BadOrder::Side);
        }
        if iterations == 0 || iterations > MOST_ITERATIONS {
            return Err(BadOrder::Iterations);
        }
        Ok(Self {
            tile,
            side,
            iterations,
        })
    }

    /// Reads a job.
    ///
    /// # Errors
    ///
    /// [`BadOrder`].
    pub fn parse(job: &[u8]) -> Result<Self, BadOrder> {
        let text = str::from_utf8(job).map_err(|_| BadOrder::Malformed)?;
        let mut words = text.split(' ');
        if words.next() != Some("poster") {
            return Err(BadOrder::Malformed);
        }
        let mut number = || {
            let word = words.next().ok_or(BadOrder::Malformed)?;
            word.parse::<u64>().map_err(|_| BadOrder::Malformed)
        };
        let numbers = [number()?, number()?, number()?, number()?, number()?];
        if words.next().is_some() {
            return Err(BadOrder::Malformed);
        }
        let [level, x, y, side, iterations] = numbers;
        // What does not fit is beyond each bound.
        let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        let tile = Tile::new(small(level), x, y).map_err(BadOrder::Tile)?;
        Self::new(tile, small(side), small(iterations))
    }

    /// The job.
    pub fn text(&self) -> String {
        let (level, x, y) = self.tile.place();
        format!("poster {level} {x} {y} {} {}", self.side, self.iterations)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_read_as_it_was_written() {
        let order = Order::new(Tile::new(9, 300, 511).unwrap(), 512, 4000).unwrap();
        assert_eq!(order.text(), "poster 9 300 511 512 4000");
        assert_eq!(Order::parse(order.text().as_bytes()), Ok(order));
    }

    #[test]
    fn what_is_no_order_is_refused_with_its_reason() {
        for (text, why) in [
            ("", BadOrder::Malformed),
            ("poster", BadOrder::Malformed),
            ("poster 1 0 0 64", BadOrder::Malformed),
            ("poster 1 0 0 64 9 9", BadOrder::Malformed),
            ("poster 1 0 -1 64 9", BadOrder::Malformed),
            ("banner 1 0 0 64 9", BadOrder::Malformed),
            ("poster 1 2 0 64 9", BadOrder::Tile(BadTile)),
            ("poster 99999999999 0 0 64 9", BadOrder::Tile(BadTile)),
            ("poster 1 0 0 0 9", BadOrder::Side),
            ("poster 1 0 0 63 9", BadOrder::Side),
            ("poster 1 0 0 4294967296 9", BadOrder::Side),
            ("poster 1 0 0 64 0", BadOrder::Iterations),
            ("poster 1 0 0 64 100001", BadOrder::Iterations),
        ] {
            assert_eq!(Order::parse(text.as_bytes()), Err(why), "{text}");
        }
        assert_eq!(Order::parse(b"poster \xff"), Err(BadOrder::Malformed));
    }
}
