//! Who wants to hear of what.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::ops::Bound;

use morgana_xenstore_wire::Path;

use crate::ConnectionId;

#[derive(Clone, Debug)]
pub(crate) struct Watch {
    pub(crate) connection: ConnectionId,
    pub(crate) token: String,
    /// How many bytes of the absolute path the client did not write, since it gave a relative one.
    pub(crate) prefix: usize,
    /// How many levels below the path count; `None` is all.
    pub(crate) depth: Option<u32>,
}

/// All watches, by absolute path.
#[derive(Debug, Default)]
pub(crate) struct Watches(BTreeMap<String, Vec<Watch>>);

impl Watches {
    /// False if the same connection has the same path and token already.
    pub(crate) fn add(&mut self, path: &str, watch: Watch) -> bool {
        let here = self.0.entry(path.to_string()).or_default();
        let is_there = here
            .iter()
            .any(|other| other.connection == watch.connection && other.token == watch.token);
        if !is_there {
            here.push(watch);
        }
        !is_there
    }

    /// False if there is no such watch.
    pub(crate) fn remove(&mut self, path: &str, connection: ConnectionId, token: &str) -> bool {
        let Some(here) = self.0.get_mut(path) else {
            return false;
        };
        let before = here.len();
        here.retain(|watch| watch.connection != connection || watch.token != token);
        let removed = here.len() < before;
        if here.is_empty() {
            self.0.remove(path);
        }
        removed
    }

    pub(crate) fn remove_all(&mut self, connection: ConnectionId) {
        self.0.retain(|_, here| {
            here.retain(|watch| watch.connection != connection);
            !here.is_empty()
        });
    }

    /// The watches at or above `path`, to which a change of it counts, from the root down.
    pub(crate) fn at_or_above<'a>(&'a self, path: Path<'a>) -> impl Iterator<Item = &'a Watch> {
        let mut above: Vec<Path<'a>> =
            core::iter::successors(Some(path), |path| path.parent()).collect();
        above.reverse();
        let levels = above.len();
        above.into_iter().enumerate().flat_map(move |(level, at)| {
            let below = levels - 1 - level;
            let here = self.0.get(at.as_str()).into_iter().flatten();
            here.filter(move |watch| watch.depth.is_none_or(|depth| below <= depth as usize))
        })
    }

    /// The watches below `path`, with their paths.
    pub(crate) fn below<'a>(&'a self, path: &'a str) -> impl Iterator<Item = (&'a str, &'a Watch)> {
        // The children's paths are those that go on with a slash.
        let start = path.to_string() + "/";
        let range = (Bound::Included(start.clone()), Bound::Unbounded);
        self.0
            .range(range)
            .take_while(move |(path, _)| path.starts_with(&start))
            .flat_map(|(path, here)| here.iter().map(|watch| (path.as_str(), watch)))
    }
}
