//! Names in a zone.

use super::index::{Kind, Node};
use super::proof::{Proof, hash_label};
use super::whole::Zone;
use crate::key::{Key, ends, name_below};
use crate::name::Name;

/// What is at a name.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Exact<'z> {
    /// Records.
    Node(&'z Node),
    /// Nothing but names below it (RFC 4592 section 2.2.2).
    Empty,
    /// Nothing at all.
    Missing,
}

/// The way from a zone's origin down to a name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Walk<'z> {
    /// The topmost node on the way, the name itself included, below which this zone has no authority, or whose names are others.
    pub(crate) above: Option<&'z Node>,
    pub(crate) exact: Exact<'z>,
    /// How long the key of the closest encloser is (RFC 4592 section 3.3.1), when the name is missing.
    pub(crate) encloser: usize,
}

impl Zone {
    /// Goes down from the origin to the name with that key, which is relative to the origin.
    pub(crate) fn walk(&self, key: &[u8]) -> Walk<'_> {
        let mut walk = Walk {
            above: None,
            exact: Exact::Node(self.apex()),
            encloser: 0,
        };
        if self.apex().kind == Kind::Dname && !key.is_empty() {
            walk.above = Some(self.apex());
            return walk;
        }
        let mut nodes = &self.nodes[..];
        for end in ends(key) {
            let part = &key[..end];
            let start = nodes.partition_point(|node| self.key_of(node) < part);
            nodes = &nodes[start..];
            let Some(first) = nodes
                .first()
                .filter(|node| self.key_of(node).starts_with(part))
            else {
                walk.exact = Exact::Missing;
                return walk;
            };
            walk.encloser = end;
            if self.key_of(first).len() > end {
                walk.exact = Exact::Empty;
                continue;
            }
            walk.exact = Exact::Node(first);
            let stops = match first.kind {
                Kind::Plain => false,
                Kind::Cut => true,
                Kind::Dname => end < key.len(),
            };
            if stops {
                walk.above = Some(first);
                return walk;
            }
        }
        walk
    }

    /// What is at the name with exactly that key, whoever has authority there.
    pub(crate) fn exact(&self, key: &[u8]) -> Exact<'_> {
        let at = self.nodes.partition_point(|node| self.key_of(node) < key);
        match self.nodes.get(at) {
            Some(node) if self.key_of(node) == key => Exact::Node(node),
            Some(node) if self.key_of(node).starts_with(key) => Exact::Empty,
            _ => Exact::Missing,
        }
    }

    /// A name's key in this zone. `None` if it is not in it.
    pub(crate) fn relative<'k>(&self, key: &'k Key) -> Option<&'k [u8]> {
        key.as_bytes().strip_prefix(self.key())
    }

    /// The name of an owner.
    pub(crate) fn owner(&self, node: &Node) -> Option<Name> {
        name_below(self.key_of(node), self.origin().wire())
    }

    /// An owner's key, relative to the origin.
    pub(crate) fn key_of(&self, node: &Node) -> &[u8] {
        self.octets.key_at(node.key)
    }

    /// Whether that is an owner's key.
    pub(crate) fn is_at(&self, node: &Node, key: &[u8]) -> bool {
        self.key_of(node) == key
    }

    /// How many labels an owner has below the origin.
    pub(crate) fn depth(&self, node: &Node) -> usize {
        ends(self.key_of(node)).count()
    }

    /// How many labels an owner has, the root's not counted.
    pub(crate) fn label_count(&self, node: &Node) -> usize {
        self.depth(node) + ends(self.key()).count()
    }

    /// The owner of the NSEC record that is at a key or covers it: the last one that is not behind it.
    pub(crate) fn nsec_at_or_before(&self, key: &[u8]) -> Option<&Node> {
        let at = self.chain.partition_point(|node| self.key_of(node) <= key);
        self.chain.get(at.checked_sub(1)?)
    }

    /// The NSEC3 record of a name's hash: what it is to that hash, and its owner.
    pub(crate) fn nsec3(&self, name: &[u8]) -> Option<Hashed<'_>> {
        let Proof::Nsec3 { iterations, salt } = self.proof() else {
            return None;
        };
        let key = Key::child(b"", &hash_label(name, *iterations, salt));
        let at = self
            .chain
            .partition_point(|node| self.key_of(node) < key.as_bytes());
        match self.chain.get(at) {
            Some(node) if self.key_of(node) == key.as_bytes() => Some(Hashed::Matches(node)),
            // What is before the first hash is covered by the last one.
            _ => at
                .checked_sub(1)
                .map_or(self.chain.last(), |at| self.chain.get(at))
                .map(Hashed::Covers),
        }
    }
}

/// What an NSEC3 record is to a name.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Hashed<'z> {
    Matches(&'z Node),
    Covers(&'z Node),
}
