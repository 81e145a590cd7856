//! Entity tags (RFC 9110 §8.8.3).

/// An entity tag. What stands between its quotes is the resource's own choice: a hash of its bytes, say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntityTag<'a> {
    opaque: Opaque<'a>,
    strength: Strength,
}

/// What stands between the quotes.
#[derive(Clone, Copy, Debug)]
enum Opaque<'a> {
    Text(&'a [u8]),
    Digits([u8; 16]),
}

impl Opaque<'_> {
    const fn bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text,
            Self::Digits(digits) => digits,
        }
    }
}

impl PartialEq for Opaque<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.bytes() == other.bytes()
    }
}

impl Eq for Opaque<'_> {}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Strength {
    Strong,
    Weak,
}

impl<'a> EntityTag<'a> {
    /// A tag that changes whenever a byte of the content does. `opaque` comes without quotes, and has visible ASCII only.
    pub const fn strong(opaque: &'a str) -> Self {
        Self {
            opaque: Opaque::Text(opaque.as_bytes()),
            strength: Strength::Strong,
        }
    }

    /// A tag that changes when the meaning does.
    pub const fn weak(opaque: &'a str) -> Self {
        Self {
            opaque: Opaque::Text(opaque.as_bytes()),
            strength: Strength::Weak,
        }
    }

    /// The same of a number, as sixteen hexadecimal digits: for tags that are made for a response, and belong to nobody.
    pub const fn strong_number(mut number: u64) -> Self {
        let mut digits = [0; 16];
        let mut place = digits.len();
        while place > 0 {
            place -= 1;
            digits[place] = b"0123456789abcdef"[(number & 0xf) as usize];
            number >>= 4;
        }
        Self {
            opaque: Opaque::Digits(digits),
            strength: Strength::Strong,
        }
    }

    /// Reads a tag as it stands in a field, quotes included: `"x"` or `W/"x"`.
    pub fn parse(text: &'a str) -> Option<Self> {
        match Self::parse_prefix(text.as_bytes()) {
            Some((tag, [])) => Some(tag),
            _ => None,
        }
    }

    /// What goes before and within the quotes on the wire. `None` if the tag was made of what no tag may hold.
    pub(crate) fn parts(&self) -> Option<(&'static str, &str)> {
        let opaque = self.opaque.bytes();
        let text = core::str::from_utf8(opaque)
            .ok()
            .filter(|_| opaque.iter().copied().all(is_tag_byte))?;
        Some((
            if self.strength == Strength::Weak {
                "W/"
            } else {
                ""
            },
            text,
        ))
    }

    /// Reads one tag from the front; answers it and what follows.
    pub(crate) fn parse_prefix(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (strength, rest) = match bytes.strip_prefix(b"W/") {
            Some(rest) => (Strength::Weak, rest),
            None => (Strength::Strong, bytes),
        };
        let rest = rest.strip_prefix(b"\"")?;
        let end = rest.iter().position(|&byte| !is_tag_byte(byte))?;
        let after = rest[end..].strip_prefix(b"\"")?;
        Some((
            Self {
                opaque: Opaque::Text(&rest[..end]),
                strength,
            },
            after,
        ))
    }

    /// The weak comparison (§8.8.3.2): the same opaque part.
    pub fn matches_weakly(&self, other: &EntityTag<'_>) -> bool {
        self.opaque == other.opaque
    }

    /// The strong comparison: the same opaque part, and both strong.
    pub fn matches_strongly(&self, other: &EntityTag<'_>) -> bool {
        self.opaque == other.opaque
            && self.strength == Strength::Strong
            && other.strength == Strength::Strong
    }
}

/// `etagc`.
fn is_tag_byte(byte: u8) -> bool {
    matches!(byte, 0x21 | 0x23..=0x7e | 0x80..)
}

/// The tags of a list, up to its end or to the first place where it is malformed.
pub(crate) fn tags(mut list: &[u8]) -> impl Iterator<Item = EntityTag<'_>> {
    core::iter::from_fn(move || {
        while let [b' ' | b'\t' | b',', rest @ ..] = list {
            list = rest;
        }
        let (tag, rest) = EntityTag::parse_prefix(list)?;
        list = rest;
        Some(tag)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    #[test]
    fn comparisons_follow_the_rfc_s_table() {
        let (weak, strong) = (EntityTag::weak("1"), EntityTag::strong("1"));
        for (left, right, strongly, weakly) in [
            (weak, weak, false, true),
            (weak, EntityTag::weak("2"), false, false),
            (weak, strong, false, true),
            (strong, strong, true, true),
        ] {
            assert_eq!(left.matches_strongly(&right), strongly);
            assert_eq!(left.matches_weakly(&right), weakly);
        }
    }

    #[test]
    fn a_number_is_a_tag_of_its_digits() {
        let tag = EntityTag::strong_number(0xfedc_ba98_0000_0001);
        assert_eq!(tag, EntityTag::strong("fedcba9800000001"));
        assert_eq!(tag.parts(), Some(("", "fedcba9800000001")));
        assert!(tag.matches_strongly(&EntityTag::strong("fedcba9800000001")));
        assert!(!tag.matches_weakly(&EntityTag::strong_number(1)));
    }

    #[test]
    fn one_tag_is_read_whole() {
        assert_eq!(EntityTag::parse("\"x\""), Some(EntityTag::strong("x")));
        assert_eq!(EntityTag::parse("W/\"x\""), Some(EntityTag::weak("x")));
        for other in ["x", "\"x", "\"x\" ", "\"x\", \"y\"", ""] {
            assert_eq!(EntityTag::parse(other), None);
        }
    }

    #[test]
    fn lists_are_read_up_to_what_is_malformed() {
        let list = |text: &'static str| tags(text.as_bytes()).collect::<Vec<_>>();
        assert_eq!(
            list(r#""a", W/"b,c" ,, "d""#),
            [
                EntityTag::strong("a"),
                EntityTag::weak("b,c"),
                EntityTag::strong("d")
            ]
        );
        assert_eq!(list(r#""""#), [EntityTag::strong("")]);
        assert_eq!(list(r#""a", b, "c""#), [EntityTag::strong("a")]);
        for none in ["", "a", "\"a", "w/\"a\"", "\"a b\"", "W/a", "W/\""] {
            assert_eq!(list(none), [], "{none}");
        }
    }
}
