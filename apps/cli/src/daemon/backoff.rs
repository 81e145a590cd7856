//! How long to wait before something is started once more that has ended.

use std::time::Duration;

/// Whoever lived so long has begun well, which takes a fraction of a second: the next end counts as the first. One that ends every few seconds is made anew as often, which costs little.
const LONG: Duration = Duration::from_secs(5);
/// The longest pause.
const MOST: Duration = Duration::from_secs(30);

/// First at once, then after 1, 2, 4 … 30 s.
#[derive(Debug, Default)]
pub(super) struct Backoff(u32);

impl Backoff {
    /// It has ended, having lived so long: the pause before the next start.
    pub(super) fn ended_after(&mut self, lived: Duration) -> Duration {
        if lived >= LONG {
            self.0 = 0;
        }
        let ends = self.0;
        self.0 = self.0.saturating_add(1);
        match ends.checked_sub(1) {
            None => Duration::ZERO,
            Some(doublings) => Duration::from_secs(1 << doublings.min(5)).min(MOST),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_a_life_of_five_seconds_ends_that() {
        let mut backoff = Backoff::default();
        let mut pause = |lived| backoff.ended_after(Duration::from_secs(lived)).as_secs();
        let pauses = [0, 4, 1, 0, 0, 0, 0, 0].map(&mut pause);
        assert_eq!(pauses, [0, 1, 2, 4, 8, 16, 30, 30]);
        assert_eq!([5, 0, 3600, 4].map(&mut pause), [0, 1, 0, 1]);
        for _ in 0..100 {
            assert!(pause(0) <= 30);
        }
    }
}
