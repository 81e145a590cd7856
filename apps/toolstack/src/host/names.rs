//! What domains are called, as far as is known: with many of them, to ask xenstored for all names takes longer than to make one domain.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use core::time::Duration;

use morgana_hal::{DomId, DomainInfo, Instant};
use morgana_xenstore_client::{Client, text};

use crate::nodes;

/// How long names are believed that were read: somebody else may give a domain another one (`xl rename`).
const BELIEVED: Duration = Duration::from_secs(5);

/// Names that were read. There is one for each domain, and none that is empty: such a domain is being made.
#[derive(Clone, Debug, Default)]
pub struct Names {
    known: RefCell<BTreeMap<DomId, Known>>,
    /// When all were forgotten last.
    since: Cell<Instant>,
    /// How often one was given away: what was asked before that may be told too late to be believed.
    given: Cell<u64>,
}

#[derive(Clone, Debug)]
struct Known {
    /// The domain's: its number is another's one day.
    handle: [u8; 16],
    name: String,
}

impl Names {
    /// The names of these domains, which are all that there are, in the order of their numbers.
    pub(super) async fn of(
        &self,
        client: &Client,
        infos: &[DomainInfo],
        now: Instant,
    ) -> Vec<String> {
        if now.since(self.since.get()) >= BELIEVED {
            self.known.borrow_mut().clear();
            self.since.set(now);
        }
        let unknown: Vec<&DomainInfo> = infos.iter().filter(|info| !self.knows(info)).collect();
        let path = |info: &&DomainInfo| format!("{}/name", nodes::home(info.domain));
        let paths: Vec<String> = unknown.iter().map(path).collect();
        let given = self.given.get();
        let told = client.read_each(&paths).await;
        let names = told
            .into_iter()
            .zip(&paths)
            .map(|(name, path)| text(path, name).unwrap_or_default());
        let told: BTreeMap<DomId, String> =
            unknown.iter().map(|info| info.domain).zip(names).collect();
        let known = &mut *self.known.borrow_mut();
        if self.given.get() == given {
            for info in unknown {
                known.remove(&info.domain);
                if let Some(name) = told.get(&info.domain).filter(|name| !name.is_empty()) {
                    let (handle, name) = (info.handle, name.clone());
                    known.insert(info.domain, Known { handle, name });
                }
            }
        }
        known.retain(|domain, _| {
            infos
                .binary_search_by_key(domain, |info| info.domain)
                .is_ok()
        });
        let name = |info: &DomainInfo| match told.get(&info.domain) {
            Some(name) => name.clone(),
            None => known
                .get(&info.domain)
                .map_or_else(String::new, |known| known.name.clone()),
        };
        infos.iter().map(name).collect()
    }

    /// Asks for a domain's name the next time.
    pub(super) fn forget(&self, domain: DomId) {
        self.known.borrow_mut().remove(&domain);
        self.given.set(self.given.get() + 1);
    }

    fn knows(&self, info: &DomainInfo) -> bool {
        let known = self.known.borrow();
        known
            .get(&info.domain)
            .is_some_and(|known| known.handle == info.handle)
    }
}
