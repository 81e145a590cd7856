//! Master files of the DNS (RFC 1035, section 5.1).

use super::languages::{Escapes, Quote};
use super::scan::string_length;
use super::{Class, put};

/// Types of records, and the class, in the notation of master files.
const WORDS: [&str; 24] = [
    "A",
    "AAAA",
    "CAA",
    "CNAME",
    "DNAME",
    "DNSKEY",
    "DS",
    "HTTPS",
    "IN",
    "MX",
    "NAPTR",
    "NS",
    "NSEC",
    "NSEC3",
    "NSEC3PARAM",
    "PTR",
    "RRSIG",
    "SOA",
    "SRV",
    "SSHFP",
    "SVCB",
    "TLSA",
    "TXT",
    "URI",
];

const QUOTE: Quote = Quote {
    mark: "\"",
    escapes: Escapes::Backslash,
};

/// The HTML of `code`.
pub(super) fn zone(code: &str) -> String {
    let mut out = String::new();
    let mut rest = code;
    while let Some(first) = rest.chars().next() {
        let (class, length) = match first {
            ';' => (Class::Comment, rest.find('\n').unwrap_or(rest.len())),
            '"' => (Class::String, string_length(rest, QUOTE)),
            c if c.is_whitespace() || "()".contains(c) => (Class::Plain, c.len_utf8()),
            _ => {
                let end = |c: char| c.is_whitespace() || "();\"".contains(c);
                let length = rest.find(end).unwrap_or(rest.len());
                (word(&rest[..length]), length)
            }
        };
        let (token, behind) = rest.split_at(length);
        put(&mut out, class, token);
        rest = behind;
    }
    out
}

fn word(word: &str) -> Class {
    if word.starts_with('$') {
        Class::Attribute
    } else if WORDS.contains(&word) {
        Class::Keyword
    } else if is_time(word) {
        Class::Number
    } else {
        Class::Plain
    }
}

/// A number, or a time as most servers take it: `2h30m`.
fn is_time(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_digit())
        && word
            .chars()
            .all(|c| c.is_ascii_digit() || "smhdwSMHDW".contains(c))
}
