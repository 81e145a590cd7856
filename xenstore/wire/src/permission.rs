//! Who may do what with a node.

use core::fmt;

use morgana_hal::DomId;

use crate::{Fields, Malformed};

/// What a domain may do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Access {
    /// Nothing (`n`).
    None,
    /// Read (`r`).
    Read,
    /// Write (`w`).
    Write,
    /// Both (`b`).
    Both,
}

/// One entry of a node's list. The first entry names the owner, who may do everything, and what all domains may do that have no
/// entry of their own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Permission {
    /// The domain.
    pub domain: DomId,
    /// What it may do; in the first entry, what others may.
    pub access: Access,
}

impl Permission {
    /// Takes one entry off a list (`b7` and a NUL).
    ///
    /// # Errors
    ///
    /// [`Malformed`].
    pub fn parse(fields: &mut Fields<'_>) -> Result<Self, Malformed> {
        let text = fields.bytes()?;
        let (&letter, number) = text.split_first().ok_or(Malformed)?;
        let access = match letter {
            b'n' => Access::None,
            b'r' => Access::Read,
            b'w' => Access::Write,
            b'b' => Access::Both,
            _ => return Err(Malformed),
        };
        if !number.iter().all(u8::is_ascii_digit) {
            return Err(Malformed);
        }
        let number = core::str::from_utf8(number).map_err(|_| Malformed)?;
        let domain = DomId::new(number.parse().map_err(|_| Malformed)?);
        Ok(Self { domain, access })
    }
}

impl fmt::Display for Permission {
    /// As on the wire, without the NUL.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letter = match self.access {
            Access::None => 'n',
            Access::Read => 'r',
            Access::Write => 'w',
            Access::Both => 'b',
        };
        write!(f, "{letter}{}", self.domain.number())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn entries_are_a_letter_and_a_number() {
        let mut list = Fields::new(b"n0\0b7\0r65535\0");
        for expected in ["n0", "b7", "r65535"] {
            assert_eq!(Permission::parse(&mut list).unwrap().to_string(), expected);
        }
        assert!(list.is_empty());
        for bad in [
            "", "\0", "n\0", "x1\0", "n1", "n-1\0", "n+1\0", "n65536\0", "n 1\0",
        ] {
            let mut fields = Fields::new(bad.as_bytes());
            assert_eq!(Permission::parse(&mut fields), Err(Malformed), "{bad:?}");
        }
    }
}
