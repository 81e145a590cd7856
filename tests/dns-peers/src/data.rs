//! Random data of records, as master files write it.

use crate::random::Random;
use crate::scenery::Site;

/// A record of any type but those that mean something to the server.
pub(crate) fn any(site: &mut Site<'_>) -> (&'static str, String) {
    let kind = site.random.below(18);
    let number = site.random.below(100);
    match kind {
        0..=2 => ("A", address(site.random)),
        3 | 4 => ("AAAA", long_address(site.random)),
        5 => ("MX", format!("{number} {}", site.somewhere())),
        6 | 7 => ("TXT", texts(site.random)),
        8 => ("SRV", format!("{number} 5 443 {}", site.somewhere())),
        9 => (
            "CAA",
            format!("{} issue \"ca{number}.example\"", number & 0x80),
        ),
        10 => ("PTR", site.somewhere()),
        11 => ("HTTPS", service(site)),
        12 => ("SVCB", format!("0 {}", site.somewhere())),
        13 => ("TLSA", format!("3 1 1 {}", hex(site.random, 32))),
        14 => ("SSHFP", format!("4 2 {}", hex(site.random, 32))),
        15 => ("TYPE65280", format!("\\# {}", generic(site.random))),
        16 => ("TYPE731", format!("\\# {}", generic(site.random))),
        _ => ("TXT", "\"\" \"\" \"a\\\"b;c\\\\d\"".into()),
    }
}

/// The data of a DS. Nobody checks whose.
pub(crate) fn signer(random: &mut Random) -> String {
    let tag = random.below(65_536);
    format!("{tag} 15 2 {}", hex(random, 32))
}

pub(crate) fn address(random: &mut Random) -> String {
    format!("198.51.100.{}", random.below(256))
}

pub(crate) fn long_address(random: &mut Random) -> String {
    format!("2001:db8::{:x}", random.below(65_536))
}

fn service(site: &mut Site<'_>) -> String {
    let target = site.somewhere();
    match site.random.below(3) {
        0 => format!("1 {target} alpn=h2,h3"),
        1 => "1 . ipv4hint=192.0.2.1,192.0.2.2 ipv6hint=2001:db8::1".into(),
        _ => format!("16 {target} port=8443 key667=hello"),
    }
}

/// Character strings: some long, some with odd octets.
fn texts(random: &mut Random) -> String {
    let strings = (0..random.below(3) + 1).map(|_| match random.below(3) {
        0 => format!("\"{}\"", "long ".repeat(random.below(51))),
        1 => format!("\"\\{:03}\\{:03}\"", random.octet(), random.octet()),
        _ => format!("\"plain {}\"", random.below(1000)),
    });
    strings.collect::<Vec<String>>().join(" ")
}

/// RFC 3597, section 5.
fn generic(random: &mut Random) -> String {
    let length = random.below(40);
    match length {
        0 => "0".into(),
        _ => format!("{length} {}", hex(random, length)),
    }
}

fn hex(random: &mut Random, octets: usize) -> String {
    (0..octets)
        .map(|_| format!("{:02x}", random.octet()))
        .collect()
}
