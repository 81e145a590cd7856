//! One interface, from its appearance to its end.

use alloc::format;
use alloc::rc::Rc;
use alloc::string::{String, ToString};
use core::time::Duration;

use morgana_bridge::{Bridge, Sources};
use morgana_exec::{Either, Handle, select};
use morgana_hal::Platform;
use morgana_net_device::{Device, MacAddr};
use morgana_netback::{BackendAddress, Netback};
use morgana_xenbus::Wish;
use morgana_xenstore_client::{Client, KeyError, Problem};

use crate::vifs::{Entry, PortDevice};
use crate::{Refused, SourcePolicy, Vif, Vifs};

/// How long an interface is left alone that could not be served.
const PAUSE: Duration = Duration::from_secs(10);

pub(crate) struct Service<P: Platform, U, B> {
    pub(crate) platform: P,
    pub(crate) client: Client,
    pub(crate) handle: Handle,
    pub(crate) vifs: Vifs<P, U>,
    pub(crate) bridge_for: B,
}

impl<P, U, B> Service<P, U, B>
where
    P: Platform,
    U: Device + 'static,
    B: Fn(&Vif) -> Result<Bridge<PortDevice<P, U>>, String>,
{
    /// Serves an interface until it is gone, or not wanted any more.
    pub(crate) async fn run(self: Rc<Self>, address: BackendAddress, wish: Wish) {
        let vif = match self.begin(address).await {
            Ok(vif) => vif,
            Err(error) => {
                let vif = Vif { address, mac: None };
                log::warn!("{vif}: not served: {error}");
                select(self.handle.timers().sleep(PAUSE), wish.ended()).await;
                return;
            }
        };
        log::info!("{vif}: served");
        let monitor = self
            .vifs
            .0
            .now
            .borrow()
            .get(&vif)
            .map(|entry| entry.monitor.clone());
        if let Some(monitor) = monitor {
            select(monitor.ended(), wish.ended()).await;
        }
        self.end(vif).await;
        log::info!("{vif}: not served any more");
    }

    /// Opens the device and makes it a port.
    async fn begin(&self, address: BackendAddress) -> Result<Vif, Refused> {
        let config = &self.vifs.0.config;
        let mac = match config.sources {
            SourcePolicy::Any => None,
            SourcePolicy::OwnAddress => Some(self.mac(address).await?),
        };
        let vif = Vif { address, mac };
        let bridge = (self.bridge_for)(&vif).map_err(Refused::Bridge)?;
        let (platform, client) = (&self.platform, &self.client);
        let device = Netback::open(platform, client, &self.handle, address, config.device).await?;
        let monitor = device.monitor();
        let sources = mac.map_or(Sources::Any, Sources::Only);
        match bridge.add(Either::First(device), sources) {
            Ok(port) => {
                let entry = Entry {
                    bridge,
                    port,
                    monitor,
                };
                self.vifs.0.now.borrow_mut().insert(vif, entry);
                Ok(vif)
            }
            Err(refused) => {
                let why = refused.to_string();
                close(refused.into_device()).await;
                Err(Refused::Bridge(why))
            }
        }
    }

    /// Takes the device out of its bridge, and closes it.
    async fn end(&self, vif: Vif) {
        let entry = self.vifs.0.now.borrow_mut().remove(&vif);
        if let Some(Entry { bridge, port, .. }) = entry
            && let Some((device, _)) = bridge.remove(port)
        {
            close(device).await;
        }
    }

    /// The address that the toolstack has given to the guest.
    async fn mac(&self, address: BackendAddress) -> Result<MacAddr, KeyError> {
        let (frontend, index) = (address.frontend.number(), address.index);
        let path = format!("backend/vif/{frontend}/{index}/mac");
        let text = self.client.read_text(&path).await?;
        MacAddr::from_xenstore(&text).map_err(|_| KeyError::new(&path, Problem::Unknown))
    }
}

async fn close<P: Platform, U>(device: PortDevice<P, U>) {
    if let Either::First(device) = device {
        device.close().await;
    }
}
