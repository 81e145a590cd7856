//! Dates as HTTP writes them.

/// `seconds` since 1970-01-01T00:00:00Z as an IMF-fixdate (RFC 9110, section 5.6.7).
pub fn http_date(seconds: u64) -> String {
    const DAY: u64 = 86_400;
    const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [(&str, u64); 12] = [
        ("Jan", 31),
        ("Feb", 28),
        ("Mar", 31),
        ("Apr", 30),
        ("May", 31),
        ("Jun", 30),
        ("Jul", 31),
        ("Aug", 31),
        ("Sep", 30),
        ("Oct", 31),
        ("Nov", 30),
        ("Dec", 31),
    ];
    let (days, time) = (seconds / DAY, seconds % DAY);
    let weekday = WEEKDAYS[(days % 7) as usize];
    let mut year = 1970;
    let mut left = days;
    while left >= 365 + leap(year) {
        left -= 365 + leap(year);
        year += 1;
    }
    let mut month = 0;
    loop {
        let (_, length) = MONTHS[month];
        let length = length + if month == 1 { leap(year) } else { 0 };
        if left < length {
            break;
        }
        left -= length;
        month += 1;
    }
    format!(
        "{weekday}, {:02} {} {year:04} {:02}:{:02}:{:02} GMT",
        left + 1,
        MONTHS[month].0,
        time / 3600,
        time / 60 % 60,
        time % 60
    )
}

/// The days that `year` has above 365.
fn leap(year: u64) -> u64 {
    u64::from(year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_dates() {
        assert_eq!(http_date(0), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(http_date(784_111_777), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(http_date(951_782_400), "Tue, 29 Feb 2000 00:00:00 GMT");
        assert_eq!(http_date(4_107_542_399), "Sun, 28 Feb 2100 23:59:59 GMT");
        assert_eq!(http_date(4_107_542_400), "Mon, 01 Mar 2100 00:00:00 GMT");
    }
}
