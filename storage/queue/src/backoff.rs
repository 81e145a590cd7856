//! The time between attempts.

/// Exponential backoff: the wait doubles from `first` to `most` (milliseconds), and the upper half of it is left to chance.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    /// The wait after the first attempt.
    pub first: u64,
    /// The longest wait.
    pub most: u64,
}

impl Backoff {
    /// The wait after `attempt` (from 1), with the jitter that `random` gives: from half of the full wait to all of it.
    pub fn wait(&self, attempt: u32, random: u64) -> u64 {
        let doublings = attempt.saturating_sub(1).min(63);
        let full = self.first.saturating_mul(1 << doublings).min(self.most);
        let half = full / 2;
        full - random % (half + 1)
    }
}

/// The next number of SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
pub(crate) fn next_random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
