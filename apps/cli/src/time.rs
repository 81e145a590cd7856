//! Points in time on the command line.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use morgana_hal::{WallTime, days_since_1970};

const DAY: u64 = 24 * 60 * 60;

/// A point in time: `2026-11-26T17:30:00Z`, `2026-11-26`, `17:30` (today), or how long ago: `10m`.
pub(crate) fn point(text: &str) -> Result<WallTime, String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    point_at(text, now.unwrap_or_default()).ok_or_else(|| {
        "not a time such as 2026-11-26T17:30:00Z, 2026-11-26, 17:30 or 10m".to_owned()
    })
}

/// The same, at the time `now` since 1970.
fn point_at(text: &str, now: Duration) -> Option<WallTime> {
    let nanos = match text.split_once(['T', ' ']) {
        Some((date, time)) => date_nanos(date)?.checked_add(time_nanos(time)?)?,
        None if text.contains(':') => {
            let today = now.as_secs() / DAY * DAY;
            (today * NANOS).checked_add(time_nanos(text)?)?
        }
        None if text.contains('-') => date_nanos(text)?,
        None => {
            let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
            let seconds = match unit {
                "s" => 1,
                "m" => 60,
                "h" => 3600,
                "d" => DAY,
                _ => return None,
            };
            let ago = number(digits, u64::MAX)?
                .checked_mul(seconds)?
                .checked_mul(NANOS)?;
            u64::try_from(now.as_nanos()).ok()?.saturating_sub(ago)
        }
    };
    Some(WallTime::from_unix_nanos(nanos))
}

const NANOS: u64 = 1_000_000_000;

/// `17:30`, `17:30:05` or `17:30:05.123`, with or without a `Z`, in nanoseconds since midnight.
fn time_nanos(text: &str) -> Option<u64> {
    let text = text.strip_suffix('Z').unwrap_or(text);
    let mut parts = text.splitn(3, ':');
    let (hour, minute) = (number(parts.next()?, 23)?, number(parts.next()?, 59)?);
    let (second, fraction) = parts.next().map_or(Some((0, 0)), |seconds| {
        let (whole, fraction) = seconds.split_once('.').unwrap_or((seconds, "0"));
        let digits = u32::try_from(fraction.len()).ok().filter(|len| *len <= 9)?;
        let nanos = number(fraction, NANOS)? * 10u64.pow(9 - digits);
        Some((number(whole, 59)?, nanos))
    })?;
    Some((hour * 3600 + minute * 60 + second) * NANOS + fraction)
}

/// `2026-11-26` in nanoseconds since 1970.
fn date_nanos(text: &str) -> Option<u64> {
    let mut parts = text.split('-');
    let (year, month, day) = (
        number(parts.next()?, 2500)?,
        number(parts.next()?, 12)?,
        number(parts.next()?, 31)?,
    );
    if parts.next().is_some() {
        return None;
    }
    Some(days_since_1970(year, month, day)? * DAY * NANOS)
}

/// Digits, and nothing else.
fn number(text: &str, most: u64) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = digits.then(|| text.parse().ok()).flatten()?;
    (number <= most).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Duration = Duration::from_secs(1_790_812_800 + 3661);

    fn shown(text: &str) -> Option<String> {
        point_at(text, NOW).map(|time| time.to_string())
    }

    #[test]
    fn times_are_read() {
        for (text, time) in [
            ("2026-10-01T00:00:00Z", "2026-10-01T00:00:00.000Z"),
            ("2026-10-01 17:30", "2026-10-01T17:30:00.000Z"),
            ("2000-02-29", "2000-02-29T00:00:00.000Z"),
            ("2100-03-01T23:59:59.25", "2100-03-01T23:59:59.250Z"),
            ("17:30", "2026-10-01T17:30:00.000Z"),
            ("61s", "2026-10-01T01:00:00.000Z"),
            ("1m", "2026-10-01T01:00:01.000Z"),
            ("2h", "2026-09-30T23:01:01.000Z"),
            ("1d", "2026-09-30T01:01:01.000Z"),
        ] {
            assert_eq!(shown(text).as_deref(), Some(time), "{text}");
        }
        for wrong in [
            "",
            "s",
            "10",
            "10x",
            "-1m",
            "2026-13-01",
            "2026-02-29",
            "2026-1",
            "24:00",
            "1:60",
            "1:1:60",
            "1969-12-31",
            "2026-10-01T",
            "99999999999999999999d",
            "1:1:1.0123456789",
        ] {
            assert_eq!(shown(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_as_the_same_time(seconds in 0u64..16_000_000_000, millis in 0u64..1000) {
            let time = WallTime::from_unix_nanos(seconds * NANOS + millis * 1_000_000);
            prop_assert_eq!(point_at(&time.to_string(), NOW), Some(time));
        }

        #[test]
        fn any_text_is_borne(text: String) {
            point_at(&text, NOW);
        }
    }
}
