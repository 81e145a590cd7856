//! The parameters of SVCB and HTTPS records (RFC 9460 sections 2.1 and 7, and appendix A).

use alloc::vec::Vec;
use core::net::{Ipv4Addr, Ipv6Addr};

use domain::utils::base64;

use super::Reason;
use super::data::{counted, number, unescape_all};

const MANDATORY: u16 = 0;
const ALPN: u16 = 1;
const NO_DEFAULT_ALPN: u16 = 2;
const PORT: u16 = 3;
const IPV4_HINT: u16 = 4;
const ECH: u16 = 5;
const IPV6_HINT: u16 = 6;
/// The number that no parameter has (section 14.3.2).
const INVALID: u16 = 65_535;

/// The names of parameters; all others are `keyN`.
const NAMES: [(&[u8], u16); 9] = [
    (b"mandatory", MANDATORY),
    (b"alpn", ALPN),
    (b"no-default-alpn", NO_DEFAULT_ALPN),
    (b"port", PORT),
    (b"ipv4hint", IPV4_HINT),
    (b"ech", ECH),
    (b"ipv6hint", IPV6_HINT),
    (b"dohpath", 7),
    (b"ohttp", 8),
];

/// A parameter's number and the value as it is on the wire.
pub(super) fn parameter(word: &[u8]) -> Result<(u16, Vec<u8>), Reason> {
    let (name, value) = match word.iter().position(|&octet| octet == b'=') {
        Some(at) => (&word[..at], Some(&word[at + 1..])),
        None => (word, None),
    };
    let key = key(name)?;
    let raw = match value {
        Some([b'"', inner @ .., b'"']) => inner,
        Some(value) => value,
        None => b"",
    };
    let mut value = Vec::new();
    unescape_all(raw, &mut value)?;
    let mut out = Vec::new();
    match key {
        MANDATORY => {
            let mut keys = Vec::new();
            for name in items(&value)? {
                keys.push(self::key(&name)?);
            }
            keys.sort_unstable();
            if keys.contains(&MANDATORY) || keys.windows(2).any(|pair| pair[0] == pair[1]) {
                return Err(Reason::Parameter);
            }
            for key in keys {
                out.extend_from_slice(&key.to_be_bytes());
            }
        }
        ALPN => {
            for id in items(&value)? {
                if id.is_empty() {
                    return Err(Reason::Parameter);
                }
                counted(&mut out, |out| {
                    out.extend_from_slice(&id);
                    Ok(())
                })?;
            }
        }
        NO_DEFAULT_ALPN | 8 if !value.is_empty() => return Err(Reason::Parameter),
        NO_DEFAULT_ALPN | 8 => {}
        PORT => out.extend_from_slice(&number::<u16>(&value)?.to_be_bytes()),
        IPV4_HINT => {
            for address in items(&value)? {
                let address: Ipv4Addr = parse(&address).ok_or(Reason::Ipv4)?;
                out.extend_from_slice(&address.octets());
            }
        }
        IPV6_HINT => {
            for address in items(&value)? {
                let address: Ipv6Addr = parse(&address).ok_or(Reason::Ipv6)?;
                out.extend_from_slice(&address.octets());
            }
        }
        ECH => {
            let text = core::str::from_utf8(&value).map_err(|_| Reason::Base64)?;
            out = base64::decode(text).map_err(|_| Reason::Base64)?;
            if out.is_empty() {
                return Err(Reason::Base64);
            }
        }
        _ => out = value,
    }
    Ok((key, out))
}

/// Appends parameters, which are sorted by their numbers, in wire form.
pub(super) fn write(all: &[(u16, Vec<u8>)], out: &mut Vec<u8>) -> Result<(), Reason> {
    for (key, value) in all {
        let wanted = match *key {
            MANDATORY => value
                .chunks_exact(2)
                .all(|pair| has(all, u16::from_be_bytes([pair[0], pair[1]]))),
            // Section 7.1.1: it says that the list is all there is, so there must be a list.
            NO_DEFAULT_ALPN => has(all, ALPN),
            _ => true,
        };
        let len = u16::try_from(value.len()).map_err(|_| Reason::DataTooLong)?;
        if !wanted {
            return Err(Reason::Parameter);
        }
        out.extend_from_slice(&key.to_be_bytes());
        out.extend_from_slice(&len.to_be_bytes());
        out.extend_from_slice(value);
    }
    Ok(())
}

fn has(all: &[(u16, Vec<u8>)], key: u16) -> bool {
    all.binary_search_by_key(&key, |one| one.0).is_ok()
}

fn key(name: &[u8]) -> Result<u16, Reason> {
    if let Some((_, key)) = NAMES.iter().find(|(known, _)| *known == name) {
        return Ok(*key);
    }
    let digits = name.strip_prefix(b"key").ok_or(Reason::Parameter)?;
    if digits.len() > 1 && digits[0] == b'0' {
        return Err(Reason::Parameter);
    }
    match number::<u16>(digits) {
        Ok(INVALID) | Err(_) => Err(Reason::Parameter),
        Ok(key) => Ok(key),
    }
}

fn parse<T: core::str::FromStr>(text: &[u8]) -> Option<T> {
    core::str::from_utf8(text).ok()?.parse().ok()
}

/// The items of a list: separated by commas, of which those behind a backslash do not count (appendix A.1).
fn items(value: &[u8]) -> Result<Vec<Vec<u8>>, Reason> {
    if value.is_empty() {
        return Err(Reason::Parameter);
    }
    let mut items = Vec::new();
    let mut item = Vec::new();
    let mut octets = value.iter();
    while let Some(&octet) = octets.next() {
        match octet {
            b',' => items.push(core::mem::take(&mut item)),
            b'\\' => match octets.next() {
                Some(&escaped @ (b',' | b'\\')) => item.push(escaped),
                _ => return Err(Reason::Parameter),
            },
            other => item.push(other),
        }
    }
    items.push(item);
    Ok(items)
}
