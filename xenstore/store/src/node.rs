//! A node of the tree. Nodes are shared between the tree and its snapshots, and copied when one of them changes.

use alloc::rc::Rc;
use alloc::vec;
use alloc::vec::Vec;

use morgana_hal::DomId;

use crate::entry::{Entries, Entry};
use crate::map::Map;

/// A point in the store's history: each change has its own, later ones are greater.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub(crate) struct Stamp(pub(crate) u64);

/// A set of domains that is too large rather than too small: one bit for all whose numbers have the same rest.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Traces(u64);

impl Traces {
    /// The domains that these permissions name.
    pub(crate) fn of(permissions: &[Entry]) -> Self {
        let bits = permissions.iter().map(|entry| Self::bit(entry.domain));
        Self(bits.fold(0, |all, bit| all | bit))
    }

    pub(crate) const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) const fn may_have(self, domain: DomId) -> bool {
        self.0 & Self::bit(domain) != 0
    }

    const fn bit(domain: DomId) -> u64 {
        1 << (domain.number() as u64 % u64::BITS as u64)
    }
}

type Children = Map<Rc<str>, Rc<Node>>;

/// A node with all that is below it.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) value: Rc<[u8]>,
    /// Never empty: the first entry is the owner's.
    pub(crate) permissions: Entries,
    children: Children,
    /// Which domains the permissions here and below may name. Only ever more: those of nodes that went stay.
    pub(crate) traces: Traces,
    /// When the node was made.
    born: Stamp,
    /// When the value last changed; at the latest when the node was made.
    pub(crate) value_stamp: Stamp,
    /// When the permissions last changed.
    pub(crate) permissions_stamp: Stamp,
    /// When a child last came or went.
    pub(crate) children_stamp: Stamp,
}

impl Node {
    pub(crate) fn new(value: Rc<[u8]>, permissions: Entries, stamp: Stamp) -> Self {
        Self {
            value,
            traces: Traces::of(&permissions),
            permissions,
            children: Children::default(),
            born: stamp,
            value_stamp: stamp,
            permissions_stamp: stamp,
            children_stamp: stamp,
        }
    }

    pub(crate) fn child(&self, name: &str) -> Option<&Rc<Self>> {
        self.children.get(name)
    }

    /// The children, by name.
    pub(crate) fn children(&self) -> impl Iterator<Item = (&str, &Self)> {
        self.children
            .iter()
            .map(|(name, child)| (&**name, &**child))
    }

    /// The children's names, oldest first: so clients know the order (Linux numbers devices by it).
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let mut names: Vec<(Stamp, &str)> = self
            .children()
            .map(|(name, child)| (child.born, name))
            .collect();
        names.sort_unstable();
        names.into_iter().map(|(_, name)| name)
    }

    /// The child, for changes; it is copied if snapshots share it.
    pub(crate) fn child_mut(&mut self, name: &str) -> Option<&mut Self> {
        self.children.get_mut(name).map(Rc::make_mut)
    }

    pub(crate) fn insert(&mut self, name: &str, child: Self) {
        self.traces = self.traces.with(child.traces);
        self.children.insert(name.into(), Rc::new(child));
    }

    pub(crate) fn remove(&mut self, name: &str) -> Option<Rc<Self>> {
        self.children.remove(name)
    }

    /// Visits the node, whose name is `name`, and all below it.
    pub(crate) fn for_each(&self, name: &str, mut visit: impl FnMut(&str, &Self)) {
        let mut waiting = vec![(name, self)];
        while let Some((name, node)) = waiting.pop() {
            visit(name, node);
            waiting.extend(node.children());
        }
    }

    /// Whether it says of which domains there are traces here and below.
    pub(crate) fn is_traced(&self) -> bool {
        let own = Traces::of(&self.permissions);
        let all = self
            .children()
            .fold(own, |all, (_, child)| all.with(child.traces));
        self.traces.with(all) == self.traces
    }

    /// Whose it is.
    pub(crate) fn owner(&self) -> Option<DomId> {
        self.permissions.first().map(|owner| owner.domain)
    }
}

impl Drop for Node {
    /// Not by recursion: how deep a tree is, guests decide.
    fn drop(&mut self) {
        let mut waiting = vec![core::mem::take(&mut self.children)];
        while let Some(children) = waiting.pop() {
            children.take_apart(|child| {
                if let Some(mut child) = Rc::into_inner(child) {
                    waiting.push(core::mem::take(&mut child.children));
                }
            });
        }
    }
}
