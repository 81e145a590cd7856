//! Points in time as people read them: the Gregorian calendar, in UTC.

use core::fmt;

use crate::WallTime;

/// A point in time by the calendar.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Civil {
    /// From 1970 on.
    pub year: u64,
    /// 1 is January.
    pub month: u64,
    /// From 1 on.
    pub day: u64,
    /// Below 24.
    pub hour: u64,
    /// Below 60.
    pub minute: u64,
    /// Below 60: there are no leap seconds.
    pub second: u64,
    /// Below 1,000.
    pub millisecond: u64,
}

impl WallTime {
    /// The same by the calendar.
    pub fn civil(self) -> Civil {
        let seconds = self.unix_seconds();
        let (year, month, day) = date(seconds / DAY);
        Civil {
            year,
            month,
            day,
            hour: seconds / 3600 % 24,
            minute: seconds / 60 % 60,
            second: seconds % 60,
            millisecond: self.unix_nanos() / 1_000_000 % 1000,
        }
    }
}

/// Shown as `2026-11-26T09:30:00.123Z` (RFC 3339).
impl fmt::Display for WallTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Civil {
            year,
            month,
            day,
            hour,
            minute,
            second,
            millisecond,
        } = self.civil();
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millisecond:03}Z"
        )
    }
}

const DAY: u64 = 24 * 60 * 60;
/// Days of 400 years, after which the calendar repeats itself.
const ERA: u64 = 146_097;
/// From 1 March of year 0 to 1 January 1970, in days.
const BEFORE_1970: u64 = 719_468;

/// Days from 1 January 1970 to that of year, month (1 is January) and day; `None` for one that there is not, or that was before.
pub fn days_since_1970(year: u64, month: u64, day: u64) -> Option<u64> {
    if year < 1970 || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let from_march = year - u64::from(month <= 2);
    let (era, year_of_era) = (from_march / 400, from_march % 400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let days = era.checked_mul(ERA)?.checked_add(day_of_era)? - BEFORE_1970;
    // A day that its month does not have comes out as another date.
    (date(days) == (year, month, day)).then_some(days)
}

/// Year, month (1 is January) and day, so many days after 1 January 1970. Years are counted from March, so that a leap day is a year's last.
pub fn date(days: u64) -> (u64, u64, u64) {
    let days = days + BEFORE_1970;
    let (era, day_of_era) = (days / ERA, days % ERA);
    let leap_days = day_of_era / 1460 - day_of_era / 36_524 + day_of_era / (ERA - 1);
    let year_of_era = (day_of_era - leap_days) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    // March is 0; five months from March or August on have 153 days.
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use std::string::ToString;

    #[test]
    fn known_points_in_time() {
        for (seconds, shown) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_399, "2000-02-28T23:59:59.000Z"),
            (951_782_400, "2000-02-29T00:00:00.000Z"),
            (951_868_800, "2000-03-01T00:00:00.000Z"),
            (1_790_812_800, "2026-10-01T00:00:00.000Z"),
            (4_107_542_400, "2100-03-01T00:00:00.000Z"),
        ] {
            let time = WallTime::from_unix_nanos(seconds * 1_000_000_000);
            assert_eq!(time.to_string(), shown);
        }
        let time = WallTime::from_unix_nanos(1_234_567_890);
        assert_eq!(time.to_string(), "1970-01-01T00:00:01.234Z");
    }

    #[test]
    fn each_day_is_found_again() {
        for days in 0..100_000 {
            let (year, month, day) = date(days);
            assert_eq!(days_since_1970(year, month, day), Some(days));
        }
        for (year, month, day) in [
            (1969, 12, 31),
            (2026, 0, 1),
            (2026, 13, 1),
            (2026, 4, 31),
            (2026, 2, 29),
            (2100, 2, 29),
            (2026, 1, 0),
            (u64::MAX, 1, 1),
        ] {
            assert_eq!(days_since_1970(year, month, day), None);
        }
    }

    #[test]
    fn each_day_follows_the_one_before() {
        let mut last = date(0);
        for days in 1..100_000 {
            let next = date(days);
            assert!(next > last && next.1 <= 12 && next.2 <= 31, "{next:?}");
            last = next;
        }
    }
}
