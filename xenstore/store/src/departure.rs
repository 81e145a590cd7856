//! What a domain leaves behind that is gone.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use morgana_hal::DomId;
use morgana_xenstore_wire::Path;

use crate::changes::Change;
use crate::entry::{Entries, Entry, Standing};
use crate::node::{Node, Stamp};
use crate::world::World;

/// What becomes of the nodes of a domain that is gone.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Orphans {
    /// They go with it, with all below them.
    #[default]
    Remove,
    /// They are domain 0's from then on.
    Keep,
}

/// What is to be done with a node.
enum Step {
    /// The domain owned it: it goes, with all below.
    Remove,
    /// The domain was in its permissions.
    Permit(Entries),
}

impl World {
    /// Takes out the nodes that `domain` owns, with all below them, and `domain` out of the permissions of all others.
    pub(crate) fn forget(
        &mut self,
        domain: DomId,
        orphans: Orphans,
        next: &mut Stamp,
    ) -> Vec<Change> {
        let mut changes = Vec::new();
        for (path, step) in self.traces(domain, orphans) {
            // Only paths of the tree are listed.
            let Ok(path) = Path::parse(&path) else {
                continue;
            };
            match step {
                Step::Remove => {
                    next.0 += 1;
                    changes.extend(self.take_out(path, *next));
                }
                Step::Permit(list) => self.permit(path, &list),
            }
        }
        changes
    }

    /// The highest nodes that go, and those outside of them that name the domain. Those above come before those below.
    fn traces(&self, domain: DomId, orphans: Orphans) -> Vec<(String, Step)> {
        let step = |node: &Node| {
            let is_owner = node.owner() == Some(domain);
            match orphans {
                Orphans::Remove if is_owner => Some(Step::Remove),
                _ => without(&node.permissions, domain).map(Step::Permit),
            }
        };
        let mut found = Vec::new();
        let root = self.tree.root();
        // The root stays, whoever owned it: it is domain 0's then.
        if let Some(list) = without(&root.permissions, domain) {
            found.push(("/".into(), Step::Permit(list)));
        }
        // How long the path above is, and what is still to be looked at there.
        let mut open = vec![(0, root.children())];
        let mut path = String::new();
        while let Some((above, children)) = open.last_mut() {
            path.truncate(*above);
            // Where nothing is to be found, nobody looks: an end must not cost more in a large tree.
            let Some((name, child)) = children.find(|(_, child)| child.may_name(domain)) else {
                open.pop();
                continue;
            };
            path.push('/');
            path.push_str(name);
            match step(child) {
                Some(Step::Remove) => {
                    found.push((path.clone(), Step::Remove));
                    continue;
                }
                Some(permit) => found.push((path.clone(), permit)),
                None => {}
            }
            open.push((path.len(), child.children()));
        }
        found
    }
}

/// The list without the entries of `domain`, if it has any; an owner's entry becomes domain 0's.
pub(crate) fn without(list: &Entries, domain: DomId) -> Option<Entries> {
    let (owner, others) = list.split_first()?;
    if list.iter().all(|entry| entry.domain != domain) {
        return None;
    }
    let owner = if owner.domain == domain {
        Entry {
            domain: DomId::DOM0,
            access: owner.access,
            standing: Standing::Valid,
        }
    } else {
        *owner
    };
    let others = others.iter().filter(|entry| entry.domain != domain);
    Some(core::iter::once(&owner).chain(others).copied().collect())
}
