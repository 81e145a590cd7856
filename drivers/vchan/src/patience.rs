//! Looking again before sleeping.
//!
//! An end that sleeps wants to be notified, and wakes late: system calls and hypercalls at both ends, which often take longer than the other end would have needed for
//! its answer. So who finds nothing looks again for a while, without having asked for a notification; as long as that pays, and else only now and then.

use core::cell::Cell;
use core::hint::spin_loop;

/// How often to look. With a pause of some 140 cycles before each that is 40 µs or so, about what it takes to put a domain to sleep and to wake it.
const LOOKS: u32 = 1000;
/// In vain so many times in a row, and it is tried seldom.
const MISSES: u32 = 4;
/// Sleeps between two tries then: as many at first, twice as many after each one, and no more than that at last.
const PAUSE: u32 = 8;
const LONGEST_PAUSE: u32 = 256;
/// So many times in a row it may keep the task from sleeping. Then other tasks have their turn.
const HITS: u32 = 64;

/// Whether it pays for one direction of a vchan.
#[derive(Debug)]
pub(crate) struct Patience {
    /// Tries in vain since the last one that was not.
    misses: Cell<u32>,
    /// Sleeps since the last try.
    slept: Cell<u32>,
    /// Tries that were not in vain since others had a turn.
    hits: Cell<u32>,
}

impl Patience {
    /// Nobody knows yet: it is tried after some sleeps.
    pub(crate) const fn new() -> Self {
        Self {
            misses: Cell::new(MISSES),
            slept: Cell::new(0),
            hits: Cell::new(0),
        }
    }

    /// Looks again for a while, if that seems to pay.
    pub(crate) fn look_again<T>(&self, mut look: impl FnMut() -> Option<T>) -> Option<T> {
        if self.slept.get() < self.pause() {
            self.slept.update(|slept| slept + 1);
            return None;
        }
        self.slept.set(0);
        for _ in 0..LOOKS {
            spin_loop();
            let found = look();
            if found.is_some() {
                self.misses.set(0);
                self.hits.update(|hits| hits + 1);
                return found;
            }
        }
        self.misses.update(|misses| misses.saturating_add(1));
        None
    }

    /// Whether it is time for other tasks to have their turn. The next call says no.
    pub(crate) fn is_others_turn(&self) -> bool {
        let others = self.hits.get() >= HITS;
        if others {
            self.hits.set(0);
        }
        others
    }

    /// A task that sleeps lets others run.
    pub(crate) fn sleeps(&self) {
        self.hits.set(0);
    }

    /// How many sleeps there are to be between two tries.
    fn pause(&self) -> u32 {
        match self.misses.get().checked_sub(MISSES) {
            None => 0,
            Some(more) => LONGEST_PAUSE.min(PAUSE << more.min(LONGEST_PAUSE.ilog2())),
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use std::vec::Vec;

    /// Which of so many calls looked at all; nothing was found.
    fn tries(patience: &Patience, calls: usize) -> Vec<usize> {
        let tried = |_: &usize| {
            let mut looks = 0;
            let found = patience.look_again(|| -> Option<()> {
                looks += 1;
                None
            });
            assert!(found.is_none() && (looks == 0 || looks == LOOKS));
            looks > 0
        };
        (0..calls).filter(tried).collect()
    }

    #[test]
    fn what_does_not_pay_is_tried_seldom() {
        let patience = Patience::new();
        assert_eq!(tries(&patience, 200), [8, 25, 58, 123]);
        let late = tries(&patience, 10_000);
        assert!((35..=45).contains(&late.len()), "{late:?}");
        // Once it has paid, it is tried at once, and given up again.
        while patience.look_again(|| Some(())).is_none() {}
        assert_eq!(tries(&patience, 30), [0, 1, 2, 3, 12, 29]);
    }

    #[test]
    fn others_have_their_turn() {
        let patience = Patience::new();
        while patience.look_again(|| Some(())).is_none() {}
        for _ in 1..HITS {
            assert!(!patience.is_others_turn());
            assert_eq!(patience.look_again(|| Some(7)), Some(7));
        }
        assert!(patience.is_others_turn());
        assert!(!patience.is_others_turn());
        patience.look_again(|| Some(()));
        patience.sleeps();
        assert!(!patience.is_others_turn());
    }
}
