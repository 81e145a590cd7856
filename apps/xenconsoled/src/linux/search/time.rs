//! Points in time: as lines of a log begin with them, and as people ask for them. Seconds of Unix, in the log's own clock: ours has UTC.

use morgana_hal::{Civil, WallTime, days_since_1970};

const DAY: u64 = 86_400;
/// How many characters a line begins with: `[2026-11-26 09:30:00] `.
pub(super) const STAMP: usize = 22;

/// As lines begin with it, without the brackets.
pub(super) fn text(seconds: u64) -> String {
    let wall = WallTime::from_unix_nanos(seconds.saturating_mul(1_000_000_000));
    let Civil {
        year,
        month,
        day,
        hour,
        minute,
        second,
        ..
    } = wall.civil();
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
}

/// The time that a line begins with.
pub(super) fn stamp(line: &[u8]) -> Option<u64> {
    let stamp = line.get(..STAMP)?;
    let inner = stamp.strip_prefix(b"[")?.strip_suffix(b"] ")?;
    point(str::from_utf8(inner).ok()?)
}

/// What somebody asks for at `now`: a date, perhaps with a time of day; a time of today's; or how long ago: `90s`, `10m`, `2h`, `3d`.
pub(super) fn parse(text: &str, now: u64) -> Option<u64> {
    if let Some((unit @ ('s' | 'm' | 'h' | 'd'), number)) = text
        .chars()
        .next_back()
        .zip(text.get(..text.len().saturating_sub(1)))
        && let Ok(number) = number.parse::<u64>()
    {
        let seconds = match unit {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            _ => DAY,
        };
        return Some(now.saturating_sub(number.checked_mul(seconds)?));
    }
    point(text).or_else(|| Some(now / DAY * DAY + time_of_day(text)?))
}

/// `2026-11-26`, `2026-11-26 09:30` or `2026-11-26T09:30:00`, with or without a Z.
fn point(text: &str) -> Option<u64> {
    let text = text.strip_suffix('Z').unwrap_or(text);
    let (date, time) = match text.split_once([' ', 'T']) {
        Some((date, time)) => (date, time_of_day(time)?),
        None => (text, 0),
    };
    let mut parts = date.split('-');
    let (year, month, day) = (
        digits(parts.next()?, 4)?,
        digits(parts.next()?, 2)?,
        digits(parts.next()?, 2)?,
    );
    if parts.next().is_some() {
        return None;
    }
    days_since_1970(year, month, day).map(|days| days * DAY + time)
}

fn time_of_day(text: &str) -> Option<u64> {
    let mut parts = text.split(':');
    let hour = digits(parts.next()?, 2)?;
    let minute = digits(parts.next()?, 2)?;
    let second = parts.next().map_or(Some(0), |second| digits(second, 2))?;
    let fits = hour < 24 && minute < 60 && second < 60 && parts.next().is_none();
    fits.then_some(hour * 3600 + minute * 60 + second)
}

/// A number of exactly so many digits.
fn digits(text: &str, count: usize) -> Option<u64> {
    let all = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    all.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-26 09:30:00.
    const NOW: u64 = 1_795_685_400;

    #[test]
    fn every_day_is_found_again() {
        for day in (0..60_000).step_by(13) {
            let seconds = day * DAY + day % DAY;
            assert_eq!(point(&text(seconds)), Some(seconds));
        }
        assert_eq!(text(NOW), "2026-11-26 09:30:00");
        assert_eq!(stamp(b"[2026-11-26 09:30:00] hello"), Some(NOW));
        assert_eq!(stamp(b"[2026-11-26 09:30:00]hello"), None);
        assert_eq!(stamp(b"[2026-11-26 09:3"), None);
    }

    #[test]
    fn points_in_time_as_people_write_them() {
        for (text, time) in [
            ("2026-11-26 09:30:00", NOW),
            ("2026-11-26T09:30Z", NOW),
            ("2026-11-26", NOW - 34_200),
            ("09:29", NOW - 60),
            ("09:30:01", NOW + 1),
            ("90s", NOW - 90),
            ("10m", NOW - 600),
            ("2h", NOW - 7200),
            ("3d", NOW - 3 * DAY),
            ("99999d", 0),
        ] {
            assert_eq!(parse(text, NOW), Some(time), "{text}");
        }
        for text in [
            "",
            "d",
            "-1d",
            "yesterday",
            "24:00",
            "2026-02-29",
            "2026-13-01",
            "2026-00-01",
            "2026-1-1",
            "1969-12-31",
            "2026-11-26 09",
            "2026-11-26-1",
            "1:2:3:4",
            "ä",
            "99999999999999999999d",
        ] {
            assert_eq!(parse(text, NOW), None, "{text}");
        }
    }
}
