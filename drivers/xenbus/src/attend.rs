//! All back ends of a kind: each is served as long as the toolstack wants it, and those that come later too.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::rc::Rc;
use core::cell::{Cell, RefCell};
use core::convert::Infallible;
use core::future::{Future, poll_fn};
use core::task::Poll;
use core::time::Duration;

use morgana_exec::{Either, Handle, Notify, select};
use morgana_hal::DomId;
use morgana_xenstore_client::{Changed, Client, Error, Watch};

use crate::BackendAddress;
use crate::directory::{backend_path, backends};

/// How long to wait after one end of a device's service before the next begin, so that a device which cannot be served does not cost much.
const PAUSE: Duration = Duration::from_secs(1);

/// Who takes a back end's directory away once the device is given up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Directories {
    /// The toolstack, which is in the same domain.
    LeftToToolstack,
    /// The back end: the toolstack of another domain waits for that (libxl, which leaves the directory to driver domains).
    RemovedHere,
}

/// Whether a device is still wanted, for whoever serves it.
#[derive(Clone, Debug, Default)]
pub struct Wish(Rc<WishState>);

#[derive(Debug, Default)]
struct WishState {
    ended: Cell<bool>,
    changed: Notify,
}

impl Wish {
    /// Waits until the toolstack does not want the device any more.
    pub async fn ended(&self) {
        loop {
            let seen = self.0.changed.count();
            if self.0.ended.get() {
                return;
            }
            self.0.changed.after(seen).await;
        }
    }

    fn end(&self) {
        self.0.ended.set(true);
        self.0.changed.notify();
    }
}

/// Runs `serve` for each back end of `kind` (`vif`, `vbd`) that the toolstack has given to this domain and wants to be `online`, each
/// in a task of its own, one at a time for each address. It is to return when the device is gone, or not wanted any more. If the device is
/// wanted after that, it runs again, a second later. At most `limit` devices are served at once; others wait for a change of theirs.
///
/// Returns only with an error of the connection to xenstored; devices that are served then go on.
///
/// # Errors
///
/// [`Error`].
pub async fn attend<F>(
    client: &Client,
    handle: &Handle,
    kind: &'static str,
    limit: usize,
    directories: Directories,
    serve: impl Fn(BackendAddress, Wish) -> F,
) -> Result<Infallible, Error>
where
    F: Future<Output = ()> + 'static,
{
    let attendance = Attendance {
        client: client.clone(),
        handle: handle.clone(),
        kind,
        limit,
        directories,
        served: Rc::default(),
    };
    let watch = client.watch(&alloc::format!("backend/{kind}")).await?;
    let ended = &attendance.served.ended;
    let mut look = Look::default();
    loop {
        let seen = ended.count();
        look.some.append(&mut attendance.served.left.borrow_mut());
        for address in look.addresses(client, kind).await? {
            attendance.look(address, &serve).await?;
        }
        look = match select(changes(&watch, kind), ended.after(seen)).await {
            Either::First(look) => look?,
            Either::Second(_) => Look::default(),
        };
    }
}

struct Attendance {
    client: Client,
    handle: Handle,
    kind: &'static str,
    limit: usize,
    directories: Directories,
    served: Rc<Served>,
}

/// The devices that have a task.
#[derive(Default)]
struct Served {
    now: RefCell<BTreeMap<BackendAddress, Wish>>,
    /// Those whose service has ended, to be looked at again.
    left: RefCell<BTreeSet<BackendAddress>>,
    ended: Notify,
}

impl Attendance {
    /// Begins or ends a device's service, if that is due.
    async fn look<F>(
        &self,
        address: BackendAddress,
        serve: &impl Fn(BackendAddress, Wish) -> F,
    ) -> Result<(), Error>
    where
        F: Future<Output = ()> + 'static,
    {
        let Self { kind, limit, .. } = self;
        let wanted = is_wanted(&self.client, kind, address).await?;
        let wish = self.served.now.borrow().get(&address).cloned();
        match wish {
            Some(wish) if !wanted => wish.end(),
            None if wanted && self.served.now.borrow().len() >= *limit => {
                log::warn!("{kind} of {}: {limit} are served already", address.frontend);
            }
            None if wanted => self.begin(address, serve),
            _ => {}
        }
        Ok(())
    }

