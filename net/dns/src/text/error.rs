//! What can be wrong with a zone file, and where.

use alloc::string::String;
use core::fmt;

use crate::name::NameError;

/// A zone that is refused: the file and the line that is to blame, and the reason.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ZoneError {
    /// The file's name, as it was given to the parser.
    pub file: String,
    /// The line, from 1 on; 0 where the file as a whole is to blame.
    pub line: u32,
    /// What is wrong there.
    pub reason: Reason,
}

impl fmt::Display for ZoneError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.reason)
    }
}

impl core::error::Error for ZoneError {}

/// What can be wrong in a zone file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason {
    /// A parenthesis without its other one.
    Parenthesis,
    /// A quotation mark without another one on its line.
    Quote,
    /// A backslash with nothing behind it, or with digits that are no octet.
    Escape,
    /// `$INCLUDE` (RFC 1035 section 5.1): a zone is one file here.
    Include,
    /// Another word that begins with a dollar sign.
    Directive,
    /// A directive without its argument, or with more than one.
    DirectiveArgument,
    /// A name that is none.
    Name(NameError),
    /// A time to live that is no number with units, or over 2,147,483,647 seconds (RFC 2181 section 8).
    Ttl,
    /// The first record has no time to live, and no `$TTL` stands before it.
    NoTtl,
    /// A class other than IN.
    Class,
    /// A word where a record's type should be.
    Type,
    /// A record without a type.
    NoType,
    /// A type that is only for questions, or for messages.
    MetaType,
    /// The first record has no owner.
    NoOwner,
    /// A record whose owner is not below the zone's origin.
    OutOfZone,
    /// The first record is not the SOA, and no origin was given that would say what the zone is.
    NoOrigin,
    /// The zone has no SOA.
    NoSoa,
    /// A second SOA, or one elsewhere than at the zone's origin.
    StraySoa,
    /// The zone has no NS record at its origin.
    NoNs,
    /// A CNAME beside other data, or a second one (RFC 2181 section 10.1).
    Cname,
    /// A second DNAME of one owner (RFC 6672 section 2.4).
    Dname,
    /// Data below a DNAME (RFC 6672 section 2.4).
    BelowDname,
    /// The data ends too early.
    DataMissing,
    /// There are words behind the data.
    DataBeyond,
    /// The data is longer than 65,535 octets.
    DataTooLong,
    /// A number that is none, or too large for its field.
    Number,
    /// An IPv4 address that is none.
    Ipv4,
    /// An IPv6 address that is none.
    Ipv6,
    /// A text longer than 255 octets.
    TextTooLong,
    /// Digits that are not hexadecimal, or an odd number of them.
    Hex,
    /// Something that is not base64.
    Base64,
    /// Something that is not base32 with the extended alphabet.
    Base32,
    /// A point in time that is none (RFC 4034 section 3.2).
    Time,
    /// A tag of CAA that is empty, or has more than letters and digits (RFC 8659 section 4.1).
    Tag,
    /// A service parameter that is unknown, twice there, or has a value that it cannot have (RFC 9460).
    Parameter,
    /// Data in the form of RFC 3597 whose length does not agree, or that is not valid for its type.
    UnknownData,
    /// More than 150 iterations of NSEC3's hash (RFC 9276 section 3.2), or an algorithm other than SHA-1.
    Nsec3,
    /// An NSEC3 record whose owner is no hash.
    Nsec3Owner,
    /// More records than an owner can have here (65,535).
    TooManyRecords,
    /// The file or what becomes of it is larger than a limit.
    TooLarge,
    /// There is not enough memory.
    Memory,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Parenthesis => "a parenthesis has no other one",
            Self::Quote => "a quoted text does not end on its line",
            Self::Escape => {
                "a backslash is followed by neither a character nor three digits up to 255"
            }
            Self::Include => "$INCLUDE is not supported: a zone must be one file",
            Self::Directive => "unknown directive: there are $ORIGIN and $TTL",
            Self::DirectiveArgument => "a directive takes one argument",
            Self::Name(error) => return error.fmt(f),
            Self::Ttl => "not a time to live",
            Self::NoTtl => "the record has no time to live, and there is no $TTL before it",
            Self::Class => "only class IN is served",
            Self::Type => "not a type of record",
            Self::NoType => "the record has no type",
            Self::MetaType => "records cannot have this type",
            Self::NoOwner => "the first record has no owner",
            Self::OutOfZone => "the owner is not in the zone",
            Self::NoOrigin => {
                "the first record must be the SOA, where nothing else says which zone this is"
            }
            Self::NoSoa => "the zone has no SOA",
            Self::StraySoa => "one SOA belongs to a zone, at its origin",
            Self::NoNs => "the zone has no NS at its origin",
            Self::Cname => "a CNAME is its owner's only record",
            Self::Dname => "a DNAME is its owner's only one",
            Self::BelowDname => "there is a DNAME above this owner",
            Self::DataMissing => "the data is not complete",
            Self::DataBeyond => "there is something behind the data",
            Self::DataTooLong => "the data is longer than 65,535 octets",
            Self::Number => "not a number that fits",
            Self::Ipv4 => "not an IPv4 address",
            Self::Ipv6 => "not an IPv6 address",
            Self::TextTooLong => "a text is longer than 255 octets",
            Self::Hex => "not pairs of hexadecimal digits",
            Self::Base64 => "not base64",
            Self::Base32 => "not base32 with the extended alphabet",
            Self::Time => "not a point in time",
            Self::Tag => "a tag must be letters and digits",
            Self::Parameter => "not a valid service parameter",
            Self::UnknownData => "not valid data for this type, or of another length than it says",
            Self::Nsec3 => "NSEC3 must use SHA-1 with at most 150 iterations",
            Self::Nsec3Owner => "the owner of an NSEC3 must be a hash",
            Self::TooManyRecords => "an owner has more than 65,535 records",
            Self::TooLarge => "larger than the limit",
            Self::Memory => "not enough memory",
        })
    }
}

impl From<NameError> for Reason {
    fn from(error: NameError) -> Self {
        Self::Name(error)
    }
}
