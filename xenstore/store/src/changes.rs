//! What has changed, for those who watch.

use alloc::string::String;
use alloc::vec::Vec;

use morgana_xenstore_wire::Path;

use crate::caller::{Caller, Intent};
use crate::entry::{Entries, Entry};
use crate::node::Node;

/// One change.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) path: String,
    pub(crate) kind: Kind,
    /// The permissions of the node above.
    pub(crate) parent: Entries,
}

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// Made, or its value or permissions changed.
    Written {
        permissions: Entries,
        /// What they were before they changed.
        before: Option<Entries>,
    },
    /// Taken out, with all below.
    Removed { node: Node },
}

impl Change {
    /// Whether `caller` may know: it may read the node, as it is or was, or the one above.
    pub(crate) fn is_visible_to(&self, caller: &Caller) -> bool {
        let readable = |permissions: &[Entry]| caller.may(Intent::Read, permissions);
        readable(&self.parent)
            || match &self.kind {
                Kind::Written {
                    permissions,
                    before,
                } => readable(permissions) || before.as_deref().is_some_and(readable),
                Kind::Removed { node } => readable(&node.permissions),
            }
    }

    /// Whether a node at `path`, which is below the change's, went with it, and `caller` may know that.
    pub(crate) fn took_along(&self, path: Path<'_>, caller: &Caller) -> bool {
        let Kind::Removed { node } = &self.kind else {
            return false;
        };
        let Some(below) = path.as_str().get(self.path.len()..) else {
            return false;
        };
        let mut parent = node;
        let mut at = node;
        for part in below.split('/').filter(|part| !part.is_empty()) {
            match at.child(part) {
                Some(child) => (parent, at) = (at, child),
                None => return false,
            }
        }
        caller.may(Intent::Read, &at.permissions) || caller.may(Intent::Read, &parent.permissions)
    }
}

/// Keeps of several writes of one node the last only.
pub(crate) fn without_repeats(changes: Vec<Change>) -> Vec<Change> {
    let mut kept: Vec<Change> = Vec::with_capacity(changes.len());
    let mut written = alloc::collections::BTreeSet::new();
    for change in changes.into_iter().rev() {
        let first_seen = match change.kind {
            Kind::Written { .. } => written.insert(change.path.clone()),
            Kind::Removed { .. } => {
                // What was written before this is another node.
                written.clear();
                true
            }
        };
        if first_seen {
            kept.push(change);
        }
    }
    kept.reverse();
    kept
}
