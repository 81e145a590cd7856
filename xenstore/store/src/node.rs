//! A node of the tree. Lists of children are shared between the tree and its snapshots, and copied when one of them changes.

use alloc::rc::Rc;
use alloc::vec;
use alloc::vec::Vec;

use morgana_hal::DomId;

use crate::entry::{Entries, Entry};
use crate::map::{Keyed, Map};
use crate::text::Text;

/// A point in the store's history: each node that comes or goes has its own, later ones are greater.
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

/// A node with all that is below it. It lies in the list of its siblings, so each byte of it counts; a clone costs three references at most.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    text: Text,
    /// Never empty: the first entry is the owner's.
    pub(crate) permissions: Entries,
    /// `None` if there are no children.
    children: Option<Rc<Children>>,
    /// When the node was made.
    born: Stamp,
}

const _: () = assert!(size_of::<Node>() == 48);

#[derive(Clone, Debug)]
struct Children {
    nodes: Map<Node>,
    /// Which domains the permissions of all that is here and below may name. Only ever more: those of nodes that went stay.
    traces: Traces,
    /// When one last came or went.
    stamp: Stamp,
}

impl Keyed for Node {
    type Key = [u8];
    type Bound = Rc<[u8]>;

    fn key(&self) -> &[u8] {
        self.text.name_bytes()
    }

    fn bound(&self) -> Rc<[u8]> {
        self.key().into()
    }
}

impl Node {
    pub(crate) fn new(name: &str, value: &[u8], permissions: Entries, stamp: Stamp) -> Self {
        Self {
            text: Text::new(name, value),
            permissions,
            children: None,
            born: stamp,
        }
    }

    /// The last part of its path; the root has none.
    pub(crate) fn name(&self) -> &str {
        self.text.name()
    }

    pub(crate) fn value(&self) -> &[u8] {
        self.text.value()
    }

    pub(crate) fn set_value(&mut self, value: &[u8]) {
        self.text.set_value(value);
    }

    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        self.children.as_ref()?.nodes.get(name.as_bytes())
    }

    /// The children, by name.
    pub(crate) fn children(&self) -> impl Iterator<Item = (&str, &Self)> {
        let nodes = self.children.iter().flat_map(|all| all.nodes.iter());
        nodes.map(|child| (child.name(), child))
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

    /// When a child last came or went. Where there is none, that is of no interest.
    pub(crate) fn children_stamp(&self) -> Stamp {
        self.children.as_ref().map_or(Stamp(0), |all| all.stamp)
    }

    /// The child, for changes; its siblings are copied if snapshots share them. The permissions there or further below name `traces`.
    pub(crate) fn child_mut(&mut self, name: &str, traces: Traces) -> Option<&mut Self> {
        let children = Rc::make_mut(self.children.as_mut()?);
        children.traces = children.traces.with(traces);
        children.nodes.get_mut(name.as_bytes())
    }

    pub(crate) fn insert(&mut self, child: Self, stamp: Stamp) {
        let children = self.children.get_or_insert_with(|| {
            Rc::new(Children {
                nodes: Map::default(),
                traces: Traces::default(),
                stamp,
            })
        });
        let children = Rc::make_mut(children);
        children.traces = children.traces.with(child.traces());
        children.stamp = stamp;
        children.nodes.insert(child);
    }

    pub(crate) fn remove(&mut self, name: &str, stamp: Stamp) -> Option<Self> {
        let children = Rc::make_mut(self.children.as_mut()?);
        let removed = children.nodes.remove(name.as_bytes())?;
        children.stamp = stamp;
        if children.nodes.is_empty() {
            self.children = None;
        }
        Some(removed)
    }

    /// Visits the node and all below it.
    pub(crate) fn for_each(&self, mut visit: impl FnMut(&Self)) {
        let mut waiting = vec![self];
        while let Some(node) = waiting.pop() {
            visit(node);
            waiting.extend(node.children().map(|(_, child)| child));
        }
    }

    /// Whether value, permissions and all that is below are what they were in `other`, which is the same node at another time.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let same_children = match (&self.children, &other.children) {
            (Some(one), Some(other)) => one.nodes.is_same(&other.nodes),
            (None, None) => true,
            _ => false,
        };
        same_children && self.value() == other.value() && self.permissions == other.permissions
    }

    /// Which domains the permissions here and below may name.
    fn traces(&self) -> Traces {
        let below = self.children.as_ref().map(|children| children.traces);
        Traces::of(&self.permissions).with(below.unwrap_or_default())
    }

    /// Whether the permissions here or below may name the domain.
    pub(crate) fn may_name(&self, domain: DomId) -> bool {
        self.traces().may_have(domain)
    }

    /// Whether it says of which domains there are traces below.
    pub(crate) fn is_traced(&self) -> bool {
        let Some(children) = &self.children else {
            return true;
        };
        let below = children.nodes.iter();
        let all = below.fold(children.traces, |all, child| all.with(child.traces()));
        all == children.traces
    }

    /// Whose it is.
    pub(crate) fn owner(&self) -> Option<DomId> {
        self.permissions.first().map(|owner| owner.domain)
    }
}

impl Drop for Children {
    /// Not by recursion: how deep a tree is, guests decide.
    fn drop(&mut self) {
        let mut waiting = Vec::new();
        let mut next = Some(core::mem::take(&mut self.nodes));
        while let Some(nodes) = next.take().or_else(|| waiting.pop()) {
            nodes.take_apart(|node| {
                if let Some(mut children) = node.children.and_then(Rc::into_inner) {
                    waiting.push(core::mem::take(&mut children.nodes));
                }
            });
        }
    }
}
