//! Finding the vchans that domains offer.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::rc::Rc;
use alloc::string::String;
use core::convert::Infallible;

use morgana_block::BlockDevice;
use morgana_exec::{Handle, Seldom, Task};
use morgana_hal::{DomId, Platform};
use morgana_logs::OFFERS;
use morgana_xenstore_client::{Changed, KeyError};

use crate::server::Shared;
use crate::slot::Slot;

const HOMES: &str = "/local/domain";
/// The longest name of an offer.
const MAX_OFFER: usize = 32;

/// Where a domain offers a vchan: its number and the offer's name.
type Place = (DomId, String);

/// Starts a task for each place at which something is offered.
pub(crate) async fn find<P: Platform, D: BlockDevice + 'static>(
    shared: Rc<Shared<P, D>>,
    tasks: Handle,
) -> Result<Infallible, KeyError> {
    let at = KeyError::at(HOMES);
    let watch = shared.client.watch(HOMES).await.map_err(&at)?;
    let mut finder = Finder {
        shared: shared.clone(),
        tasks,
        slots: BTreeMap::new(),
        full: Seldom::default(),
    };
    loop {
        match watch.next().await.map_err(&at)? {
            Changed::Path(path) => {
                if let Some(place) = place(&path) {
                    finder.start(place);
                }
            }
            Changed::Anything => finder.look().await,
        }
    }
}

struct Finder<P: Platform, D: BlockDevice> {
    shared: Rc<Shared<P, D>>,
    tasks: Handle,
    slots: BTreeMap<Place, Task<()>>,
    /// That there are too many.
    full: Seldom,
}

/// A logger that is dropped serves nobody any longer.
impl<P: Platform, D: BlockDevice> Drop for Finder<P, D> {
    fn drop(&mut self) {
        for task in self.slots.values() {
            task.abort();
        }
    }
}

impl<P: Platform, D: BlockDevice + 'static> Finder<P, D> {
    /// Attends to a place, unless that is done already. It has its own watch from then on.
    fn start(&mut self, (domain, name): Place) {
        self.slots.retain(|_, task| !task.is_finished());
        let place = (domain, name);
        if self.slots.contains_key(&place) {
            return;
        }
        let options = &self.shared.options;
        let counted = (self.slots.len() < options.connections)
            .then(|| {
                self.shared
                    .domains
                    .connect(domain, options, self.shared.timers.now())
            })
            .flatten();
        let Some((known, counted)) = counted else {
            if let Some(times) = self.full.again() {
                let text = format!(
                    "{domain} has no further connection: there are as many as may be (time {times})"
                );
                self.shared.note(log::Level::Warn, text, domain);
            }
            return;
        };
        let slot = Slot::new(self.shared.clone(), domain, known, &place.1);
        let attend = async move {
            slot.attend().await;
            drop(counted);
        };
        match self.tasks.spawn(attend) {
            Ok(task) => drop(self.slots.insert(place, task)),
            Err(error) => log::error!("{domain} is not served: {error}"),
        }
    }

    /// Looks everywhere: more has changed than the watch could tell. Where this domain may not look, who offers will do so again.
    async fn look(&mut self) {
        let client = self.shared.client.clone();
        for number in client.children(HOMES).await.unwrap_or_default() {
            let Ok(domain) = number.parse().map(DomId::new) else {
                continue;
            };
            let offers = format!("{HOMES}/{number}/{OFFERS}");
            for name in client.children(&offers).await.unwrap_or_default() {
                if is_name(&name) {
                    self.start((domain, name));
                }
            }
        }
    }
}

/// Whose offer has changed, if one has.
fn place(path: &str) -> Option<Place> {
    let (number, rest) = path
        .strip_prefix(HOMES)?
        .strip_prefix('/')?
        .split_once('/')?;
    let offer = rest.strip_prefix(OFFERS)?.strip_prefix('/')?;
    let name = offer.split('/').next()?;
    let domain = DomId::new(number.parse().ok()?);
    is_name(name).then(|| (domain, name.into()))
}

fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    (1..=MAX_OFFER).contains(&name.len()) && name.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offers_are_told_from_all_else() {
        let found = |path| place(path).map(|(domain, name)| (domain.number(), name));
        assert_eq!(
            found("/local/domain/5/data/log/app/ring-ref"),
            Some((5, "app".into()))
        );
        assert_eq!(
            found("/local/domain/0/data/log/read-77"),
            Some((0, "read-77".into()))
        );
        for path in [
            "/local/domain",
            "/local/domain/5/data/log",
            "/local/domain/5/data/log/",
            "/local/domain/5/data/logs/app",
            "/local/domain/5/device/vif/0/data/log/app",
            "/local/domain/70000/data/log/app",
            "/local/domain/x/data/log/app",
            "/local/domain/5/data/log/a_b",
            "/local/domain/5/data/log/012345678901234567890123456789012",
        ] {
            assert_eq!(found(path), None, "{path}");
        }
    }
}
