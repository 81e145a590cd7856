//! From the processor's time stamp counter to Xen's system time (`struct vcpu_time_info` of xen.h): arithmetic only.

/// One consistent reading of the parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Parameters {
    /// The counter when the parameters were written.
    pub(crate) tsc: u64,
    /// System time then, in nanoseconds.
    pub(crate) system_ns: u64,
    /// Nanoseconds a (shifted) tick, as a fraction of 2^32.
    pub(crate) multiplier: u32,
    /// Shift of the tick count, to the left if positive, before multiplying.
    pub(crate) shift: i8,
}

impl Parameters {
    /// System time in nanoseconds at a value of the counter.
    pub(crate) fn system_time(&self, tsc: u64) -> u64 {
        // Where Xen emulates the counter it begins at 0 with the domain, and the parameters may be older: then they have a value from before 0, modulo 2^64 (`gtime_to_gtsc` of Xen's time.c).
        // And another processor's counter may lag a little behind the one that the parameters were written on.
        let ticks = tsc
            .wrapping_sub(self.tsc)
            .cast_signed()
            .max(0)
            .cast_unsigned();
        let shifted = if self.shift >= 0 {
            ticks << (self.shift as u32 & 63)
        } else {
            ticks >> (u32::from(self.shift.unsigned_abs()) & 63)
        };
        let elapsed = (u128::from(shifted) * u128::from(self.multiplier)) >> 32;
        self.system_ns.saturating_add(elapsed as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::Parameters;

    #[test]
    fn two_gigahertz() {
        // 0.5 ns a tick: 2^31 / 2^32.
        let parameters = Parameters {
            tsc: 1_000,
            system_ns: 7,
            multiplier: 1 << 31,
            shift: 0,
        };
        assert_eq!(parameters.system_time(1_000), 7);
        assert_eq!(parameters.system_time(3_000), 1_007);
        // A year of ticks does not overflow.
        let year_ns = 365 * 86_400 * 1_000_000_000_u64;
        assert_eq!(parameters.system_time(1_000 + 2 * year_ns), 7 + year_ns);
    }

    #[test]
    fn shifts_both_ways() {
        let mut parameters = Parameters {
            tsc: 0,
            system_ns: 0,
            multiplier: 1 << 31,
            shift: 1,
        };
        assert_eq!(parameters.system_time(1_000), 1_000);
        parameters.shift = -1;
        assert_eq!(parameters.system_time(1_000), 250);
    }

    /// In the first second of a domain whose counter is emulated.
    #[test]
    fn parameters_from_before_the_counter_began() {
        let parameters = Parameters {
            tsc: 0_u64.wrapping_sub(600),
            system_ns: 7_000,
            multiplier: 1 << 31,
            shift: 0,
        };
        assert_eq!(parameters.system_time(0), 7_300);
        assert_eq!(parameters.system_time(1_000), 7_800);
    }

    #[test]
    fn a_counter_behind_does_not_wrap() {
        let parameters = Parameters {
            tsc: 1_000,
            system_ns: 5,
            multiplier: 1 << 31,
            shift: 0,
        };
        assert_eq!(parameters.system_time(999), 5);
    }
}
