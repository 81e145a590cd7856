extern crate std;

use std::vec;
use std::vec::Vec;

use super::Bitmap;

/// The same thing, slow and obvious.
struct Model(Vec<bool>);

impl Model {
    fn highest(&mut self, count: usize) -> Option<usize> {
        let first = (0..=self.0.len().checked_sub(count)?)
            .rev()
            .find(|&first| self.0[first..first + count].iter().all(|taken| !taken))?;
        self.0[first..first + count].fill(true);
        Some(first)
    }

    fn lowest(&mut self, count: usize) -> Option<usize> {
        let first = (0..=self.0.len().checked_sub(count)?)
            .find(|&first| self.0[first..first + count].iter().all(|taken| !taken))?;
        self.0[first..first + count].fill(true);
        Some(first)
    }

    fn at(&mut self, first: usize, count: usize) -> bool {
        let Some(run) = self.0.get_mut(first..first + count) else {
            return false;
        };
        if run.iter().any(|&taken| taken) {
            return false;
        }
        run.fill(true);
        true
    }
}

#[test]
fn agrees_with_the_model() {
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move |bound: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random % bound as u64) as usize
    };
    for len in [1, 63, 64, 65, 200, 1024] {
        let mut words = vec![0; Bitmap::words_for(len)];
        let mut bitmap = Bitmap::full(&mut words, len);
        let mut model = Model(vec![true; len]);
        bitmap.give(0, len);
        model.0.fill(false);
        for _ in 0..5_000 {
            let bound = if next(4) == 0 { 70 } else { 4 };
            let count = 1 + next(bound);
            match next(4) {
                0 => assert_eq!(bitmap.take_highest(count), model.highest(count)),
                1 => assert_eq!(bitmap.take_lowest(count), model.lowest(count)),
                2 => {
                    let first = next(len + 2);
                    assert_eq!(bitmap.take_at(first, count), model.at(first, count));
                }
                _ => {
                    let first = next(len);
                    bitmap.give(first, count);
                    let end = (first + count).min(len);
                    model.0[first..end].fill(false);
                }
            }
            assert_eq!(
                bitmap.free(),
                model.0.iter().filter(|&&taken| !taken).count()
            );
        }
    }
}

#[test]
fn nothing_exists_beyond_the_end() {
    let mut words = [0; 1];
    let mut bitmap = Bitmap::full(&mut words, 1_000);
    bitmap.give(0, 1_000);
    assert_eq!(bitmap.free(), 64);
    assert!(bitmap.is_taken(64));
    assert!(!bitmap.take_at(60, 5));
    assert!(!bitmap.take_at(usize::MAX, 2));
    assert_eq!(bitmap.take_highest(0), None);
    assert_eq!(bitmap.take_highest(65), None);
}
