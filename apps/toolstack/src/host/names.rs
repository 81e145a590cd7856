//! What domains are called, as far as is known: with many of them, to ask xenstored for all names takes longer than to make one domain.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::task::{Context, Poll, Waker};

use morgana_exec::join_all;
use morgana_hal::{DomId, DomainInfo};
use morgana_xenstore_client::{Client, Error, Watch, text};

use crate::nodes;

/// Names that were read, each with a watch that tells when somebody gives the domain another one (`xl rename`).
#[derive(Debug)]
pub struct Names {
    known: RefCell<BTreeMap<DomId, Known>>,
    kept: Kept,
}

/// Whether names are kept in mind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kept {
    Watched,
    Not,
}

#[derive(Debug)]
struct Known {
    /// The domain's: its number is another's one day.
    handle: [u8; 16],
    name: String,
    watch: Watch,
    /// Whether it is to be read again.
    stale: bool,
}

/// What is to be asked of a domain.
enum Unknown<'a> {
    /// All.
    Domain(&'a DomainInfo),
    /// The name that it was given.
    Name(&'a DomainInfo),
}

impl Names {
    /// For who asks many times: a name is read once, and again when it has changed. Each domain takes one of the client's watches; where there is none left, its name is read
    /// each time.
    pub fn watched() -> Self {
        Self {
            known: RefCell::default(),
            kept: Kept::Watched,
        }
    }

    /// For who asks once or twice: all names are read each time.
    pub fn unwatched() -> Self {
        Self {
            known: RefCell::default(),
            kept: Kept::Not,
        }
    }

    /// The names of these domains, which are all that there are, in the order of their numbers. It is empty if a domain has none.
    pub(super) async fn of(&self, client: &Client, infos: &[DomainInfo]) -> Vec<String> {
        if self.kept == Kept::Not {
            let paths: Vec<String> = infos.iter().map(path).collect();
            let told = client.read_each(&paths).await;
            return told
                .into_iter()
                .zip(&paths)
                .map(|(name, path)| text(path, name).unwrap_or_default())
                .collect();
        }
        self.forget_others(infos);
        let unknown: Vec<Unknown<'_>> = infos.iter().filter_map(|info| self.ask(info)).collect();
        let asked = unknown.iter().map(|unknown| self.learn(client, unknown));
        let mut told: BTreeMap<DomId, String> = join_all(asked).await.into_iter().collect();
        let known = self.known.borrow();
        let name = |info: &DomainInfo| match told.remove(&info.domain) {
            Some(name) => name,
            None => known
                .get(&info.domain)
                .map_or_else(String::new, |known| known.name.clone()),
        };
        infos.iter().map(name).collect()
    }

    /// Asks for a domain's name the next time.
    pub(super) fn forget(&self, domain: DomId) {
        if let Some(known) = self.known.borrow_mut().get_mut(&domain) {
            known.stale = true;
        }
    }

    /// Lets the watches go of those that are no more.
    fn forget_others(&self, infos: &[DomainInfo]) {
        self.known.borrow_mut().retain(|domain, known| {
            infos
                .binary_search_by_key(domain, |info| info.domain)
                .is_ok_and(|place| infos[place].handle == known.handle)
        });
    }

    /// What is to be asked of this domain, if anything.
    fn ask<'a>(&self, info: &'a DomainInfo) -> Option<Unknown<'a>> {
        match self.known.borrow_mut().get_mut(&info.domain) {
            None => Some(Unknown::Domain(info)),
            Some(known) => {
                known.stale |= has_changed(&known.watch);
                known.stale.then_some(Unknown::Name(info))
            }
        }
    }

    async fn learn(&self, client: &Client, unknown: &Unknown<'_>) -> (DomId, String) {
        let read = async |info: &DomainInfo| {
            let path = path(info);
            text(&path, client.read(&path).await).unwrap_or_default()
        };
        match unknown {
            Unknown::Name(info) => {
                let name = read(info).await;
                if let Some(known) = self.known.borrow_mut().get_mut(&info.domain) {
                    known.name.clone_from(&name);
                    known.stale = false;
                }
                (info.domain, name)
            }
            Unknown::Domain(info) => {
                // Set before the name is read, so a change meanwhile is told of.
                let watch = set(client, &path(info)).await;
                let name = read(info).await;
                if let Ok(watch) = watch {
                    let (handle, name) = (info.handle, name.clone());
                    let known = Known {
                        handle,
                        name,
                        watch,
                        stale: false,
                    };
                    self.known.borrow_mut().insert(info.domain, known);
                }
                (info.domain, name)
            }
        }
    }
}

fn path(info: &DomainInfo) -> String {
    format!("{}/name", nodes::home(info.domain))
}

/// A watch that has told what it tells at first.
async fn set(client: &Client, path: &str) -> Result<Watch, Error> {
    let watch = client.watch(path).await?;
    watch.next().await?;
    Ok(watch)
}

/// Whether the watch has told anything since the last time, if only that it has ended.
fn has_changed(watch: &Watch) -> bool {
    let mut changed = false;
    loop {
        match watch.poll_next(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(_)) => changed = true,
            Poll::Ready(Err(_)) => return true,
            Poll::Pending => return changed,
        }
    }
}
