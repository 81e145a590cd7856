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
}

#[derive(Clone, Debug)]
struct Known {
    /// The domain's: its number is another's one day.
    handle: [u8; 16],
    name: String,
}

impl Names {
    /// The names of these domains, which are all that there are.
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
        let told = client.read_each(&paths).await;
        let known = &mut *self.known.borrow_mut();
        for (info, (path, name)) in unknown.iter().zip(paths.iter().zip(told)) {
            let name = text(path, name).unwrap_or_default();
            let handle = info.handle;
            known.remove(&info.domain);
            if !name.is_empty() {
                known.insert(info.domain, Known { handle, name });
            }
        }
        known.retain(|domain, _| infos.iter().any(|info| info.domain == *domain));
        let name = |info: &DomainInfo| known.get(&info.domain).map(|known| known.name.clone());
        infos
            .iter()
            .map(|info| name(info).unwrap_or_default())
            .collect()
    }

    /// Asks for a domain's name the next time.
    pub(super) fn forget(&self, domain: DomId) {
        self.known.borrow_mut().remove(&domain);
    }

    fn knows(&self, info: &DomainInfo) -> bool {
        let known = self.known.borrow();
        known
            .get(&info.domain)
            .is_some_and(|known| known.handle == info.handle)
    }
}
