//! What a domain leaves behind that is gone.

use alloc::collections::VecDeque;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;

use morgana_hal::DomId;
use morgana_xenstore_wire::{Path, Permission};

use crate::changes::{Change, Kind};
use crate::node::{Node, Stamp};
use crate::operations::World;

/// What is to be done with a node.
enum Step {
    /// The domain owned it: it goes, with all below.
    Remove,
    /// The domain was in its permissions.
    Permit(Rc<[Permission]>),
}

impl World {
    /// Takes out the nodes that `domain` owns, with all below them, and `domain` out of the permissions of all others.
    pub(crate) fn forget(&mut self, domain: DomId, next: &mut Stamp) -> Vec<Change> {
        let mut changes = Vec::new();
        for (path, step) in self.traces(domain) {
            // Only paths of the tree are listed.
            let Ok(path) = Path::parse(&path) else {
                continue;
            };
            next.0 += 1;
            match step {
                Step::Remove => changes.extend(self.take_out(path, *next)),
                Step::Permit(list) => {
                    self.tree.set_permissions(path, list, *next);
                }
            }
        }
        changes
    }

    /// The highest nodes that `domain` owns, and those outside of them that name it.
    fn traces(&self, domain: DomId) -> Vec<(String, Step)> {
        let mut found = Vec::new();
        let mut waiting = VecDeque::from([(String::new(), &**self.tree.root())]);
        while let Some((path, node)) = waiting.pop_front() {
            let owner = node.permissions.first().map(|owner| owner.domain);
            if owner == Some(domain) && !path.is_empty() {
                found.push((path, Step::Remove));
                continue;
            }
            waiting.extend(node.children().map(|(name, child)| {
                let below = [&path, "/", name].concat();
                (below, child)
            }));
            if let Some(list) = without(&node.permissions, domain) {
                let path = if path.is_empty() { "/".into() } else { path };
                found.push((path, Step::Permit(list)));
            }
        }
        found
    }

    /// Takes out a node with all below, and corrects the books.
    pub(crate) fn take_out(&mut self, path: Path<'_>, stamp: Stamp) -> Option<Change> {
        let node = self.tree.remove(path, stamp)?;
        node.for_each(|node: &Node| {
            if let Some(owner) = node.permissions.first() {
                self.owned.subtract(owner.domain, 1);
            }
        });
        let above = path.parent().and_then(|above| self.tree.node(above));
        let parent = above.unwrap_or(&node).permissions.clone();
        Some(Change {
            path: path.as_str().into(),
            kind: Kind::Removed { node },
            parent,
        })
    }
}

/// The list without the entries of `domain`, if it has any behind the owner's.
pub(crate) fn without(list: &Rc<[Permission]>, domain: DomId) -> Option<Rc<[Permission]>> {
    let (owner, others) = list.split_first()?;
    if others.iter().all(|entry| entry.domain != domain) {
        return None;
    }
    let others = others.iter().filter(|entry| entry.domain != domain);
    Some(core::iter::once(owner).chain(others).copied().collect())
}
