//! The interfaces that are served, and how they do.

use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::convert::Infallible;
use core::fmt;

use morgana_bridge::{Bridge, PortId, PortStats};
use morgana_exec::{Either, Handle};
use morgana_hal::Platform;
use morgana_net_device::{Device, MacAddr};
use morgana_netback::{BackendAddress, Monitor, Netback, Stats};
use morgana_xenbus::attend;
use morgana_xenstore_client::Client;

use crate::service::Service;
use crate::{Config, ServeError};

/// An interface of another domain, served here.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Vif {
    /// Whose it is, and its number there.
    pub address: BackendAddress,
    /// Its Ethernet address, if only that may send.
    pub mac: Option<MacAddr>,
}

impl fmt::Display for Vif {
    /// As xl calls it: `vif1.0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let BackendAddress { frontend, index } = self.address;
        write!(f, "vif{}.{index}", frontend.number())
    }
}

/// How an interface does.
#[derive(Clone, Copy, Debug)]
pub struct VifStats {
    /// Which it is.
    pub vif: Vif,
    /// Whether its front end is connected.
    pub connected: bool,
    /// What its back end has counted.
    pub device: Stats,
    /// What its port has counted.
    pub port: PortStats,
}

/// A port with an interface of another domain, or with what the bridges have besides.
pub(crate) type PortDevice<P, U> = Either<Netback<P>, U>;

/// The interfaces that are served. Cheap to clone; all clones are the same.
pub struct Vifs<P: Platform, U>(pub(crate) Rc<Inner<P, U>>);

pub(crate) struct Inner<P: Platform, U> {
    pub(crate) config: Config,
    pub(crate) now: RefCell<BTreeMap<Vif, Entry<P, U>>>,
}

pub(crate) struct Entry<P: Platform, U> {
    pub(crate) bridge: Bridge<PortDevice<P, U>>,
    pub(crate) port: PortId,
    pub(crate) monitor: Monitor<P>,
}

impl<P: Platform, U: Device + 'static> Vifs<P, U> {
    /// Nothing is served yet.
    pub fn new(config: Config) -> Self {
        let now = RefCell::default();
        Self(Rc::new(Inner { config, now }))
    }

    /// Serves all interfaces that there are and that will be. `bridge_for` names the bridge of each, before its front end is told that somebody
    /// serves it; the bridge is held as long as the interface is served. Its error is logged.
    ///
    /// # Errors
    ///
    /// [`ServeError`]. It does not return otherwise; what is served then goes on.
    pub async fn serve(
        &self,
        platform: &P,
        client: &Client,
        handle: &Handle,
        bridge_for: impl Fn(&Vif) -> Result<Bridge<PortDevice<P, U>>, String> + 'static,
    ) -> Result<Infallible, ServeError> {
        let service = Rc::new(Service {
            platform: platform.clone(),
            client: client.clone(),
            handle: handle.clone(),
            vifs: self.clone(),
            bridge_for,
        });
        let Config {
            interfaces,
            directories,
            ..
        } = self.0.config;
        let serve = move |address, wish| service.clone().run(address, wish);
        attend(client, handle, "vif", interfaces, directories, serve)
            .await
            .map_err(ServeError)
    }

    /// How all interfaces do that are served now, by domain and number.
    pub fn stats(&self) -> Vec<VifStats> {
        let now = self.0.now.borrow();
        now.iter()
            .map(|(&vif, entry)| VifStats {
                vif,
                connected: entry.monitor.is_connected(),
                device: entry.monitor.stats(),
                port: entry.bridge.stats(entry.port).unwrap_or_default(),
            })
            .collect()
    }
}

impl<P: Platform, U> Clone for Vifs<P, U> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<P: Platform, U> fmt::Debug for Vifs<P, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let now = self.0.now.borrow();
        f.debug_set().entries(now.keys()).finish()
    }
}
