//! A node of the tree. Nodes are shared between the tree and its snapshots, and copied when one of them changes.

use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::vec;

use morgana_xenstore_wire::Permission;

/// A point in the store's history: each change has its own, later ones are greater.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub(crate) struct Stamp(pub(crate) u64);

type Children = BTreeMap<Rc<str>, Rc<Node>>;

/// A node with all that is below it.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) value: Rc<[u8]>,
    /// Never empty: the first entry is the owner's.
    pub(crate) permissions: Rc<[Permission]>,
    /// `None` is no children. Shared apart from the node, so that a new value does not copy a long list.
    children: Option<Rc<Children>>,
    /// When the value last changed; at the latest when the node was made.
    pub(crate) value_stamp: Stamp,
    /// When the permissions last changed.
    pub(crate) permissions_stamp: Stamp,
    /// When a child last came or went.
    pub(crate) children_stamp: Stamp,
}

impl Node {
    pub(crate) fn new(value: Rc<[u8]>, permissions: Rc<[Permission]>, stamp: Stamp) -> Self {
        Self {
            value,
            permissions,
            children: None,
            value_stamp: stamp,
            permissions_stamp: stamp,
            children_stamp: stamp,
        }
    }

    pub(crate) fn child(&self, name: &str) -> Option<&Rc<Self>> {
        self.children.as_ref()?.get(name)
    }

    /// The children, by name.
    pub(crate) fn children(&self) -> impl Iterator<Item = (&str, &Self)> {
        let children = self.children.iter().flat_map(|children| children.iter());
        children.map(|(name, child)| (&**name, &**child))
    }

    /// The child, for changes; it and the list of children are copied if snapshots share them.
    pub(crate) fn child_mut(&mut self, name: &str) -> Option<&mut Self> {
        let children = Rc::make_mut(self.children.as_mut()?);
        children.get_mut(name).map(Rc::make_mut)
    }

    pub(crate) fn insert(&mut self, name: &str, child: Self) {
        let children = self.children.get_or_insert_default();
        Rc::make_mut(children).insert(name.into(), Rc::new(child));
    }

    pub(crate) fn remove(&mut self, name: &str) -> Option<Rc<Self>> {
        let children = self.children.as_mut()?;
        Rc::make_mut(children).remove(name)
    }

    /// Visits the node and all below it.
    pub(crate) fn for_each(&self, mut visit: impl FnMut(&Self)) {
        let mut waiting = vec![self];
        while let Some(node) = waiting.pop() {
            visit(node);
            waiting.extend(node.children().map(|(_, child)| child));
        }
    }
}

impl Drop for Node {
    /// Not by recursion: how deep a tree is, guests decide.
    fn drop(&mut self) {
        let Some(children) = self.children.take() else {
            return;
        };
        let mut waiting = vec![children];
        while let Some(children) = waiting.pop() {
            let Ok(children) = Rc::try_unwrap(children) else {
                continue;
            };
            for mut child in children
                .into_values()
                .filter_map(|child| Rc::try_unwrap(child).ok())
            {
                waiting.extend(child.children.take());
            }
        }
    }
}
