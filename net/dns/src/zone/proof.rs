//! How a signed zone proves that something is not there.

use alloc::boxed::Box;

use domain::base::iana::Rtype;
use sha1::{Digest, Sha1};

use super::index::Refusal;
use super::record::{Octets, Record};
use crate::name::MAX_NAME;
use crate::text::Reason;

/// The most iterations of the hash: each costs every negative answer (RFC 9276 section 3.2).
const MAX_ITERATIONS: u16 = 150;
/// The only algorithm that there is (RFC 5155 section 11).
const SHA1: u8 = 1;

/// What proves it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) enum Proof {
    /// Nothing: the zone is not signed.
    #[default]
    Unsigned,
    /// NSEC records (RFC 4034 section 4).
    Nsec,
    /// NSEC3 records (RFC 5155).
    Nsec3 { iterations: u16, salt: Box<[u8]> },
}

impl Proof {
    /// As the records at a zone's origin say.
    pub(super) fn of_zone(octets: &Octets, apex: &[Record]) -> Result<Self, Refusal> {
        for record in apex {
            if record.rtype() == Rtype::NSEC3PARAM {
                // Their algorithm and flags; the parameters with a flag set are on their way (RFC 5155 section 4.1.2).
                let [algorithm, flags, high, low, _, salt @ ..] = octets.data(record) else {
                    continue;
                };
                if *flags != 0 {
                    continue;
                }
                let iterations = u16::from_be_bytes([*high, *low]);
                if *algorithm != SHA1 || iterations > MAX_ITERATIONS {
                    return Err((record.line, Reason::Nsec3));
                }
                return Ok(Self::Nsec3 {
                    iterations,
                    salt: salt.into(),
                });
            }
        }
        let nsec = apex.iter().any(|record| record.rtype() == Rtype::NSEC);
        Ok(if nsec { Self::Nsec } else { Self::Unsigned })
    }

    pub(super) fn is_nsec(&self) -> bool {
        *self == Self::Nsec
    }

    /// Whether a record is an NSEC3 with these parameters.
    pub(super) fn is_of_chain(&self, rtype: Rtype, data: &[u8]) -> bool {
        let Self::Nsec3 { iterations, salt } = self else {
            return false;
        };
        let [algorithm, _, high, low, salt_len, rest @ ..] = data else {
            return false;
        };
        rtype == Rtype::NSEC3
            && *algorithm == SHA1
            && u16::from_be_bytes([*high, *low]) == *iterations
            && rest.get(..usize::from(*salt_len)) == Some(salt)
    }
}

/// A name's hash (RFC 5155 section 5) as the label of its NSEC3 record.
pub(crate) fn hash_label(name: &[u8], iterations: u16, salt: &[u8]) -> [u8; 32] {
    let mut lower = [0; MAX_NAME];
    let lower = &mut lower[..name.len()];
    lower.copy_from_slice(name);
    lower.make_ascii_lowercase();
    let mut digest = Sha1::new()
        .chain_update(&*lower)
        .chain_update(salt)
        .finalize();
    for _ in 0..iterations {
        digest = Sha1::new()
            .chain_update(digest)
            .chain_update(salt)
            .finalize();
    }
    base32_hex(&digest.into())
}

/// Base32 with the extended alphabet, in lower case (RFC 4648 section 7). 160 bits are 32 digits.
fn base32_hex(octets: &[u8; 20]) -> [u8; 32] {
    let mut digits = [0; 32];
    for (five, eight) in octets.chunks_exact(5).zip(digits.chunks_exact_mut(8)) {
        let bits = five
            .iter()
            .fold(0u64, |bits, octet| bits << 8 | u64::from(*octet));
        for (place, digit) in eight.iter_mut().enumerate() {
            *digit = b"0123456789abcdefghijklmnopqrstuv"[(bits >> (35 - 5 * place)) as usize & 31];
        }
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::Name;

    #[test]
    fn hashes_are_those_of_the_rfc() {
        // RFC 5155 appendix A.
        for (name, hash) in [
            ("example.", b"0p9mhaveqvm6t7vbl5lop2u3t2rp3tom"),
            ("a.example.", b"35mthgpgcu1qg68fab165klnsnk3dpvl"),
            ("*.W.example.", b"r53bq7cc2uvmubfu5ocmm6pers9tk9en"),
        ] {
            let name = Name::parse(name.as_bytes(), None).unwrap();
            assert_eq!(&hash_label(name.wire(), 12, b"\xaa\xbb\xcc\xdd"), hash);
        }
    }
}
