//! What netfront adds to the keeper of its device.

use alloc::boxed::Box;
use alloc::rc::Rc;
use core::cell::{Cell, RefCell};
use core::fmt::Display;
use core::future::pending;
use core::time::Duration;

use morgana_exec::{Either, Timers, select};
use morgana_hal::Platform;
use morgana_netif::SegmentationOffload;
use morgana_xenbus::{Device, Kept, Role, State};
use morgana_xenstore_client::Client;

use crate::handshake::{ConnectError, Interface, Unsuitable, connect, interface};
use crate::link::Hearing;
use crate::netfront::Shared;
use crate::{Config, Link, Violation};

/// Why there is no connection.
pub type Parted = morgana_xenbus::Parted<Violation>;

/// How far a connection is.
#[derive(Clone, Copy)]
pub(crate) enum Phase {
    /// The back end has been told all and is connecting.
    Joining,
    /// It has said that it is connected.
    Joined,
}

pub(crate) struct Keeper<P: Platform> {
    pub(crate) platform: P,
    pub(crate) client: Client,
    pub(crate) timers: Timers,
    pub(crate) index: u32,
    pub(crate) config: Config,
    pub(crate) interface: Interface,
    pub(crate) max_frame: usize,
    pub(crate) segmentation: SegmentationOffload,
    pub(crate) shared: Rc<Shared<P>>,
    pub(crate) phase: Cell<Phase>,
    /// A connection that has ended, as long as the back end has not let go of its pages.
    pub(crate) parting: RefCell<Option<Box<Link<P>>>>,
}

impl<P: Platform> Keeper<P> {
    /// Puts a new connection where the device finds it.
    pub(crate) async fn enter(&self, link: Box<Link<P>>) {
        self.phase.set(Phase::Joining);
        self.shared.parted.set(None);
        self.shared.count_connection();
        self.shared.joint.put_in_time(&self.timers, link).await;
    }

    /// The back end says that it is connected. Only now it is shown the rings.
    fn joined(&self) {
        self.phase.set(Phase::Joined);
        log::info!("{}: connected", self.name());
        if let Some(mut link) = self.shared.joint.link() {
            link.begin();
        }
    }
}

impl<P: Platform> Keeper<P> {
    /// Waits until it is plain that the back end has taken nothing of what was sent, from the first frame on. To connect anew helps then: Linux's netback may lose its interrupt while it connects
    /// (`xenvif_connect_data`).
    async fn deaf(&self) {
        let mut last = Hearing::NothingSent;
        loop {
            self.timers.sleep(LOOK).await;
            let now = match self.shared.joint.link() {
                Some(mut link) => link.hearing(),
                None => Hearing::NothingSent,
            };
            match (last, now) {
                (_, Hearing::Something) => pending().await,
                (Hearing::Nothing, Hearing::Nothing) => return,
                _ => last = now,
            }
        }
    }
}

/// How often it is looked whether the back end takes anything, until it has. Twice in vain is enough.
const LOOK: Duration = Duration::from_secs(2);

impl<P: Platform> Kept for Keeper<P> {
    const ROLE: Role = Role::Frontend;
    type Violation = Violation;
    type Unsuitable = Unsuitable;

    fn name(&self) -> impl Display {
        Name(self.index)
    }

    async fn connect(&self, device: &Device) -> Result<(), ConnectError> {
        let (platform, timers) = (&self.platform, &self.timers);
        let now = interface(&self.client, self.index).await?;
        if now != self.interface {
            let Interface { mac, mtu } = now;
            log::warn!(
                "{}: now has address {mac} and MTU {mtu}, and goes on with the old ones",
                self.name()
            );
        }
        let mut link = connect(platform, device, timers, &self.config, self.interface.mtu).await?;
        if link.max_frame() < self.max_frame {
            return Err(ConnectError::Unsuitable(Unsuitable::ShorterFrames));
        }
        link.promise(self.segmentation);
        self.enter(link).await;
        Ok(())
    }

    async fn over(&self) -> Option<Violation> {
        match select(self.shared.joint.over(Link::violation), self.deaf()).await {
            Either::First(over) => over,
            Either::Second(()) => Some(Violation::Deaf),
        }
    }

    /// The connection begins while the back end is still connecting.
    fn lasts_in(&self, state: State) -> bool {
        match self.phase.get() {
            Phase::Joining if state == State::Connected => self.joined(),
            Phase::Joining if matches!(state, State::InitWait | State::Initialised) => {}
            _ => return state.is_connected(),
        }
        true
    }

    async fn abandoned(&self) {
        self.shared.joint.abandoned().await;
    }

    fn parted(&self, why: Parted) {
        self.shared.parted.set(Some(why));
    }

    async fn disconnect(&self) {
        let link = self.shared.joint.take_in_time(&self.timers).await;
        self.shared.retire(&link);
        *self.parting.borrow_mut() = Some(link);
    }

    fn release(&self) {
        self.parting.take();
    }
}

/// `vif 0`.
struct Name(u32);

impl Display for Name {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "vif {}", self.0)
    }
}
