//! Who wants to hear of what.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::rc::Rc;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::ops::Bound;

use morgana_hal::DomId;
use morgana_xenstore_wire::Path;

use crate::ConnectionId;

#[derive(Clone, Debug)]
pub(crate) struct Watch {
    pub(crate) connection: ConnectionId,
    pub(crate) token: Rc<str>,
    /// How many bytes of the absolute path the client did not write, since it gave a relative one.
    pub(crate) prefix: usize,
    /// How many levels below the path count; `None` is all.
    pub(crate) depth: Option<u32>,
}

/// Which watches of a special event are meant: docs/misc/xenstore.txt makes two of each.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Scope {
    /// Those of the event whichever domain it is of.
    All,
    /// Those that want to know the domain.
    One(DomId),
}

/// All watches, by absolute path.
#[derive(Debug, Default)]
pub(crate) struct Watches(BTreeMap<Rc<str>, Vec<Watch>>);

impl Watches {
    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }

    /// False if the same connection has the same path and token already.
    pub(crate) fn add(&mut self, path: &Rc<str>, watch: Watch) -> bool {
        let here = self.0.entry(path.clone()).or_default();
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
        here.retain(|watch| watch.connection != connection || *watch.token != *token);
        let removed = here.len() < before;
        if here.is_empty() {
            self.0.remove(path);
        }
        removed
    }

    /// How deep the watch of `connection` with this path and token looks; `None` is all the way.
    pub(crate) fn depth(&self, path: &str, connection: ConnectionId, token: &str) -> Option<u32> {
        let here = self.0.get(path)?;
        let watch = here
            .iter()
            .find(|watch| watch.connection == connection && *watch.token == *token);
        watch?.depth
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

    /// The watches that a special event counts for, with the path that each of them hears. Where a domain is named, the event is
    /// `NAME/DOMID`, for those who watch for just that domain, or for all with a depth of 1 or more; the other watches of `NAME`
    /// hear of it by its name alone.
    pub(crate) fn special<'a>(
        &'a self,
        name: &'a str,
        scope: Scope,
    ) -> impl Iterator<Item = (String, &'a Watch)> {
        let one = match scope {
            Scope::All => None,
            Scope::One(domain) => Some(format!("{name}/{}", domain.number())),
        };
        let exact = one.as_ref().and_then(|path| self.0.get(path.as_str()));
        let path = one.clone().unwrap_or_else(|| name.into());
        let is_domain = one.is_some();
        let here = self.0.get(name).into_iter().flatten();
        here.filter(move |watch| match watch.depth {
            None => !is_domain,
            Some(depth) => is_domain && depth > 0,
        })
        .chain(exact.into_iter().flatten())
        .map(move |watch| (path.clone(), watch))
    }

    /// The watches below `path`, with their paths.
    pub(crate) fn below<'a>(
        &'a self,
        path: &'a str,
    ) -> impl Iterator<Item = (&'a Rc<str>, &'a Watch)> {
        // The children's paths are those that go on with a slash.
        let start = path.to_string() + "/";
        let range = (Bound::Included(&*start), Bound::Unbounded);
        self.0
            .range::<str, _>(range)
            .take_while(move |(path, _)| path.starts_with(&start))
            .flat_map(|(path, here)| here.iter().map(move |watch| (path, watch)))
    }
}
