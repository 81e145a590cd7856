//! Response rate limiting: what a network gets over UDP is bounded, as its queries may be somebody else's in its name.

use alloc::boxed::Box;
use alloc::vec;
use core::net::IpAddr;

use super::RateLimit;

/// What is to be done with an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Verdict {
    Send,
    /// Send it truncated.
    Slip,
    Drop,
}

/// One place of the table.
#[derive(Clone, Copy, Default)]
struct Count {
    /// The second that is counted, its lower bits.
    second: u32,
    answers: u16,
    over: u16,
}

/// Counts answers.
pub(super) struct Limiter {
    limit: RateLimit,
    seed: u64,
    /// A power of two of them.
    counts: Box<[Count]>,
}

impl core::fmt::Debug for Limiter {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Limiter")
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

impl Limiter {
    pub(super) fn new(limit: RateLimit, seed: u64) -> Self {
        Self {
            limit,
            seed,
            counts: vec![Count::default(); limit.places.clamp(1, 1 << 20).next_power_of_two()]
                .into(),
        }
    }

    /// Counts an answer of a kind to an address.
    pub(super) fn check(&mut self, address: IpAddr, kind: u32, second: u32) -> Verdict {
        let network = match address {
            IpAddr::V4(v4) => u64::from(v4.to_bits() >> 8),
            IpAddr::V6(v6) => (v6.to_bits() >> 72) as u64 | 1 << 63,
        };
        let mixed = (network ^ self.seed).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ u64::from(kind);
        let hash = (mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let place = (hash >> 32) as usize & (self.counts.len() - 1);
        let count = &mut self.counts[place];
        if count.second != second {
            *count = Count {
                second,
                ..Count::default()
            };
        }
        if count.answers < self.limit.answers {
            count.answers += 1;
            return Verdict::Send;
        }
        count.over = count.over.wrapping_add(1);
        match self.limit.slip {
            0 => Verdict::Drop,
            slip if count.over.is_multiple_of(u16::from(slip)) => Verdict::Slip,
            _ => Verdict::Drop,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn a_network_gets_so_many_a_second_of_each_kind() {
        let limit = RateLimit {
            answers: 3,
            slip: 2,
            places: 4096,
        };
        let mut limiter = Limiter::new(limit, 7);
        let mut verdicts = |address: &str, kind, second| -> Vec<Verdict> {
            let address = address.parse().unwrap();
            (0..7)
                .map(|_| limiter.check(address, kind, second))
                .collect()
        };
        use Verdict::{Drop, Send, Slip};
        let bounded = [Send, Send, Send, Drop, Slip, Drop, Slip];
        assert_eq!(verdicts("192.0.2.1", 1, 10), bounded);
        assert_eq!(verdicts("192.0.2.9", 1, 10)[..3], [Drop, Slip, Drop]);
        assert_eq!(verdicts("192.0.2.1", 2, 10), bounded);
        assert_eq!(verdicts("192.0.3.1", 1, 10), bounded);
        assert_eq!(verdicts("2001:db8::1", 1, 10), bounded);
        assert_eq!(verdicts("2001:db8::ffff:1", 1, 10)[..3], [Drop, Slip, Drop]);
        assert_eq!(verdicts("192.0.2.1", 1, 11), bounded);
    }
}
