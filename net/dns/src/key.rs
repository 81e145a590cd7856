//! Names in the form that they are sorted and looked up in.
//!
//! The labels stand in reverse order, in lower case, each with a zero octet behind it; an octet 0 of a label becomes 1 1, an octet 1 becomes 1 2.
//! So comparing octets gives the canonical order of names (RFC 4034 section 6.1), and a name's key begins with the keys of all names above it.

use crate::name::{MAX_NAME, Name, label_step};

/// As long as a key can become: each octet of a name escaped.
const MAX_KEY: usize = 2 * MAX_NAME;
/// What stands behind a label.
const END: u8 = 0;
/// What stands before an octet that could be taken for [`END`] or for itself.
const ESCAPE: u8 = 1;

/// A name's key.
#[derive(Clone, Copy)]
pub(crate) struct Key {
    len: u16,
    octets: [u8; MAX_KEY],
}

impl Key {
    /// The key of a valid name.
    pub(crate) fn of(name: &[u8]) -> Self {
        let mut starts = [0u8; MAX_NAME / 2 + 1];
        let (mut count, mut at) = (0, 0);
        while label_step(&name[at..]) > 0 {
            starts[count] = at as u8;
            count += 1;
            at += label_step(&name[at..]);
        }
        let mut key = Self {
            len: 0,
            octets: [0; MAX_KEY],
        };
        for &start in starts[..count].iter().rev() {
            let label = &name[usize::from(start)..];
            for octet in &label[1..label_step(label)] {
                key.push_octet(octet.to_ascii_lowercase());
            }
            key.push(END);
        }
        key
    }

    /// This key and one more label, which has no octet that needs to be escaped.
    pub(crate) fn child(above: &[u8], label: &[u8]) -> Self {
        let mut key = Self {
            len: 0,
            octets: [0; MAX_KEY],
        };
        for &octet in above.iter().chain(label) {
            key.push(octet);
        }
        key.push(END);
        key
    }

    fn push_octet(&mut self, octet: u8) {
        if octet <= ESCAPE {
            self.push(ESCAPE);
            self.push(octet + 1);
        } else {
            self.push(octet);
        }
    }

    fn push(&mut self, octet: u8) {
        // Only a child's label could exceed it, and there is no name as long as that: the key then finds nothing.
        if let Some(place) = self.octets.get_mut(usize::from(self.len)) {
            *place = octet;
            self.len += 1;
        }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.octets[..usize::from(self.len)]
    }
}

/// Where the labels of a key end, from the topmost down.
pub(crate) fn ends(key: &[u8]) -> impl Iterator<Item = usize> + '_ {
    key.iter()
        .enumerate()
        .filter(|(_, octet)| **octet == END)
        .map(|(at, _)| at + 1)
}

/// The name below `origin` that a key stands for. Its letters are lower case.
pub(crate) fn name_below(key: &[u8], origin: &[u8]) -> Option<Name> {
    let mut labels = [0u8; MAX_NAME];
    // From the back: the last label in the key is the first of the name.
    let mut len = 0;
    let mut end = key.len();
    while end > 0 {
        let body = &key[..end - 1];
        let start = body
            .iter()
            .rposition(|&octet| octet == END)
            .map_or(0, |at| at + 1);
        let length_at = len;
        len += 1;
        let mut escaped = false;
        for &octet in &body[start..] {
            if octet == ESCAPE && !escaped {
                escaped = true;
                continue;
            }
            *labels.get_mut(len)? = if escaped { octet - 1 } else { octet };
            escaped = false;
            len += 1;
        }
        *labels.get_mut(length_at)? = u8::try_from(len - length_at - 1).ok()?;
        end = start;
    }
    Name::join(&labels[..len], origin)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn name(text: &str) -> Name {
        Name::parse(text.as_bytes(), None).unwrap()
    }

    #[test]
    fn keys_are_in_canonical_order() {
        // RFC 4034 section 6.1 has this list.
        let sorted = [
            "example.",
            "a.example.",
            "yljkjljk.a.example.",
            "Z.a.example.",
            "zABC.a.EXAMPLE.",
            "z.example.",
            r"\001.z.example.",
            "*.z.example.",
            r"\200.z.example.",
        ];
        let keys: Vec<_> = sorted
            .iter()
            .map(|text| Key::of(name(text).wire()).as_bytes().to_vec())
            .collect();
        assert!(keys.is_sorted());
        assert!(keys.iter().all(|key| key.starts_with(b"example\0")));
    }

    #[test]
    fn a_key_gives_its_name_back() {
        let origin = name("example.");
        for text in ["example.", "a.example.", r"\000\001\002.b.example."] {
            let key = Key::of(name(text).wire());
            let below = &key.as_bytes()[b"example\0".len()..];
            assert_eq!(name_below(below, origin.wire()), Some(name(text)), "{text}");
        }
        let ends: Vec<_> = ends(b"org\0example\0").collect();
        assert_eq!(ends, [4, 12]);
    }

    #[test]
    fn the_longest_name_has_a_key() {
        let text = r"\000\000\000\000\000\000\000.".repeat(31);
        let key = Key::of(name(&text).wire());
        assert_eq!(key.as_bytes().len(), 31 * 15);
        assert_eq!(name_below(key.as_bytes(), &[0]), Some(name(&text)));
    }
}
