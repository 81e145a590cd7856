//! What has changed, for those who watch.

use alloc::string::String;
use alloc::vec::Vec;

use morgana_xenstore_wire::Path;

use crate::caller::{Caller, Intent};
use crate::entry::{Entries, Entry};
use crate::node::Node;
use crate::tree::Tree;

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

    /// Whether others, who have only the tree before a transaction and that after it, see something of it.
    fn is_seen(&mut self, before: &Tree, after: &Tree) -> bool {
        // Only paths that were parsed are in changes.
        let Ok(path) = Path::parse(&self.path) else {
            return false;
        };
        let was = before.node(path);
        match (&mut self.kind, was) {
            (Kind::Written { .. }, _) => was.is_some() || after.node(path).is_some(),
            (Kind::Removed { node }, Some(was)) => {
                *node = was.clone();
                true
            }
            (Kind::Removed { .. }, None) => false,
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

/// What others see of a transaction's changes: of several writes of one node the last only, and nothing of what was made in it and taken out
/// again.
pub(crate) fn seen_by_others(changes: Vec<Change>, before: &Tree, after: &Tree) -> Vec<Change> {
    let mut changes = without_repeats(changes);
    let removes = |change: &Change| matches!(change.kind, Kind::Removed { .. });
    // What is taken out nowhere is there afterwards.
    if changes.iter().any(removes) {
        changes.retain_mut(|change| change.is_seen(before, after));
    }
    changes
}

fn without_repeats(changes: Vec<Change>) -> Vec<Change> {
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