    fn begin<F>(&self, address: BackendAddress, serve: &impl Fn(BackendAddress, Wish) -> F)
    where
        F: Future<Output = ()> + 'static,
    {
        let wish = Wish::default();
        self.served.now.borrow_mut().insert(address, wish.clone());
        let service = serve(address, wish);
        let (served, client, kind) = (self.served.clone(), self.client.clone(), self.kind);
        let (timers, directories) = (self.handle.timers(), self.directories);
        let task = async move {
            service.await;
            timers.sleep(PAUSE).await;
            if directories == Directories::RemovedHere
                && let Err(error) = tidy(&client, kind, address).await
            {
                log::warn!(
                    "{kind} of {}: its directory stays: {error}",
                    address.frontend
                );
            }
            served.now.borrow_mut().remove(&address);
            served.left.borrow_mut().insert(address);
            served.ended.notify();
        };
        if self.handle.spawn(task).is_err() {
            self.served.now.borrow_mut().remove(&address);
            log::warn!(
                "{kind} of {}: no task is left to serve it",
                address.frontend
            );
        }
    }
}

/// What is to be looked at.
#[derive(Default)]
struct Look {
    all: bool,
    some: BTreeSet<BackendAddress>,
}

impl Look {
    fn note(&mut self, changed: &Changed, kind: &str) {
        match changed {
            Changed::Path(path) => match concern(path, kind) {
                Concern::Device(address) => {
                    self.some.insert(address);
                }
                Concern::All => self.all = true,
                Concern::None => {}
            },
            Changed::Anything => self.all = true,
        }
    }

    async fn addresses(
        self,
        client: &Client,
        kind: &str,
    ) -> Result<BTreeSet<BackendAddress>, Error> {
        let mut addresses = self.some;
        if self.all {
            addresses.extend(backends(client, kind).await?);
        }
        Ok(addresses)
    }
}

/// Waits for changes, and takes all that are known.
async fn changes(watch: &Watch, kind: &str) -> Result<Look, Error> {
    let mut look = Look::default();
    look.note(&watch.next().await?, kind);
    poll_fn(|cx| {
        while let Poll::Ready(changed) = watch.poll_next(cx) {
            look.note(&changed?, kind);
        }
        Poll::Ready(Ok(()))
    })
    .await
    .map(|()| look)
}

/// What a changed path says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Concern {
    /// Whether this device is there, or wanted.
    Device(BackendAddress),
    /// The same of several devices.
    All,
    /// What the two ends settle between themselves.
    None,
}

/// Reads `backend/KIND/FRONTEND/INDEX/KEY`, or the beginning of that.
fn concern(path: &str, kind: &str) -> Concern {
    let mut parts = path.split('/').skip(1);
    let (Some(found), Some(frontend), Some(index)) = (parts.next(), parts.next(), parts.next())
    else {
        return Concern::All;
    };
    let (Ok(frontend), Ok(index)) = (frontend.parse(), index.parse()) else {
        return Concern::None;
    };
    let address = BackendAddress {
        frontend: DomId::new(frontend),
        index,
    };
    match parts.next() {
        _ if found != kind => Concern::None,
        None | Some("online") => Concern::Device(address),
        Some(_) => Concern::None,
    }
}

/// Whether the toolstack wants the device.
async fn is_wanted(client: &Client, kind: &str, address: BackendAddress) -> Result<bool, Error> {
    let online = alloc::format!("{}/online", backend_path(kind, address));
    match client.read(&online).await {
        Ok(value) => Ok(value == b"1"),
        // What is not there, or not ours, is no device of ours.
        Err(Error::Refused(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Removes the directory of a device that is not wanted any more. Those above it are the toolstack's.
async fn tidy(client: &Client, kind: &str, address: BackendAddress) -> Result<(), Error> {
    let own = backend_path(kind, address);
    let online = alloc::format!("{own}/online");
    let removed = client.transaction(async |tree| {
        if tree.read(&online).await? == b"1" {
            return Ok(());
        }
        tree.remove(&own).await
    });
    match removed.await {
        Err(error) if error.is_not_found() => Ok(()),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_the_device_that_may_have_come_or_gone() {
        let found = |path| concern(path, "vif");
        let device = Concern::Device(BackendAddress {
            frontend: DomId::new(5),
            index: 7,
        });
        for (path, expected) in [
            ("backend/vif/5/7", device),
            ("backend/vif/5/7/online", device),
            ("backend/vif/5/7/state", Concern::None),
            ("backend/vif/5", Concern::All),
            ("backend/vif", Concern::All),
            ("backend", Concern::All),
            ("backend/vif/x/7", Concern::None),
            ("backend/vif/5/-1/online", Concern::None),
            ("backend/vbd/5/7", Concern::None),
        ] {
            assert_eq!(found(path), expected, "{path}");
        }
    }
}
