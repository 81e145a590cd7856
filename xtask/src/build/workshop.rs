//! The builds of a run that wants the same thing many times, and perhaps at several places at once: each is built once.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};

use super::{Image, Make, program_of, vchan_peer};
use crate::workspace::Workspace;

/// Builds, and remembers what it has built: nothing changes during a run.
#[derive(Debug)]
pub(crate) struct Workshop<'a> {
    workspace: &'a Workspace,
    make: Make,
    images: Shelf<Image>,
    programs: Shelf<PathBuf>,
}

impl<'a> Workshop<'a> {
    /// One that makes programs for Linux so.
    pub(crate) fn new(workspace: &'a Workspace, make: Make) -> Workshop<'a> {
        Workshop {
            workspace,
            make,
            images: Shelf::default(),
            programs: Shelf::default(),
        }
    }

    /// The workspace that things are built from.
    pub(crate) fn workspace(&self) -> &'a Workspace {
        self.workspace
    }

    /// The image of an app.
    pub(crate) fn image(&self, app: &str) -> Result<Image> {
        self.images.get(app, || {
            let images = Image::build(self.workspace, &[self.workspace.app(app)?])?;
            images.into_iter().next().context("nothing was built")
        })
    }

    /// The program of a package for Linux, which has the package's name.
    pub(crate) fn program(&self, package: &str) -> Result<PathBuf> {
        self.program_of(package, package)
    }

    /// The same of a package whose program has another name.
    pub(crate) fn program_of(&self, package: &str, name: &str) -> Result<PathBuf> {
        self.programs.get(name, || {
            program_of(self.workspace, self.make, package, name)
        })
    }

    /// The end of a vchan that libxenvchan makes.
    pub(crate) fn vchan_peer(&self) -> Result<PathBuf> {
        self.programs
            .get("vchan-peer", || vchan_peer(self.workspace))
    }
}

/// What was made, by name.
#[derive(Debug)]
struct Shelf<T> {
    places: Mutex<BTreeMap<String, Place<T>>>,
}

/// Whoever holds it makes the thing, if it is not there.
type Place<T> = Arc<Mutex<Option<T>>>;

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Shelf {
            places: Mutex::default(),
        }
    }
}

impl<T: Clone> Shelf<T> {
    /// The thing of this name; made if it is not there, and waited for if someone else makes it. What fails is tried again when it is asked for
    /// again.
    fn get(&self, name: &str, make: impl FnOnce() -> Result<T>) -> Result<T> {
        let place = {
            let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(places.entry(name.to_owned()).or_default())
        };
        let mut place = place.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(thing) = &*place {
            return Ok(thing.clone());
        }
        let thing = make()?;
        *place = Some(thing.clone());
        Ok(thing)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::thread;

    use anyhow::bail;

    use super::Shelf;

    #[test]
    fn makes_a_thing_once() {
        let (shelf, made) = (Shelf::default(), AtomicU32::new(0));
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let thing = shelf.get("one", || Ok(made.fetch_add(1, Ordering::Relaxed)));
                    assert_eq!(thing.unwrap(), 0);
                });
            }
        });
        assert_eq!(shelf.get("other", || Ok(7)).unwrap(), 7);
        assert_eq!(made.into_inner(), 1);
    }

    #[test]
    fn tries_again_what_failed() {
        let shelf = Shelf::default();
        assert!(shelf.get("one", || bail!("not now")).is_err());
        assert_eq!(shelf.get("one", || Ok(1)).unwrap(), 1);
    }
}
