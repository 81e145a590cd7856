//! The Mandelbrot set: which points of the plane stay small.
//!
//! All numbers are integers of 2^-56, so that every machine computes the same.

use core::fmt;

/// Bits of a number behind its point.
const FRACTION: u32 = 56;
/// The left and upper edges of what is looked at: -2 in both directions.
const ORIGIN: i64 = -2 << FRACTION;
/// How often the whole, of side 4, can be halved: down to sides of 2^-38, whose pixels are still told apart.
pub const DEEPEST: u32 = 40;

/// A square of the plane: at level 0 it is the whole, of side 4 around 0; each level has four times as many of half the side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tile {
    level: u32,
    x: u64,
    y: u64,
}

/// There is no such tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadTile;

impl fmt::Display for BadTile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a tile has a level from 0 to {DEEPEST}, and x and y below 2^level"
        )
    }
}

impl core::error::Error for BadTile {}

impl Tile {
    /// The tile in column `x` and row `y` of a level.
    ///
    /// # Errors
    ///
    /// [`BadTile`] if the level has none there, or is deeper than [`DEEPEST`].
    pub const fn new(level: u32, x: u64, y: u64) -> Result<Self, BadTile> {
        if level > DEEPEST || x >> level != 0 || y >> level != 0 {
            return Err(BadTile);
        }
        Ok(Self { level, x, y })
    }

    /// Level, column and row.
    pub const fn place(self) -> (u32, u64, u64) {
        (self.level, self.x, self.y)
    }

    /// The point in the middle of a pixel, of `side` in a row and as many rows.
    fn point(self, column: u32, row: u32, side: u32) -> (i64, i64) {
        let edge = (4 << FRACTION) >> self.level;
        let along = |tile: u64, pixel: u32| {
            let middle = i128::from(edge) * i128::from(2 * pixel + 1) / i128::from(2 * side.max(1));
            // Within the whole, so between -2 and 2.
            ORIGIN + edge * tile as i64 + middle as i64
        };
        (along(self.x, column), along(self.y, row))
    }

    /// A row of pixels: of each after how many steps the point has grown beyond 2, or `iterations` if it does not in so many.
    pub fn row(self, row: u32, side: u32, iterations: u32) -> impl Iterator<Item = u32> {
        (0..side).map(move |column| {
            let (re, im) = self.point(column, row, side);
            steps(re, im, iterations)
        })
    }
}

/// The product. Both are below 8, so it is below 64: there is room for 127.
const fn times(one: i64, other: i64) -> i64 {
    ((one as i128 * other as i128) >> FRACTION) as i64
}

/// After how many steps of z² + c, from 0, z is beyond 2; at most `most`.
fn steps(re: i64, im: i64, most: u32) -> u32 {
    let (mut x, mut y) = (0, 0);
    for step in 0..most {
        let (xx, yy) = (times(x, x), times(y, y));
        if xx + yy > 4 << FRACTION {
            return step;
        }
        // No part of z is larger than 2 here, so the next ones are below 8.
        y = 2 * times(x, y) + im;
        x = xx - yy + re;
    }
    most
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;

    #[test]
    fn what_is_in_the_set_never_grows() {
        let one = 1 << FRACTION;
        for (re, im) in [(0, 0), (-one, 0), (one / 4, 0), (0, one), (-2 * one, 0)] {
            assert_eq!(steps(re, im, 500), 500, "{re} {im}");
        }
        // z is c, c² + c, …: 2 is not beyond 2, 6 is.
        assert_eq!(steps(2 * one, 0, 500), 2);
        assert_eq!(steps(one, one, 500), 2);
        assert_eq!(steps(one / 4 + one / 64, 0, 500), 23);
    }

    #[test]
    fn tiles_join_without_a_gap() {
        let whole = Tile::new(0, 0, 0).unwrap();
        let quarters = [(0, 0), (1, 0), (0, 1), (1, 1)].map(|(x, y)| Tile::new(1, x, y).unwrap());
        for row in 0..8 {
            let expected: Vec<u32> = whole.row(row, 8, 100).collect();
            let half = if row < 4 {
                &quarters[..2]
            } else {
                &quarters[2..]
            };
            let found: Vec<u32> = half
                .iter()
                .flat_map(|tile| tile.row(row % 4, 4, 100))
                .collect();
            assert_eq!(found, expected, "row {row}");
        }
    }

    #[test]
    fn only_tiles_of_a_level_are_tiles() {
        assert!(Tile::new(DEEPEST, (1 << DEEPEST) - 1, 0).is_ok());
        for (level, x, y) in [
            (0, 1, 0),
            (3, 0, 8),
            (DEEPEST + 1, 0, 0),
            (DEEPEST, 1 << DEEPEST, 0),
        ] {
            assert_eq!(Tile::new(level, x, y), Err(BadTile));
        }
        // The deepest ones' pixels are not all one point.
        let tile = Tile::new(DEEPEST, 1 << (DEEPEST - 1), 1 << (DEEPEST - 1)).unwrap();
        assert_ne!(tile.point(0, 0, 64), tile.point(1, 0, 64));
    }
}
