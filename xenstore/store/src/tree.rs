//! The tree as a value: a clone is a snapshot, and costs one reference.

use alloc::rc::Rc;
use alloc::vec::Vec;

use morgana_xenstore_wire::Path;

use crate::entry::Entries;
use crate::node::{Node, Stamp, Traces};

/// A whole tree. Paths given to its methods are absolute.
#[derive(Clone, Debug)]
pub(crate) struct Tree {
    root: Rc<Node>,
}

impl Tree {
    /// A tree of a root alone.
    pub(crate) fn new(permissions: Entries) -> Self {
        let root = Node::new("", b"", permissions, Stamp::default());
        Self {
            root: Rc::new(root),
        }
    }

    pub(crate) fn root(&self) -> &Node {
        &self.root
    }

    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.root, &other.root)
    }

    pub(crate) fn node(&self, path: Path<'_>) -> Option<&Node> {
        path.parts()
            .try_fold(&*self.root, |node, part| node.child(part))
    }

    /// The node, or the lowest existing one above it, with the part of the path that names it.
    pub(crate) fn lowest<'a>(&self, path: Path<'a>) -> (Path<'a>, &Node) {
        let mut node = &*self.root;
        let mut found = 0;
        for part in path.parts() {
            let Some(child) = node.child(part) else {
                break;
            };
            node = child;
            found += 1;
        }
        (path.first(found), node)
    }

    /// The node, for changes; what snapshots share is copied on the way. `traces` is what its permissions will name, or those of nodes below it.
    pub(crate) fn node_mut(&mut self, path: Path<'_>, traces: Traces) -> Option<&mut Node> {
        // Nothing is copied if there is no such node.
        self.node(path)?;
        path.parts()
            .try_fold(Rc::make_mut(&mut self.root), |node, part| {
                node.child_mut(part, traces)
            })
    }

    /// Makes a node below an existing one. The nodes between get the same permissions and no value.
    pub(crate) fn insert(
        &mut self,
        above: Path<'_>,
        path: Path<'_>,
        value: &[u8],
        permissions: &Entries,
        stamp: Stamp,
    ) {
        let missing: Vec<&str> = path.parts().skip(above.parts().count()).collect();
        let parent = self.node_mut(above, Traces::of(permissions));
        let (Some((last, between)), Some(parent)) = (missing.split_last(), parent) else {
            return;
        };
        let mut node = Node::new(last, value, permissions.clone(), stamp);
        for name in between.iter().rev() {
            let mut middle = Node::new(name, b"", permissions.clone(), stamp);
            middle.insert(node, stamp);
            node = middle;
        }
        parent.insert(node, stamp);
    }

    /// Takes a node out, with all below it. The root stays.
    pub(crate) fn remove(&mut self, path: Path<'_>, stamp: Stamp) -> Option<Node> {
        let name = path.parts().last()?;
        self.node(path)?;
        let parent = self.node_mut(path.parent()?, Traces::default())?;
        parent.remove(name, stamp)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use crate::entry::Entry;
    use alloc::vec;
    use morgana_hal::DomId;

    fn permissions() -> Entries {
        vec![Entry::private(DomId::DOM0)].into()
    }

    fn path(text: &str) -> Path<'_> {
        Path::parse(text).unwrap()
    }

    #[test]
    fn a_snapshot_does_not_change_and_shares_what_did_not() {
        let mut tree = Tree::new(permissions());
        let above = path("/");
        tree.insert(above, path("/a/b/c"), b"1", &permissions(), Stamp(1));
        tree.insert(above, path("/d"), b"2", &permissions(), Stamp(2));
        tree.insert(above, path("/e/f"), b"", &permissions(), Stamp(2));
        let snapshot = tree.clone();
        assert!(tree.is_same(&snapshot));
        let changed = tree.node_mut(path("/a/b/c"), Traces::default());
        changed.unwrap().set_value(b"3");
        assert!(!tree.is_same(&snapshot));
        assert_eq!(snapshot.node(path("/a/b/c")).unwrap().value(), b"1");
        assert_eq!(tree.node(path("/a/b/c")).unwrap().value(), b"3");
        for (at, is_same) in [
            ("/", false),
            ("/a", false),
            ("/a/b/c", false),
            ("/d", true),
            ("/e", true),
        ] {
            let (before, now) = (snapshot.node(path(at)), tree.node(path(at)));
            assert_eq!(before.unwrap().is_same(now.unwrap()), is_same, "{at}");
        }
        let removed = tree.remove(path("/a"), Stamp(4)).unwrap();
        assert!(removed.child("b").is_some());
        assert!(tree.node(path("/a/b")).is_none());
        assert!(snapshot.node(path("/a/b")).is_some());
        assert_eq!(tree.lowest(path("/a/b")).0, path("/"));
    }

    #[test]
    fn a_tree_as_deep_as_a_path_can_be_is_dropped_on_a_small_stack() {
        std::thread::Builder::new()
            .stack_size(64 * 1024)
            .spawn(|| {
                let deep = "/a".repeat(1536);
                let mut tree = Tree::new(permissions());
                let above = path("/");
                tree.insert(above, path(&deep), b"", &permissions(), Stamp(1));
                let mut nodes = 0;
                tree.remove(path("/a"), Stamp(2))
                    .unwrap()
                    .for_each(|_| nodes += 1);
                assert_eq!(nodes, 1536);
            })
            .unwrap()
            .join()
            .unwrap();
    }

    #[test]
    fn what_is_not_there_is_not_changed() {
        let mut tree = Tree::new(permissions());
        let before = tree.clone();
        assert!(tree.node_mut(path("/a"), Traces::default()).is_none());
        assert!(tree.remove(path("/a/b"), Stamp(1)).is_none());
        assert!(tree.remove(path("/"), Stamp(1)).is_none());
        assert!(tree.is_same(&before));
    }
}
