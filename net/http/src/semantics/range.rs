//! Range requests (RFC 9110 §14).

use crate::wire::{decimal, trim};

/// What of a content a `Range` field selects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selection {
    /// All of it: the field is malformed, of an unknown unit, or asks for several ranges. §14.2 lets a server ignore
    /// the field; several ranges are ignored so that no client can ask for more bytes than the content has.
    Whole,
    /// `first..=last`: 206.
    Part {
        /// Offset of the first byte.
        first: u64,
        /// Offset of the last byte, which is inside of the content.
        last: u64,
    },
    /// No byte of it: 416.
    Unsatisfiable,
}

/// What `field`, the value of `Range`, selects of a content of `length` bytes.
pub fn select(field: &[u8], length: u64) -> Selection {
    parse(field, length).unwrap_or(Selection::Whole)
}

fn parse(field: &[u8], length: u64) -> Option<Selection> {
    let equals = field.iter().position(|&byte| byte == b'=')?;
    let (unit, set) = (&field[..equals], trim(&field[equals + 1..]));
    if !unit.eq_ignore_ascii_case(b"bytes") {
        return None;
    }
    let dash = set.iter().position(|&byte| byte == b'-')?;
    let (first, last) = (&set[..dash], &set[dash + 1..]);
    if first.is_empty() {
        let wanted = position(last)?.min(length);
        return Some(match wanted {
            0 => Selection::Unsatisfiable,
            _ => Selection::Part {
                first: length - wanted,
                last: length - 1,
            },
        });
    }
    let first = position(first)?;
    let last = if last.is_empty() {
        u64::MAX
    } else {
        position(last)?
    };
    if last < first {
        return None;
    }
    Some(if first < length {
        Selection::Part {
            first,
            last: last.min(length - 1),
        }
    } else {
        Selection::Unsatisfiable
    })
}

/// A position; one that no integer holds is beyond any content, so the largest does for it.
fn position(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(decimal(digits).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ranges_select() {
        use Selection::{Part, Unsatisfiable, Whole};
        for (field, expected) in [
            ("bytes=0-0", Part { first: 0, last: 0 }),
            ("bytes=2-5", Part { first: 2, last: 5 }),
            ("bytes=2-", Part { first: 2, last: 9 }),
            ("bytes=2-99", Part { first: 2, last: 9 }),
            (
                "bytes=2-99999999999999999999999",
                Part { first: 2, last: 9 },
            ),
            ("bytes=-3", Part { first: 7, last: 9 }),
            ("bytes=-10", Part { first: 0, last: 9 }),
            ("bytes=-99999999999999999999999", Part { first: 0, last: 9 }),
            ("BYTES= 9-9 ", Part { first: 9, last: 9 }),
            ("bytes=10-", Unsatisfiable),
            ("bytes=10-11", Unsatisfiable),
            ("bytes=-0", Unsatisfiable),
            ("bytes=99999999999999999999999-", Unsatisfiable),
            ("bytes=5-2", Whole),
            ("bytes=0-1,3-4", Whole),
            ("bytes=0-,", Whole),
            ("bytes=-", Whole),
            ("bytes=", Whole),
            ("bytes", Whole),
            ("", Whole),
            ("bytes=a-b", Whole),
            ("bytes=0x1-2", Whole),
            ("bytes=+1-2", Whole),
            ("bytes=1 -2", Whole),
            ("bytes=--1", Whole),
            ("lines=0-1", Whole),
            ("bytes =0-1", Whole),
        ] {
            assert_eq!(select(field.as_bytes(), 10), expected, "{field}");
        }
        for field in ["bytes=0-", "bytes=-1", "bytes=0-0"] {
            assert_eq!(select(field.as_bytes(), 0), Unsatisfiable, "{field}");
        }
    }

    proptest! {
        #[test]
        fn a_part_lies_within(field in "bytes=[0-9]{0,3}-[0-9]{0,3}", length in 0u64..500) {
            if let Selection::Part { first, last } = select(field.as_bytes(), length) {
                prop_assert!(first <= last && last < length);
            }
        }
    }
}
