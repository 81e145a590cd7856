//! HTTP's dates (RFC 9110 §5.6.7).

use morgana_hal::{WallTime, date, days_since_1970};

use crate::wire::decimal;

/// Seconds since 1970-01-01 00:00:00 UTC, leap seconds not counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnixTime(pub u64);

const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];
const SECONDS_PER_DAY: u64 = 86_400;

/// 9999-12-31 23:59:59, the last second that four digits of a year can write. Later times are written as this one.
const LAST: UnixTime = UnixTime(253_402_300_799);

/// The bytes of an IMF-fixdate.
const LENGTH: usize = "Sun, 06 Nov 1994 08:49:37 GMT".len();

impl From<WallTime> for UnixTime {
    fn from(time: WallTime) -> Self {
        Self(time.unix_seconds())
    }
}

impl UnixTime {
    /// Writes an IMF-fixdate, as in `Sun, 06 Nov 1994 08:49:37 GMT`, into `buffer`.
    pub fn write_http_date(self, buffer: &mut [u8; LENGTH]) -> &str {
        let seconds = self.min(LAST).0;
        let (days, second) = (seconds / SECONDS_PER_DAY, seconds % SECONDS_PER_DAY);
        let (year, month, day) = date(days);
        buffer.copy_from_slice(b"Thu, 00 Jan 0000 00:00:00 GMT");
        buffer[..3].copy_from_slice(DAYS[(days % 7) as usize].as_bytes());
        buffer[8..11].copy_from_slice(MONTHS[month as usize - 1].as_bytes());
        for (at, value) in [
            (5, day),
            (12, year / 100),
            (14, year % 100),
            (17, second / 3600),
            (20, second / 60 % 60),
            (23, second % 60),
        ] {
            buffer[at] = b'0' + (value / 10) as u8;
            buffer[at + 1] = b'0' + (value % 10) as u8;
        }
        // Nothing but ASCII was written.
        core::str::from_utf8(buffer).unwrap_or_default()
    }

    /// Writes a date as an access log has it, as in `06/Nov/1994:08:49:37 +0000`, into `buffer`.
    pub fn write_log_date(self, buffer: &mut [u8; 26]) -> &str {
        let mut other = [0; LENGTH];
        self.write_http_date(&mut other);
        buffer.copy_from_slice(b"00/Nov/0000:00:00:00 +0000");
        buffer[..2].copy_from_slice(&other[5..7]);
        buffer[3..6].copy_from_slice(&other[8..11]);
        buffer[7..11].copy_from_slice(&other[12..16]);
        buffer[12..20].copy_from_slice(&other[17..25]);
        // Nothing but ASCII was written.
        core::str::from_utf8(buffer).unwrap_or_default()
    }

    /// Reads a date in any of the three forms of RFC 9110 §5.6.7. The day's name must be one but need not be the right
    /// one. The two-digit years of RFC 850 are taken as 1970 to 2069, since no clock is at hand to slide the window.
    pub fn parse_http_date(text: &[u8]) -> Option<Self> {
        let text = core::str::from_utf8(text).ok()?;
        let mut parts = text.split(' ');
        let day_name = parts.next()?;
        let (year, month, day, time) = if let Some(short) = day_name.strip_suffix(',') {
            let (year, month, day, time) = if DAYS.contains(&short) {
                let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
                (digits(year, 4)?, month, digits(day, 2)?, parts.next()?)
            } else {
                const TAILS: [&str; 7] = ["rsday", "day", "urday", "day", "day", "sday", "nesday"];
                DAYS.iter()
                    .zip(TAILS)
                    .find(|(name, tail)| short.strip_prefix(**name) == Some(tail))?;
                let (day, rest) = parts.next()?.split_once('-')?;
                let (month, year) = rest.split_once('-')?;
                let year = digits(year, 2)?;
                (
                    if year < 70 { 2000 + year } else { 1900 + year },
                    month,
                    digits(day, 2)?,
                    parts.next()?,
                )
            };
            if parts.next()? != "GMT" {
                return None;
            }
            (year, month, day, time)
        } else {
            // asctime: `Sun Nov  6 08:49:37 1994`, whose one-digit days have a second space before them.
            DAYS.iter().find(|name| **name == day_name)?;
            let month = parts.next()?;
            let day = match parts.next()? {
                "" => digits(parts.next()?, 1)?,
                day => digits(day, 2)?,
            };
            let time = parts.next()?;
            (digits(parts.next()?, 4)?, month, day, time)
        };
        if parts.next().is_some() {
            return None;
        }
        let month = MONTHS.iter().position(|name| *name == month)? as u64 + 1;
        let mut clock = time.split(':').map(|part| digits(part, 2));
        let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
        // 60 is a leap second, which this count of seconds cannot tell from the next one.
        if clock.next().is_some() || hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        let days = days_since_1970(year, month, day)?;
        Some(Self(
            days * SECONDS_PER_DAY + hour * 3600 + minute * 60 + second,
        ))
    }
}

/// A number of exactly so many digits.
fn digits(text: &str, count: usize) -> Option<u64> {
    if text.len() == count {
        decimal(text.as_bytes())
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn write(seconds: u64) -> std::string::String {
        UnixTime(seconds).write_http_date(&mut [0; LENGTH]).into()
    }

    #[test]
    fn known_dates_are_written() {
        for (seconds, text) in [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
            (1_709_251_199, "Thu, 29 Feb 2024 23:59:59 GMT"),
            (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
            (u64::MAX, "Fri, 31 Dec 9999 23:59:59 GMT"),
        ] {
            assert_eq!(write(seconds), text);
        }
    }

    #[test]
    fn all_three_forms_are_read() {
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
        ] {
            assert_eq!(
                UnixTime::parse_http_date(text.as_bytes()),
                Some(UnixTime(784_111_777)),
                "{text}"
            );
        }
        assert_eq!(
            UnixTime::parse_http_date(b"Thu Nov 16 08:49:37 1995"),
            Some(UnixTime(816_511_777))
        );
    }

    #[test]
    fn other_texts_are_not_dates() {
        for text in [
            "",
            "now",
            "784111777",
            "Sun, 06 Nov 1994 08:49:37",
            "Sun, 06 Nov 1994 08:49:37 UTC",
            "Sun, 06 Nov 1994 08:49:37 GMT ",
            "Sun, 6 Nov 1994 08:49:37 GMT",
            "Sun, 06 nov 1994 08:49:37 GMT",
            "Xyz, 06 Nov 1994 08:49:37 GMT",
            "Sundae, 06-Nov-94 08:49:37 GMT",
            "Sun, 31 Feb 1994 08:49:37 GMT",
            "Sun, 00 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1969 08:49:37 GMT",
            "Sun, 06 Nov 1994 24:00:00 GMT",
            "Sun, 06 Nov 1994 08:60:00 GMT",
            "Sun, 06 Nov 1994 08:49:61 GMT",
            "Sun, 06 Nov 1994 08:49 GMT",
            "Sun, 06 Nov 1994 +8:49:37 GMT",
        ] {
            assert_eq!(UnixTime::parse_http_date(text.as_bytes()), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn dates_round_trip(seconds in 0..=LAST.0) {
            prop_assert_eq!(UnixTime::parse_http_date(write(seconds).as_bytes()), Some(UnixTime(seconds)));
        }

        #[test]
        fn any_bytes_are_safe(text in "[A-Za-z]{3,9},? ?[0-9 :A-Za-z-]{0,24}") {
            let _ = UnixTime::parse_http_date(text.as_bytes());
        }
    }
}
