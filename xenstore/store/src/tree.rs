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
        let root = Node::new(Rc::default(), permissions, Stamp::default());
        Self {
            root: Rc::new(root),
        }
    }

    pub(crate) fn root(&self) -> &Rc<Node> {
        &self.root
    }

    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.root, &other.root)
    }

    pub(crate) fn node(&self, path: Path<'_>) -> Option<&Rc<Node>> {
        path.parts()
            .try_fold(&self.root, |node, part| node.child(part))
    }

    /// The node, or the lowest existing one above it, with the part of the path that names it.
    pub(crate) fn lowest<'a>(&self, path: Path<'a>) -> (Path<'a>, &Rc<Node>) {
        let mut node = &self.root;
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

    /// The node, for changes; those that snapshots share are copied on the way. All of them get what is to be found there from now on.
    fn node_mut(&mut self, path: Path<'_>, traces: Traces) -> Option<&mut Node> {
        // Nothing is copied if there is no such node.
        self.node(path)?;
        let mut node = Rc::make_mut(&mut self.root);
        node.traces = node.traces.with(traces);
        for part in path.parts() {
            node = node.child_mut(part)?;
            node.traces = node.traces.with(traces);
        }
        Some(node)
    }

    /// Sets an existing node's value. False if there is none.
    pub(crate) fn set_value(&mut self, path: Path<'_>, value: &Rc<[u8]>, stamp: Stamp) -> bool {
        let Some(node) = self.node_mut(path, Traces::default()) else {
            return false;
        };
        node.value = value.clone();
        node.value_stamp = stamp;
        true
    }

    /// Sets an existing node's permissions. False if there is none.
    pub(crate) fn set_permissions(
        &mut self,
        path: Path<'_>,
        permissions: Entries,
        stamp: Stamp,
    ) -> bool {
        let Some(node) = self.node_mut(path, Traces::of(&permissions)) else {
            return false;
        };
        node.permissions = permissions;
        node.permissions_stamp = stamp;
        true
    }

    /// Makes a node below an existing one. The nodes between get the same permissions and no value.
    pub(crate) fn insert(
        &mut self,
        above: Path<'_>,
        path: Path<'_>,
        value: &Rc<[u8]>,
        permissions: &Entries,
        stamp: Stamp,
    ) {
        let missing: Vec<&str> = path.parts().skip(above.parts().count()).collect();
        let parent = self.node_mut(above, Traces::of(permissions));
        let (Some((first, rest)), Some(parent)) = (missing.split_first(), parent) else {
            return;
        };
        let mut node = Node::new(value.clone(), permissions.clone(), stamp);
        for &name in rest.iter().rev() {
            let mut middle = Node::new(Rc::default(), permissions.clone(), stamp);
            middle.insert(name, node);
            node = middle;
        }
        parent.insert(first, node);
        parent.children_stamp = stamp;
    }

    /// Takes a node out, with all below it. The root stays.
    pub(crate) fn remove(&mut self, path: Path<'_>, stamp: Stamp) -> Option<Rc<Node>> {
        let name = path.parts().last()?;
        self.node(path)?;
        let parent = self.node_mut(path.parent()?, Traces::default())?;
        parent.children_stamp = stamp;
        parent.remove(name)
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

    fn value(bytes: &[u8]) -> Rc<[u8]> {
        bytes.into()
    }

    fn path(text: &str) -> Path<'_> {
        Path::parse(text).unwrap()
    }

    #[test]
    fn a_snapshot_does_not_change_and_shares_what_did_not() {
        let mut tree = Tree::new(permissions());
        let above = path("/");
        tree.insert(
            above,
            path("/a/b/c"),
            &value(b"1"),
            &permissions(),
            Stamp(1),
        );
        tree.insert(above, path("/d"), &value(b"2"), &permissions(), Stamp(2));
        let snapshot = tree.clone();
        assert!(tree.is_same(&snapshot));
        tree.set_value(path("/a/b/c"), &value(b"3"), Stamp(3));
        assert!(!tree.is_same(&snapshot));
        assert_eq!(&*snapshot.node(path("/a/b/c")).unwrap().value, b"1");
        assert_eq!(&*tree.node(path("/a/b/c")).unwrap().value, b"3");
        let untouched = path("/d");
        assert!(Rc::ptr_eq(
            tree.node(untouched).unwrap(),
            snapshot.node(untouched).unwrap()
        ));
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
                tree.insert(above, path(&deep), &value(b""), &permissions(), Stamp(1));
                let mut nodes = 0;
                tree.remove(path("/a"), Stamp(2))
                    .unwrap()
                    .for_each("a", |_, _| nodes += 1);
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
        assert!(!tree.set_value(path("/a"), &value(b"1"), Stamp(1)));
        assert!(tree.remove(path("/a/b"), Stamp(1)).is_none());
        assert!(tree.remove(path("/"), Stamp(1)).is_none());
        assert!(tree.is_same(&before));
    }
}
