//! Ethernet addresses as xenstore writes them.

use core::fmt;
use core::str::FromStr;

/// An Ethernet address (IEEE 802, EUI-48).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct MacAddress(pub [u8; 6]);

impl fmt::Display for MacAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, byte) in self.0.iter().enumerate() {
            let colon = if i == 0 { "" } else { ":" };
            write!(f, "{colon}{byte:02x}")?;
        }
        Ok(())
    }
}

impl FromStr for MacAddress {
    type Err = ParseMacError;

    fn from_str(text: &str) -> Result<Self, ParseMacError> {
        let mut bytes = [0; 6];
        let mut parts = text.trim_ascii().split(':');
        for byte in &mut bytes {
            let part = parts.next().ok_or(ParseMacError)?;
            let digits = part.bytes().all(|digit| digit.is_ascii_hexdigit());
            if !digits || part.len() > 2 {
                return Err(ParseMacError);
            }
            *byte = u8::from_str_radix(part, 16).map_err(|_| ParseMacError)?;
        }
        match parts.next() {
            Some(_) => Err(ParseMacError),
            None => Ok(Self(bytes)),
        }
    }
}

/// The text is not six bytes in hexadecimal digits with colons between.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ParseMacError;

impl fmt::Display for ParseMacError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an Ethernet address")
    }
}

impl core::error::Error for ParseMacError {}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use std::string::ToString;

    #[test]
    fn text_and_bytes_agree() {
        let mac = MacAddress([0, 0x16, 0x3e, 0x0a, 0xbc, 0xff]);
        assert_eq!("00:16:3E:0a:bc:FF".parse(), Ok(mac));
        assert_eq!("0:16:3e:a:bc:ff\n".parse(), Ok(mac));
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
            assert_eq!(text.parse::<MacAddress>(), Err(ParseMacError), "{text:?}");
        }
    }
}
