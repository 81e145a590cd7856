//! What blkback adds to the keeper of its disk.

use alloc::rc::Rc;
use core::cell::{Cell, RefCell};
use core::convert::Infallible;
use core::fmt;
use core::future::poll_fn;
use core::task::Poll;

use morgana_blkif::{Vdev, keys};
use morgana_block::BlockDevice;
use morgana_exec::{Either, Notify, Timers, select};
use morgana_hal::Platform;
use morgana_xenbus::{BackendAddress, Device, Kept, Role, State, XenbusError};

use crate::handshake::{ConnectError, Unsuitable, connect, sectors};
use crate::{Config, Link, Stats, Violation};

/// Why there is no connection.
pub type Parted = morgana_xenbus::Parted<Violation>;

/// What a disk's owner and its keeper share.
pub(crate) struct Shared {
    /// Tells the keeper that the disk is abandoned, or has another size.
    pub(crate) attention: Notify,
    pub(crate) abandoned: Cell<bool>,
    pub(crate) resized: Cell<bool>,
    pub(crate) parted: Cell<Parted>,
    pub(crate) connected: Cell<bool>,
    /// The counters of connections that have ended, and those of this one.
    pub(crate) past: Cell<Stats>,
    pub(crate) now: Cell<Stats>,
}

pub(crate) struct Keeper<P: Platform, D> {
    pub(crate) platform: P,
    pub(crate) timers: Timers,
    pub(crate) address: BackendAddress,
    pub(crate) disk: Rc<D>,
    pub(crate) config: Config,
    pub(crate) shared: Rc<Shared>,
    /// The connection, while there is one.
    pub(crate) link: RefCell<Option<Link<P, D>>>,
}

impl<P: Platform, D: BlockDevice + 'static> Keeper<P, D> {
    /// Moves requests and answers until the front end breaks the protocol.
    async fn serve(&self) -> Violation {
        poll_fn(|cx| {
            let mut link = self.link.borrow_mut();
            let Some(link) = link.as_mut() else {
                return Poll::Pending;
            };
            let served = link.poll(cx);
            self.shared.now.set(link.stats());
            served
        })
        .await
    }

    /// Tells the front end how large the disk is now.
    async fn tell_size(&self, device: &Device) {
        let size = [(keys::SECTORS, sectors(self.disk.as_ref()))];
        if let Err(error) = device.publish(State::Connected, &size).await {
            log::warn!("{}: cannot tell its size: {error}", self.name());
        }
    }
}

impl<P: Platform, D: BlockDevice + 'static> Kept for Keeper<P, D> {
    const ROLE: Role = Role::Backend;
    type Violation = Violation;
    type Unsuitable = Unsuitable;

    fn name(&self) -> impl fmt::Display {
        Name(self.address)
    }

    async fn connect(&self, device: &Device) -> Result<(), ConnectError> {
        let (platform, timers) = (&self.platform, &self.timers);
        let link = connect(platform, device, timers, &self.disk, &self.config).await?;
        log::info!("{}: connected", self.name());
        let mut past = self.shared.past.get();
        past.connections += 1;
        self.shared.past.set(past);
        self.shared.connected.set(true);
        *self.link.borrow_mut() = Some(link);
        Ok(())
    }

    async fn over(&self) -> Option<Violation> {
        match select(self.abandoned(), self.serve()).await {
            Either::First(()) => None,
            Either::Second(violation) => Some(violation),
        }
    }

    async fn attend(&self, device: &Device) -> Infallible {
        loop {
            let seen = self.shared.attention.count();
            if self.shared.resized.take() {
                self.tell_size(device).await;
            }
            self.shared.attention.after(seen).await;
        }
    }

    async fn is_wanted(&self, device: &Device) -> Result<bool, XenbusError> {
        device.is_online().await
    }

    async fn abandoned(&self) {
        loop {
            let seen = self.shared.attention.count();
            if self.shared.abandoned.get() {
                return;
            }
            self.shared.attention.after(seen).await;
        }
    }

    fn parted(&self, why: Parted) {
        self.shared.parted.set(why);
    }

    async fn disconnect(&self) {
        let Some(mut link) = self.link.take() else {
            return;
        };
        // The next front end must find everything done that this one has asked for.
        poll_fn(|cx| link.poll_drain(cx)).await;
        self.shared.connected.set(false);
        let past = self.shared.past.get().and(&link.stats());
        self.shared.past.set(past.without_gauges());
        self.shared.now.set(Stats::default());
    }
}

/// Which disk of which domain.
struct Name(BackendAddress);

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let vdev = Vdev::new(self.0.index);
        write!(f, "{vdev} of {}", self.0.frontend)
    }
}
