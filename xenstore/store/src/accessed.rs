//! What a transaction has looked at or changed, and whether somebody else has changed it since.

use alloc::collections::BTreeMap;
use alloc::string::String;

use bitflags::bitflags;
use morgana_xenstore_wire::Path;

use crate::tree::Tree;

bitflags! {
    /// Sides of a node that a result can depend on. Each of them includes whether the node exists.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub(crate) struct Aspects: u8 {
        const EXISTENCE = 1;
        const VALUE = 2;
        const PERMISSIONS = 4;
        /// The names of the children.
        const CHILDREN = 8;
        /// Everything at and below the node.
        const SUBTREE = 16;
        /// If the node is missing: the permissions of the lowest one above it, which decide whether that may be known.
        const ABOVE = 32;
    }
}

/// What a note costs besides its path, in bytes.
const NOTE: usize = 64;

#[derive(Clone, Debug, Default)]
pub(crate) struct Accessed {
    nodes: BTreeMap<String, Aspects>,
    bytes: usize,
}

impl Accessed {
    pub(crate) fn note(&mut self, path: Path<'_>, aspects: Aspects) {
        match self.nodes.get_mut(path.as_str()) {
            Some(noted) => *noted |= aspects,
            None => {
                self.bytes += NOTE + path.as_str().len();
                self.nodes.insert(path.as_str().into(), aspects);
            }
        }
    }

    /// The nodes, with what was looked at.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, Aspects)> {
        self.nodes
            .iter()
            .map(|(path, &aspects)| (path.as_str(), aspects))
    }

    /// How many nodes.
    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// About how much memory they take.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether one of them differs between the two trees.
    pub(crate) fn conflicts(&self, before: &Tree, now: &Tree) -> bool {
        self.nodes.iter().any(|(path, &aspects)| {
            // Only paths that were parsed are noted.
            Path::parse(path).is_ok_and(|path| differs(path, aspects, before, now))
        })
    }
}

fn differs(path: Path<'_>, aspects: Aspects, before: &Tree, now: &Tree) -> bool {
    let (before, now) = match (before.node(path), now.node(path)) {
        (None, None) if aspects.contains(Aspects::ABOVE) => {
            return before.lowest(path).1.permissions != now.lowest(path).1.permissions;
        }
        (None, None) => return false,
        (Some(before), Some(now)) => (before, now),
        _ => return true,
    };
    // What was changed, and changed back, is what the transaction saw: it comes to the same as if it had begun only now.
    let looked_at = |aspect| aspects.contains(aspect);
    looked_at(Aspects::VALUE) && before.value() != now.value()
        || looked_at(Aspects::PERMISSIONS) && before.permissions != now.permissions
        || looked_at(Aspects::CHILDREN) && before.children_stamp() != now.children_stamp()
        || looked_at(Aspects::SUBTREE) && !before.is_same(now)
}
