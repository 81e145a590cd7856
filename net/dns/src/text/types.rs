//! What the data of each type is made of, in text and on the wire.

use domain::base::iana::Rtype;

/// A part of a record's data.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Field {
    /// A domain name.
    Name,
    U8,
    U16,
    U32,
    /// A number of seconds with units.
    Ttl,
    Ipv4,
    Ipv6,
    /// A character string of 255 octets at the most.
    Text,
    /// One such string or more, up to the end.
    Texts,
    /// All the rest is one text without a length (CAA's and URI's value).
    Value,
    /// Letters and digits with a length before them (CAA's tag).
    Tag,
    /// Hexadecimal digits up to the end.
    Hex,
    /// Base64 up to the end.
    Base64,
    /// A type's mnemonic.
    Type,
    /// Types up to the end, as windows of bits (RFC 4034 section 4.1.2).
    Types,
    /// A time of day (RFC 4034 section 3.2).
    Time,
    /// A hash in base32 with a length before it (RFC 5155 section 3.3).
    Hash,
    /// Hexadecimal digits, or `-` for none, with a length before them (RFC 5155 section 3.3).
    Salt,
    /// Service parameters up to the end (RFC 9460 section 2.1).
    Parameters,
}

use Field::{
    Base64, Hash, Hex, Ipv4, Ipv6, Name, Parameters, Salt, Tag, Text, Texts, Time, Ttl, Type,
    Types, U8, U16, U32, Value,
};

/// The parts of a type's data. `None` for types whose data is only understood in the form of RFC 3597.
pub(crate) fn fields(rtype: Rtype) -> Option<&'static [Field]> {
    Some(match rtype {
        // RFC 1035, RFC 6672
        Rtype::A => &[Ipv4],
        Rtype::NS
        | Rtype::CNAME
        | Rtype::PTR
        | Rtype::DNAME
        | Rtype::MB
        | Rtype::MG
        | Rtype::MR => &[Name],
        Rtype::SOA => &[Name, Name, U32, Ttl, Ttl, Ttl, Ttl],
        Rtype::HINFO => &[Text, Text],
        Rtype::MINFO | Rtype::RP => &[Name, Name],
        Rtype::MX | Rtype::AFSDB | Rtype::RT | Rtype::KX => &[U16, Name],
        Rtype::TXT | Rtype::SPF => &[Texts],
        // RFC 3596, RFC 2782, RFC 3403, RFC 7553
        Rtype::AAAA => &[Ipv6],
        Rtype::SRV => &[U16, U16, U16, Name],
        Rtype::NAPTR => &[U16, U16, Text, Text, Text, Name],
        Rtype::URI => &[U16, U16, Value],
        // RFC 8659
        Rtype::CAA => &[U8, Tag, Value],
        // RFC 9460
        Rtype::SVCB | Rtype::HTTPS => &[U16, Name, Parameters],
        // RFC 6698, RFC 8162, RFC 4255, RFC 7929, RFC 4701
        Rtype::TLSA | Rtype::SMIMEA => &[U8, U8, U8, Hex],
        Rtype::SSHFP => &[U8, U8, Hex],
        Rtype::OPENPGPKEY | Rtype::DHCID => &[Base64],
        // RFC 4034, RFC 7344, RFC 8976, RFC 7477
        Rtype::DS | Rtype::CDS => &[U16, U8, U8, Hex],
        Rtype::DNSKEY | Rtype::CDNSKEY => &[U16, U8, U8, Base64],
        Rtype::RRSIG => &[Type, U8, U8, U32, Time, Time, U16, Name, Base64],
        Rtype::NSEC => &[Name, Types],
        Rtype::ZONEMD => &[U32, U8, U8, Hex],
        Rtype::CSYNC => &[U32, U16, Types],
        // RFC 5155
        Rtype::NSEC3 => &[U8, U8, U16, Salt, Hash, Types],
        Rtype::NSEC3PARAM => &[U8, U8, U16, Salt],
        _ => return None,
    })
}

/// Whether data in the form of RFC 3597 is what its type needs to be, as far as answers depend on it.
pub(crate) fn is_valid(rtype: Rtype, data: &[u8]) -> bool {
    let Some(fields) = fields(rtype) else {
        return true;
    };
    let mut rest = data;
    for field in fields {
        let len = match field {
            Name => crate::name::wire_len(rest),
            U8 => Some(1),
            U16 | Type => Some(2),
            U32 | Ttl | Time | Ipv4 => Some(4),
            Ipv6 => Some(16),
            Text | Hash | Salt | Tag => rest.first().map(|len| 1 + usize::from(*len)),
            Texts if rest.is_empty() => None,
            Texts | Value | Hex | Base64 | Types | Parameters => Some(rest.len()),
        };
        match len.and_then(|len| rest.get(len..)) {
            Some(after) => rest = after,
            None => return false,
        }
    }
    rest.is_empty()
}

/// Whether a type is only for questions or for messages (RFC 6895 section 3.1).
pub(crate) fn is_meta(rtype: Rtype) -> bool {
    matches!(rtype.to_int(), 0 | 41 | 128..=255)
}
