//! How many domains are to be built ahead.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use morgana_exec::Notify;
use morgana_hal::Instant;

use super::problem::Problem;

/// Configurations of which domains are built ahead. Those beyond are refused.
const MOST: usize = 32;
/// Domains of one configuration.
const MOST_OF_ONE: usize = 256;

/// What is to be there, by configuration.
pub(super) struct Kept {
    wanted: RefCell<Vec<(PathBuf, usize)>>,
    /// One was taken, or more are wanted.
    pub(super) changed: Notify,
    /// Nothing is built before.
    rest: Cell<Instant>,
}

/// How long nothing is built after a service has begun: it has the machine for itself, and who asks the daemon needs not wait.
const REST: Duration = Duration::from_secs(2);

impl Default for Kept {
    fn default() -> Self {
        Self {
            wanted: RefCell::default(),
            changed: Notify::default(),
            rest: Cell::new(Instant::ZERO),
        }
    }
}

impl Kept {
    /// A service begins.
    pub(super) fn let_begin(&self, now: Instant) {
        self.rest.set(now + REST);
    }

    /// When building goes on.
    pub(super) fn rest(&self) -> Instant {
        self.rest.get()
    }

    /// From now on so many are wanted.
    pub(super) fn set(&self, config: &Path, count: usize) -> Result<(), Problem> {
        if count > MOST_OF_ONE {
            return Err(Problem::bad_request(format!(
                "no more than {MOST_OF_ONE} can be built ahead"
            )));
        }
        let wanted = &mut *self.wanted.borrow_mut();
        wanted.retain(|(path, _)| path != config);
        if wanted.len() == MOST {
            let why = format!("{MOST} configurations are kept already");
            return Err(Problem::bad_request(why));
        }
        if count > 0 {
            wanted.push((config.to_owned(), count));
        }
        self.changed.notify();
        Ok(())
    }

    /// How many are wanted of a configuration.
    pub(super) fn count(&self, config: &Path) -> usize {
        let wanted = self.wanted.borrow();
        let found = wanted.iter().find(|(path, _)| path == config);
        found.map_or(0, |(_, count)| *count)
    }

    /// What is wanted, and one at least for services of these configurations; those first, for nobody does a service's work until it is there again.
    pub(super) fn all_with<'a>(
        &self,
        services: impl IntoIterator<Item = &'a Path>,
    ) -> Vec<(PathBuf, usize)> {
        let mut all: Vec<(PathBuf, usize)> = Vec::new();
        let is_in =
            |all: &[(PathBuf, usize)], path: &Path| all.iter().any(|(other, _)| other == path);
        for path in services {
            if !is_in(&all, path) {
                all.push((path.to_owned(), self.count(path).max(1)));
            }
        }
        let mut others = self.all();
        others.retain(|(path, _)| !is_in(&all, path));
        all.append(&mut others);
        all
    }

    /// What is wanted.
    pub(super) fn all(&self) -> Vec<(PathBuf, usize)> {
        self.wanted.borrow().clone()
    }
}

/// Configurations of which kinds are remembered.
const MOST_KINDS: usize = 512;

/// Of which kind the domains are that were built ahead, by configuration: when that has changed, nobody takes them any more.
#[derive(Default)]
pub(super) struct Kinds(RefCell<BTreeMap<PathBuf, String>>);

impl Kinds {
    /// From now on they are of this kind. The one before is told, if there was another and no configuration has it any longer.
    pub(super) fn replace(&self, config: &Path, kind: &str) -> Option<String> {
        let kinds = &mut *self.0.borrow_mut();
        if kinds.len() == MOST_KINDS && !kinds.contains_key(config) {
            kinds.pop_first();
        }
        let old = kinds.insert(config.to_owned(), kind.to_owned())?;
        (!kinds.values().any(|other| *other == old)).then_some(old)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_kind_is_told_once() {
        let kinds = Kinds::default();
        let (one, other) = (Path::new("/one"), Path::new("/other"));
        assert_eq!(kinds.replace(one, "a"), None);
        assert_eq!(kinds.replace(one, "a"), None);
        assert_eq!(kinds.replace(other, "a"), None);
        // The other one is still of that kind.
        assert_eq!(kinds.replace(one, "b"), None);
        assert_eq!(kinds.replace(other, "b").as_deref(), Some("a"));
        assert_eq!(kinds.replace(other, "b"), None);
        for number in 0..2 * MOST_KINDS {
            kinds.replace(&PathBuf::from(format!("/{number}")), "c");
        }
        assert_eq!(kinds.0.borrow().len(), MOST_KINDS);
    }

    #[test]
    fn services_come_first() {
        let kept = Kept::default();
        let path = |name: &'static str| Path::new(name);
        kept.set(path("/web"), 5).unwrap();
        kept.set(path("/both"), 2).unwrap();
        let all = kept.all_with(["/one", "/both", "/one"].map(path));
        let wanted = [("/one", 1), ("/both", 2), ("/web", 5)];
        assert_eq!(all, wanted.map(|(name, count)| (name.into(), count)));
    }

    #[test]
    fn there_is_an_end_of_what_is_kept() {
        let kept = Kept::default();
        let path = |number: usize| PathBuf::from(format!("/{number}.cfg"));
        for number in 0..MOST {
            kept.set(&path(number), 1).unwrap();
        }
        assert!(kept.set(&path(MOST), 1).is_err());
        assert!(kept.set(&path(0), MOST_OF_ONE + 1).is_err());
        kept.set(&path(0), 0).unwrap();
        kept.set(&path(MOST), MOST_OF_ONE).unwrap();
        assert_eq!(kept.all().len(), MOST);
    }
}
