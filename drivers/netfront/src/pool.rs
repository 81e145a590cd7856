//! Which parts of the transmit pool are free. A frame takes a run of units, each half a page, which no other frame has.

use alloc::vec;
use alloc::vec::Vec;

use morgana_hal::PAGE_SIZE;

/// Half a page: what an Ethernet frame of ordinary size fits into.
pub(crate) const UNIT: usize = PAGE_SIZE / 2;

/// The longest run in units: that many bits are looked at together.
pub(crate) const MAX_RUN: usize = 63;

const BITS: usize = u64::BITS as usize;

/// A map of units.
pub(crate) struct Pool {
    /// A bit is set for each unit in use, and for those behind the last one.
    used: Vec<u64>,
    units: usize,
    free: usize,
    /// Where to look first, so that the units take turns.
    next: usize,
}

impl Pool {
    pub(crate) fn new(units: usize) -> Self {
        // One word more than there are units, so that a run may be looked at across words.
        let mut used = vec![u64::MAX; units.div_ceil(BITS) + 1];
        for unit in 0..units {
            used[unit / BITS] &= !(1 << (unit % BITS));
        }
        Self {
            used,
            units,
            free: units,
            next: 0,
        }
    }

    pub(crate) fn units(&self) -> usize {
        self.units
    }

    pub(crate) fn in_use(&self) -> usize {
        self.units - self.free
    }

    /// The first unit of a free run of `count`, which is at most [`MAX_RUN`]. Runs of several units begin with a page: if the unit is the
    /// second of its page, it is free as well, and the run begins behind it.
    pub(crate) fn find(&self, count: usize) -> Option<usize> {
        if count > self.free {
            return None;
        }
        self.search(count, self.next, self.units)
            .or_else(|| self.search(count, 0, self.next))
    }

    /// Looks for a run that begins in `from..to`.
    fn search(&self, count: usize, from: usize, to: usize) -> Option<usize> {
        let mut at = from;
        while at < to {
            let bits = count + usize::from(count > 1 && at % 2 == 1);
            let taken = self.window(at) & (u64::MAX >> (BITS - bits.clamp(1, BITS)));
            if taken == 0 {
                return Some(at);
            }
            // Behind the last unit that is in the way.
            let last = BITS - 1 - taken.leading_zeros() as usize;
            at += last + 1;
        }
        None
    }

    /// The bits of the units from `at` on.
    fn window(&self, at: usize) -> u64 {
        let (word, shift) = (at / BITS, at % BITS);
        let low = self.used[word] >> shift;
        if shift == 0 {
            low
        } else {
            low | self.used[word + 1] << (BITS - shift)
        }
    }

    /// Takes a run that [`find`](Self::find) has found, or the beginning of it.
    pub(crate) fn take(&mut self, first: usize, count: usize) {
        for unit in first..first + count {
            self.used[unit / BITS] |= 1 << (unit % BITS);
        }
        self.free -= count;
        self.next = (first + count) % self.units;
    }

    /// Gives a run back.
    pub(crate) fn give_back(&mut self, first: usize, count: usize) {
        for unit in first..first + count {
            self.used[unit / BITS] &= !(1 << (unit % BITS));
        }
        self.free += count;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn runs_do_not_overlap_and_come_back(
            units in 1..300usize,
            steps in prop::collection::vec((1..=MAX_RUN, any::<bool>()), 0..200),
        ) {
            let mut pool = Pool::new(units);
            let mut runs: Vec<(usize, usize)> = Vec::new();
            for (count, give_back) in steps {
                if give_back && !runs.is_empty() {
                    let (first, count) = runs.swap_remove(count % runs.len());
                    pool.give_back(first, count);
                } else if let Some(first) = pool.find(count) {
                    let first = if count > 1 { first.next_multiple_of(2) } else { first };
                    prop_assert!(first + count <= units);
                    let apart = |(other, length): &(usize, usize)| {
                        first + count <= *other || other + length <= first
                    };
                    prop_assert!(runs.iter().all(apart));
                    pool.take(first, count);
                    runs.push((first, count));
                } else {
                    let free = |unit| runs.iter().all(|(first, length)| {
                        !(*first..first + length).contains(&unit)
                    });
                    let step = if count > 1 { 2 } else { 1 };
                    let fits = |first: usize| {
                        first + count <= units && (first..first + count).all(free)
                    };
                    prop_assert!(!(0..units).step_by(step).any(fits));
                }
                let used: usize = runs.iter().map(|(_, count)| count).sum();
                prop_assert_eq!(pool.in_use(), used);
            }
        }
    }
}
