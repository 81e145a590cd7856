//! What netback adds to the keeper of its device.

use alloc::rc::Rc;
use core::fmt;

use morgana_exec::Timers;
use morgana_hal::Platform;
use morgana_xenbus::{BackendAddress, Device, Kept, Role, XenbusError};

use crate::handshake::{ConnectError, Unsuitable, connect};
use crate::netback::Shared;
use crate::{Config, Link, Violation};

/// Why there is no connection.
pub type Parted = morgana_xenbus::Parted<Violation>;

pub(crate) struct Keeper<P: Platform> {
    pub(crate) platform: P,
    pub(crate) timers: Timers,
    pub(crate) address: BackendAddress,
    pub(crate) config: Config,
    pub(crate) shared: Rc<Shared<P>>,
}

impl<P: Platform> Kept for Keeper<P> {
    const ROLE: Role = Role::Backend;
    type Violation = Violation;
    type Unsuitable = Unsuitable;

    fn name(&self) -> impl fmt::Display {
        Name(self.address)
    }

    async fn connect(&self, device: &Device) -> Result<(), ConnectError> {
        let link = connect(&self.platform, device, &self.timers, &self.config).await?;
        self.shared.parted.set(Parted::NotYet);
        self.shared.count_connection();
        self.shared.joint.put_in_time(&self.timers, link).await;
        log::info!("{}: connected", self.name());
        Ok(())
    }

    async fn over(&self) -> Option<Violation> {
        self.shared.joint.over(Link::violation).await
    }

    async fn is_wanted(&self, device: &Device) -> Result<bool, XenbusError> {
        device.is_online().await
    }

    async fn abandoned(&self) {
        self.shared.joint.abandoned().await;
    }

    fn parted(&self, why: Parted) {
        self.shared.parted.set(why);
        // Whoever waits for a front end that never came would wait for ever.
        self.shared.joint.tell();
    }

    async fn disconnect(&self) {
        let link = self.shared.joint.take_in_time(&self.timers).await;
        self.shared.retire(&link);
    }
}

/// As xl calls the interface: `vif1.0`.
struct Name(BackendAddress);

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "vif{}.{}", self.0.frontend.number(), self.0.index)
    }
}
