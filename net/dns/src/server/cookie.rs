//! Cookies (RFC 7873, with the server's as RFC 9018 section 4 has it).

use core::hash::Hasher;
use core::net::IpAddr;

use siphasher::sip::SipHasher24;

/// A client's cookie and the server's, as they go back.
pub(super) type Cookie = [u8; 24];

/// The version of the server's cookie.
const VERSION: u8 = 1;
/// How old a server's cookie may be, and how far its time may be ahead, in seconds (RFC 9018 section 4.3).
const MAX_AGE: u32 = 3600;
const MAX_AHEAD: u32 = 300;
/// From what age on it is replaced by a new one.
const RENEW: u32 = 1800;

/// What a client's option is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Verdict {
    /// It has no server's cookie yet.
    New,
    Valid,
    Invalid,
}

/// Looks at an option of a valid length, and makes the one that goes back.
pub(super) fn answer(
    secret: &[u8; 16],
    option: &[u8],
    address: IpAddr,
    now: u32,
) -> (Verdict, Cookie) {
    let mut client = [0; 8];
    client.copy_from_slice(&option[..8]);
    if let Some(server) = option
        .get(8..)
        .and_then(|rest| <&[u8; 16]>::try_from(rest).ok())
    {
        let time = u32::from_be_bytes([server[4], server[5], server[6], server[7]]);
        // Serial number arithmetic (RFC 1982), as RFC 9018 wants it.
        let age = now.wrapping_sub(time);
        let fresh = age <= MAX_AGE || age.wrapping_neg() <= MAX_AHEAD;
        let expected = make(
            secret,
            &client,
            [server[1], server[2], server[3]],
            address,
            time,
        );
        if server[0] == VERSION && fresh && equal(&expected[8..], server) {
            if age > RENEW {
                return (Verdict::Valid, make(secret, &client, [0; 3], address, now));
            }
            return (Verdict::Valid, expected);
        }
    }
    let verdict = match option.len() {
        8 => Verdict::New,
        _ => Verdict::Invalid,
    };
    (verdict, make(secret, &client, [0; 3], address, now))
}

fn make(
    secret: &[u8; 16],
    client: &[u8; 8],
    reserved: [u8; 3],
    address: IpAddr,
    time: u32,
) -> Cookie {
    let mut cookie = [0; 24];
    cookie[..8].copy_from_slice(client);
    cookie[8] = VERSION;
    cookie[9..12].copy_from_slice(&reserved);
    cookie[12..16].copy_from_slice(&time.to_be_bytes());
    let mut hasher = SipHasher24::new_with_key(secret);
    hasher.write(&cookie[..16]);
    match address {
        IpAddr::V4(v4) => hasher.write(&v4.octets()),
        IpAddr::V6(v6) => hasher.write(&v6.octets()),
    }
    // The RFC's examples have the hash's octets as SipHash's reference writes them: the lowest first.
    cookie[16..].copy_from_slice(&hasher.finish().to_le_bytes());
    cookie
}

/// Compares in a time that does not tell where they differ.
fn equal(one: &[u8], other: &[u8]) -> bool {
    one.iter()
        .zip(other)
        .fold(0, |seen, (one, other)| seen | (one ^ other))
        == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: [u8; 16] = [
        0xe5, 0xe9, 0x73, 0xe5, 0xa6, 0xb2, 0xa4, 0x3f, 0x48, 0xe7, 0xdc, 0x84, 0x9e, 0x37, 0xbf,
        0xcf,
    ];

    /// RFC 9018 appendix A.1 and A.2.
    #[test]
    fn cookies_are_those_of_the_rfc() {
        let address = "198.51.100.100".parse().unwrap();
        let client = [0x24, 0x64, 0xc4, 0xab, 0xcf, 0x10, 0xc9, 0x57];
        let (verdict, cookie) = answer(&SECRET, &client, address, 1_559_731_985);
        assert_eq!(verdict, Verdict::New);
        let expected = [
            0x24, 0x64, 0xc4, 0xab, 0xcf, 0x10, 0xc9, 0x57, 0x01, 0, 0, 0, 0x5c, 0xf7, 0x9f, 0x11,
            0x1f, 0x81, 0x30, 0xc3, 0xee, 0xe2, 0x94, 0x80,
        ];
        assert_eq!(cookie, expected);
        let later = |seconds: u32| answer(&SECRET, &cookie, address, 1_559_731_985 + seconds);
        assert_eq!(later(0), (Verdict::Valid, cookie));
        assert_eq!(later(1_000), (Verdict::Valid, cookie));
        assert_eq!(later(2_000).0, Verdict::Valid);
        assert_ne!(later(2_000).1, cookie);
        assert_eq!(later(4_000).0, Verdict::Invalid);
        let other = "198.51.100.101".parse().unwrap();
        assert_eq!(
            answer(&SECRET, &cookie, other, 1_559_731_985).0,
            Verdict::Invalid
        );
        let long = [0; 40];
        assert_eq!(answer(&SECRET, &long, address, 0).0, Verdict::Invalid);
    }
}
