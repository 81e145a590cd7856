//! How fast guests may write while that is in others' way.
//!
//! A change of the tree can make others' transactions fail, so while there are such transactions it costs credit. The rate is shared by
//! all guests; what a guest leaves unused goes into a reserve, from which others may take. (The figures are those of Xen's C daemon.)

use alloc::rc::Rc;
use core::cell::Cell;
use core::time::Duration;

use morgana_hal::Instant;

/// Thousandths of a change: credit is counted in them.
const CHANGE: i64 = 1000;
/// What all guests together earn in a second.
const RATE: i64 = 200 * CHANGE;
/// What a guest may save.
const BURST: i64 = 10 * CHANGE;
/// What the reserve may hold.
const RESERVE: i64 = 1000 * CHANGE;
/// How far the reserve may go below nothing, so that guests that come have something to begin with.
const ADVANCE: i64 = 50 * CHANGE;
/// More time than this makes no difference.
const LONGEST: Duration = Duration::from_secs(1000);

/// What all guests share.
#[derive(Debug, Default)]
pub(crate) struct Rates {
    guests: Cell<i64>,
    reserve: Cell<i64>,
}

/// One guest's credit, while it is served.
#[derive(Debug)]
pub(crate) struct Credit {
    rates: Rc<Rates>,
    credit: i64,
    at: Instant,
}

impl Rates {
    /// Gives to `credit` what the reserve has above `floor`, as long as the credit is below `ceiling`.
    fn lend(&self, floor: i64, credit: &mut i64, ceiling: i64) {
        let moved = (self.reserve.get() - floor).min(ceiling - *credit).max(0);
        self.reserve.set(self.reserve.get() - moved);
        *credit += moved;
    }

    fn give_back(&self, surplus: i64) {
        self.reserve
            .set((self.reserve.get() + surplus).min(RESERVE));
    }
}

impl Credit {
    pub(crate) fn new(rates: &Rc<Rates>, now: Instant) -> Self {
        rates.guests.set(rates.guests.get() + 1);
        let mut credit = 0;
        rates.lend(-ADVANCE, &mut credit, BURST);
        Self {
            rates: rates.clone(),
            credit,
            at: now,
        }
    }

    /// Pays for a change. Returns how long the guest has to wait before it is asked for more.
    pub(crate) fn pay(&mut self, now: Instant) -> Option<Duration> {
        self.earn(now);
        self.credit -= CHANGE;
        self.rates.lend(0, &mut self.credit, 0);
        let debt = -self.credit;
        let thousandths = debt * self.rates.guests.get() * 1_000_000 / RATE;
        u64::try_from(thousandths)
            .ok()
            .filter(|&micros| micros > 0)
            .map(Duration::from_micros)
    }

    fn earn(&mut self, now: Instant) {
        let passed = now.since(self.at).min(LONGEST).as_micros() as i64;
        self.credit += passed * (RATE / 1000) / (1000 * self.rates.guests.get().max(1));
        self.at = now;
        let surplus = self.credit - BURST;
        if surplus > 0 {
            self.credit = BURST;
            self.rates.give_back(surplus);
        }
    }
}

impl Drop for Credit {
    fn drop(&mut self) {
        self.rates.guests.set(self.rates.guests.get() - 1);
        self.rates.give_back(self.credit.max(0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn at(millis: u64) -> Instant {
        Instant::from_nanos(millis * 1_000_000)
    }

    /// How many changes go through from `from` on, until a guest has to wait; at once.
    fn burst(credit: &mut Credit, from: Instant) -> usize {
        (0..10_000)
            .take_while(|_| credit.pay(from).is_none())
            .count()
    }

    #[test]
    fn xsa_206_a_lone_guest_has_a_burst_the_reserve_and_then_the_rate() {
        let rates = Rc::new(Rates::default());
        let mut credit = Credit::new(&rates, at(0));
        assert_eq!(burst(&mut credit, at(0)), 10);
        // A minute of rest fills its purse and the reserve.
        assert_eq!(burst(&mut credit, at(60_000)), 1010);
        // From then on it waits 5 ms for each change.
        let mut now = at(60_000);
        for _ in 0..100 {
            if let Some(wait) = credit.pay(now) {
                now = now + wait;
            }
        }
        let took = now.since(at(60_000));
        let expected = Duration::from_millis(500);
        assert!(
            took >= expected && took <= expected + Duration::from_millis(20),
            "{took:?}"
        );
    }

    #[test]
    fn guests_share_the_rate_evenly() {
        let rates = Rc::new(Rates::default());
        let mut guests: Vec<Credit> = (0..4).map(|_| Credit::new(&rates, at(0))).collect();
        for guest in &mut guests {
            burst(guest, at(0));
        }
        let mut changes = 0;
        for guest in &mut guests {
            let mut now = at(0);
            while now < at(2000) {
                if let Some(wait) = guest.pay(now) {
                    now = now + wait;
                }
                changes += 1;
            }
        }
        assert!((390..=450).contains(&changes), "{changes}");
        drop(guests);
        assert_eq!(rates.guests.get(), 0);
    }
}
