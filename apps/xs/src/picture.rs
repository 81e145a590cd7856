//! What is known of a tree, and how it differs from what is there.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use morgana_xenstore_client::{Path, Permission, Tree};

use crate::failure::Failure;
use crate::path::child;
use crate::walk::{Details, Node, Walk};
use crate::watching::depth;

/// Nodes that a picture may have.
const MOST: usize = 1_000_000;

/// A node as it was seen.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) value: Vec<u8>,
    /// Empty if they are not looked at.
    pub(crate) permissions: Vec<Permission>,
}

/// Something that is other than it was.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Difference<'a> {
    Added(&'a str, &'a Seen),
    Changed(&'a str, &'a Seen, &'a Seen),
    Removed(&'a str, &'a Seen),
}

/// Where differences are told.
pub(crate) type Tell<'a> = dyn FnMut(Difference<'_>) -> Result<(), Failure> + 'a;

/// All that is known of a node and what is below it.
#[derive(Debug)]
pub(crate) struct Picture<'a> {
    tree: &'a Tree,
    root: String,
    details: Details,
    /// Levels below the root that are looked at.
    depth: usize,
    nodes: BTreeMap<String, Seen>,
}

impl<'a> Picture<'a> {
    /// One with nothing in it.
    pub(crate) fn new(tree: &'a Tree, root: &str, details: Details, depth: usize) -> Self {
        Self {
            tree,
            root: root.to_owned(),
            details,
            depth,
            nodes: BTreeMap::new(),
        }
    }

    /// How many nodes are known.
    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Looks at all, and tells what is other than it was.
    pub(crate) async fn rescan(&mut self, tell: &mut Tell<'_>) -> Result<(), Failure> {
        let root = self.root.clone();
        self.scan(&root, tell).await
    }

    /// Looks at the node at `path`, of which something was told, and tells what is other than it was: of the node itself, and of all below
    /// it as far as that came or went.
    pub(crate) async fn refresh(&mut self, path: &str, tell: &mut Tell<'_>) -> Result<(), Failure> {
        if !self.nodes.contains_key(path) {
            let first = self.first_unknown(path);
            return self.scan(&first, tell).await;
        }
        let Some(node) = self.look(path).await? else {
            return self.forget(path, tell);
        };
        let names = node.children.clone().unwrap_or_default();
        let children: BTreeSet<String> = names.iter().map(|name| child(path, name)).collect();
        self.put(node, tell)?;
        if depth(&self.root, path).is_none_or(|levels| levels >= self.depth) {
            return Ok(());
        }
        // It may have gone and come again since, with other children, and of that only the last is told.
        let known: Vec<String> = self
            .below(path)
            .filter(|known| depth(path, known) == Some(1))
            .cloned()
            .collect();
        for gone in known.iter().filter(|known| !children.contains(*known)) {
            self.forget(gone, tell)?;
        }
        for new in &children {
            if !self.nodes.contains_key(new) {
                self.scan(new, tell).await?;
            }
        }
        Ok(())
    }

    /// The highest node at or above `path` that is not known: nodes above one that is made come with it, and nothing is told of them.
    fn first_unknown(&self, path: &str) -> String {
        let mut first = path;
        while let Some(above) = Path::parse(first).ok().and_then(Path::parent)
            && depth(&self.root, above.as_str()).is_some()
            && !self.nodes.contains_key(above.as_str())
        {
            first = above.as_str();
        }
        first.to_owned()
    }

    /// Looks at a node and all below it.
    async fn scan(&mut self, path: &str, tell: &mut Tell<'_>) -> Result<(), Failure> {
        let levels = depth(&self.root, path).and_then(|levels| self.depth.checked_sub(levels));
        let Some(levels) = levels else {
            return Ok(());
        };
        let mut found = BTreeSet::new();
        let mut walk = Walk::new(self.tree, path, self.details, Some(levels));
        while let Some(node) = walk.next().await {
            match node.error() {
                Some(error) if error.is_not_found() => {}
                Some(error) => return Err(Failure::at(&node.path)(error)),
                None => {
                    found.insert(node.path.clone());
                    self.put(node, tell)?;
                }
            }
        }
        let gone: Vec<String> = self
            .below(path)
            .filter(|known| !found.contains(*known))
            .cloned()
            .collect();
        for path in gone {
            self.remove(&path, tell)?;
        }
        Ok(())
    }

    /// Looks at a node alone; `None` if it is not there.
    async fn look(&self, path: &str) -> Result<Option<Node>, Failure> {
        let mut walk = Walk::new(self.tree, path, self.details, Some(0));
        let node = walk.next().await;
        match node.as_ref().and_then(Node::error) {
            Some(error) if error.is_not_found() => Ok(None),
            Some(error) => Err(Failure::at(path)(error)),
            None => Ok(node),
        }
    }

    /// What is known at a path and below it.
    fn below(&self, path: &str) -> impl Iterator<Item = &String> {
        // Between them there may be others that begin with the same letters.
        let nodes = self
            .nodes
            .range::<str, _>((Bound::Included(path), Bound::Unbounded));
        let near = nodes
            .map(|(known, _)| known)
            .take_while(move |known| known.starts_with(path));
        near.filter(move |known| depth(path, known).is_some())
    }

    fn put(&mut self, node: Node, tell: &mut Tell<'_>) -> Result<(), Failure> {
        let permissions = node.permissions.and_then(Result::ok);
        let now = Seen {
            value: node.value.unwrap_or_default(),
            permissions: permissions.unwrap_or_default(),
        };
        match self.nodes.get(&node.path) {
            Some(before) if *before == now => return Ok(()),
            Some(before) => tell(Difference::Changed(&node.path, before, &now))?,
            None if self.nodes.len() >= MOST => {
                let why = format!(
                    "{}: over {MOST} nodes are too many to keep in view",
                    self.root
                );
                return Err(Failure::Other(why));
            }
            None => tell(Difference::Added(&node.path, &now))?,
        }
        self.nodes.insert(node.path, now);
        Ok(())
    }

    /// A node and all below it are gone.
    fn forget(&mut self, path: &str, tell: &mut Tell<'_>) -> Result<(), Failure> {
        let gone: Vec<String> = self.below(path).cloned().collect();
        for path in gone {
            self.remove(&path, tell)?;
        }
        Ok(())
    }

    fn remove(&mut self, path: &str, tell: &mut Tell<'_>) -> Result<(), Failure> {
        match self.nodes.remove(path) {
            Some(before) => tell(Difference::Removed(path, &before)),
            None => Ok(()),
        }
    }
}
