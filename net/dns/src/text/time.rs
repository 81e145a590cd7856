//! Times in zone files.

use super::data::number;

/// The longest time to live (RFC 2181 section 8).
const MAX_TTL: u64 = (1 << 31) - 1;

/// A number of seconds, perhaps with units: `3600`, `1h`, `1w2d3h4m5s`.
pub(super) fn seconds(text: &[u8]) -> Option<u32> {
    let mut total = 0u64;
    let mut rest = text;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest
            .iter()
            .take_while(|octet| octet.is_ascii_digit())
            .count();
        if digits > 10 {
            return None;
        }
        let value: u64 = number(&rest[..digits]).ok()?;
        let unit = match rest.get(digits).map(u8::to_ascii_lowercase) {
            None if digits == text.len() => 1,
            Some(b's') => 1,
            Some(b'm') => 60,
            Some(b'h') => 3_600,
            Some(b'd') => 86_400,
            Some(b'w') => 604_800,
            _ => return None,
        };
        total += value * unit;
        if total > MAX_TTL {
            return None;
        }
        rest = rest.get(digits + 1..).unwrap_or_default();
    }
    u32::try_from(total).ok()
}

/// A signature's time: `YYYYMMDDHHmmSS`, or seconds since 1970 (RFC 4034 section 3.2). It counts modulo 2^32.
pub(super) fn signature_time(text: &[u8]) -> Option<u32> {
    if text.len() != 14 {
        return number(text).ok();
    }
    let part = |range: core::ops::Range<usize>| number::<u64>(&text[range]).ok();
    let (year, month, day) = (part(0..4)?, part(4..6)?, part(6..8)?);
    let (hour, minute, second) = (part(8..10)?, part(10..12)?, part(12..14)?);
    if year < 1970 || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days_of = |month| match month {
        2 => 28 + u64::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    if !(1..=12).contains(&month) || !(1..=days_of(month)).contains(&day) {
        return None;
    }
    let before = year - 1;
    // Days from 1970-01-01 to the year's first, by the Gregorian calendar's leap years; 1969 years have 477 of them.
    let days = (year - 1970) * 365 + (before / 4 - before / 100 + before / 400) - 477
        + (1..month).map(days_of).sum::<u64>()
        + day
        - 1;
    Some((days * 86_400 + hour * 3_600 + minute * 60 + second) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_to_live_have_units() {
        for (text, value) in [
            ("0", Some(0)),
            ("3600", Some(3_600)),
            ("1h", Some(3_600)),
            ("1W2d3H4m5s", Some(788_645)),
            ("2147483647", Some(2_147_483_647)),
            ("2147483648", None),
            ("99999999999999999999", None),
            ("4000w", None),
            ("1h2", None),
            ("h", None),
            ("", None),
            ("-1", None),
        ] {
            assert_eq!(seconds(text.as_bytes()), value, "{text}");
        }
    }

    #[test]
    fn signature_times_are_dates_or_seconds() {
        for (text, value) in [
            ("19700101000000", Some(0)),
            ("20000301000000", Some(951_868_800)),
            ("20260228235959", Some(1_772_323_199)),
            ("20240229120000", Some(1_709_208_000)),
            ("20230229120000", None),
            ("20231301000000", None),
            ("1772323199", Some(1_772_323_199)),
            ("4294967296", None),
        ] {
            assert_eq!(signature_time(text.as_bytes()), value, "{text}");
        }
    }
}
