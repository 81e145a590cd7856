//! Ethernet addresses.

use core::fmt;
use core::ops::RangeInclusive;
use core::str::FromStr;

/// An Ethernet address (IEEE 802 EUI-48).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct MacAddr(pub [u8; 6]);

impl MacAddr {
    /// Whether it names one station: not a group address, and not all zeros.
    pub const fn is_unicast(self) -> bool {
        self.0[0] & 1 == 0 && !matches!(self.0, [0, 0, 0, 0, 0, 0])
    }

    /// Reads what a toolstack has written to xenstore: as [`from_str`](Self::from_str), but a byte may lack its leading zero, and white
    /// space may stand around the address.
    ///
    /// # Errors
    ///
    /// [`ParseMacError`] for any other text.
    pub fn from_xenstore(text: &str) -> Result<Self, ParseMacError> {
        parse(text.trim_ascii(), 1..=2)
    }
}

impl fmt::Display for MacAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl FromStr for MacAddr {
    type Err = ParseMacError;

    /// Six bytes of two hexadecimal digits each, with colons between them.
    fn from_str(text: &str) -> Result<Self, ParseMacError> {
        parse(text, 2..=2)
    }
}

/// Six bytes in hexadecimal, of so many `digits` each.
fn parse(text: &str, digits: RangeInclusive<usize>) -> Result<MacAddr, ParseMacError> {
    let mut bytes = [0; 6];
    let mut parts = text.split(':');
    for byte in &mut bytes {
        let part = parts.next().ok_or(ParseMacError)?;
        // `from_str_radix` would take a sign as well.
        if !digits.contains(&part.len()) || !part.bytes().all(|c| c.is_ascii_hexdigit()) {
            return Err(ParseMacError);
        }
        *byte = u8::from_str_radix(part, 16).map_err(|_| ParseMacError)?;
    }
    match parts.next() {
        None => Ok(MacAddr(bytes)),
        Some(_) => Err(ParseMacError),
    }
}

/// The text is not six hexadecimal bytes separated by colons.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ParseMacError;

impl fmt::Display for ParseMacError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an Ethernet address is six hexadecimal bytes with colons between them")
    }
}

impl core::error::Error for ParseMacError {}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use std::string::ToString;

    #[test]
    fn text_goes_both_ways() {
        let mac: MacAddr = "00:16:3e:0a:FF:01".parse().unwrap();
        assert_eq!(mac, MacAddr([0, 0x16, 0x3e, 10, 255, 1]));
        assert_eq!(mac.to_string(), "00:16:3e:0a:ff:01");
        for bad in [
            "",
            "00:16:3e:0a:ff",
            "00:16:3e:0a:ff:01:02",
            "0:16:3e:a:ff:1",
            "00:16:3e:0a:ff:+1",
        ] {
            assert_eq!(bad.parse::<MacAddr>(), Err(ParseMacError), "{bad}");
        }
    }

    #[test]
    fn text_in_xenstore_and_bytes_agree() {
        let mac = MacAddr([0, 0x16, 0x3e, 0x0a, 0xbc, 0xff]);
        assert_eq!(MacAddr::from_xenstore("00:16:3E:0a:bc:FF"), Ok(mac));
        assert_eq!(MacAddr::from_xenstore("0:16:3e:a:bc:ff\n"), Ok(mac));
        assert_eq!(mac.to_string(), "00:16:3e:0a:bc:ff");
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            ":::::",
            "00:16:3e:00:00",
            "00:16:3e:00:00:00:00",
            "00:16:3e:00:00:g0",
            "00:16:3e:00:00:+1",
            "00:16:3e:00:00:001",
            "00-16-3e-00-00-00",
            "00:16:3e:00:00:\u{661}",
        ] {
            assert_eq!(text.parse::<MacAddr>(), Err(ParseMacError), "{text:?}");
            assert_eq!(MacAddr::from_xenstore(text), Err(ParseMacError), "{text:?}");
        }
    }

    #[test]
    fn group_addresses_are_not_unicast() {
        assert!(MacAddr([0, 0x16, 0x3e, 0, 0, 0]).is_unicast());
        assert!(!MacAddr([0xff; 6]).is_unicast());
        assert!(!MacAddr([0x33, 0x33, 0, 0, 0, 1]).is_unicast());
        assert!(!MacAddr([0; 6]).is_unicast());
    }
}
