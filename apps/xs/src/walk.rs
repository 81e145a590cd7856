//! Walking over a node and all below it, in order, with bounded memory.

use std::collections::VecDeque;
use std::vec;

use morgana_exec::{join, join_all};
use morgana_xenstore_client::{Error, Permission, Tree};

use crate::natural;
use crate::path::child;

/// Nodes that are asked for at once: a round trip is far dearer than a request.
const AT_ONCE: usize = 16;

/// A node that was met.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) path: String,
    /// Levels below where the walk began.
    pub(crate) depth: usize,
    /// Whether no sibling comes after it.
    pub(crate) last: bool,
    pub(crate) value: Result<Vec<u8>, Error>,
    /// The children's names, in their order.
    pub(crate) children: Result<Vec<String>, Error>,
    /// `None` if they were not asked for.
    pub(crate) permissions: Option<Result<Vec<Permission>, Error>>,
}

impl Node {
    /// The last part of its path.
    pub(crate) fn name(&self) -> &str {
        let at = self.path.rfind('/').map_or(0, |slash| slash + 1);
        &self.path[at..]
    }

    /// Whether it was there when it was listed, and is not any more.
    fn has_gone(&self) -> bool {
        matches!(&self.value, Err(error) if error.is_not_found())
    }

    /// Why it cannot be looked at.
    pub(crate) fn error(&self) -> Option<Error> {
        let permissions = self.permissions.as_ref();
        let first = self.value.as_ref().err().or(self.children.as_ref().err());
        let error = first.or_else(|| permissions.and_then(|found| found.as_ref().err()));
        error.copied()
    }
}

/// What is asked of each node besides its value and its children.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Details {
    None,
    Permissions,
}

/// A walk under way: a node comes before what is below it. What disappears meanwhile is left out.
#[derive(Debug)]
pub(crate) struct Walk<'a> {
    tree: &'a Tree,
    details: Details,
    /// Levels below the first node that are visited.
    depth: usize,
    start: Option<String>,
    levels: Vec<Level>,
}

/// The children of a node that were not met yet.
#[derive(Debug)]
struct Level {
    path: String,
    names: vec::IntoIter<String>,
    fetched: VecDeque<Node>,
}

impl<'a> Walk<'a> {
    /// A walk over `path` and so many levels below it, or all.
    pub(crate) fn new(tree: &'a Tree, path: &str, details: Details, depth: Option<usize>) -> Self {
        Self {
            tree,
            details,
            depth: depth.unwrap_or(usize::MAX),
            start: Some(path.to_owned()),
            levels: Vec::new(),
        }
    }

    /// The next node; `None` at the end. Only where the walk begins a node that is not there is met.
    pub(crate) async fn next(&mut self) -> Option<Node> {
        let mut node = match self.start.take() {
            Some(path) => {
                let mut node = fetch(self.tree, path, self.details).await;
                node.last = true;
                node
            }
            None => self.below().await?,
        };
        node.depth = self.levels.len();
        if node.depth < self.depth
            && let Ok(names) = &node.children
        {
            self.levels.push(Level {
                path: node.path.clone(),
                names: names.clone().into_iter(),
                fetched: VecDeque::new(),
            });
        }
        Some(node)
    }

    /// The next node below the first one.
    async fn below(&mut self) -> Option<Node> {
        loop {
            let level = self.levels.last_mut()?;
            if level.fetched.is_empty() {
                let paths = level.names.by_ref().take(AT_ONCE);
                let paths: Vec<String> = paths.map(|name| child(&level.path, &name)).collect();
                if paths.is_empty() {
                    self.levels.pop();
                    continue;
                }
                let (tree, details) = (self.tree, self.details);
                let nodes = paths.into_iter().map(|path| fetch(tree, path, details));
                level.fetched = join_all(nodes).await.into();
                level.fetched.retain(|node| !node.has_gone());
            }
            if let Some(mut node) = level.fetched.pop_front() {
                node.last = level.fetched.is_empty() && level.names.len() == 0;
                return Some(node);
            }
        }
    }
}

/// Asks for all of a node at once.
async fn fetch(tree: &Tree, path: String, details: Details) -> Node {
    let permissions = async {
        match details {
            Details::None => None,
            Details::Permissions => Some(tree.permissions(&path).await),
        }
    };
    let both = join(tree.read(&path), tree.children(&path));
    let ((value, mut children), permissions) = join(both, permissions).await;
    if let Ok(names) = &mut children {
        names.sort_by(|a, b| natural::compare(a, b));
    }
    Node {
        path,
        depth: 0,
        last: false,
        value,
        children,
        permissions,
    }
}
