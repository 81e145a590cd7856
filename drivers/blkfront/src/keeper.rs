//! What blkfront adds to the keeper of its disk.

use alloc::rc::Rc;
use core::cell::RefCell;
use core::convert::Infallible;
use core::fmt::Display;
use core::future::{pending, poll_fn};
use core::time::Duration;

use morgana_blkif::{Vdev, keys};
use morgana_exec::{Either, Timers, select};
use morgana_hal::Platform;
use morgana_xenbus::{CLOSE_TIMEOUT, Device, Kept, Role};

use crate::handshake::{ConnectError, Unsuitable, connect, geometry};
use crate::shared::Shared;
use crate::{Config, Link, Violation};

/// Why there is no connection.
pub type Parted = morgana_xenbus::Parted<Violation>;

pub(crate) struct Keeper<P: Platform> {
    pub(crate) platform: P,
    pub(crate) timers: Timers,
    pub(crate) vdev: Vdev,
    pub(crate) config: Config,
    pub(crate) shared: Rc<Shared<P>>,
    /// A connection that has ended, as long as the back end has not let go of its pages.
    pub(crate) parting: RefCell<Option<Link<P>>>,
}

impl<P: Platform> Keeper<P> {
    /// Puts a new connection where the device finds it.
    pub(crate) fn enter(&self, link: Link<P>) {
        let limits = link.limits();
        self.shared.enter(link);
        log::info!(
            "{}: connected, {} bytes, {} segments",
            self.vdev,
            self.shared.geometry.get().bytes(),
            limits.segments
        );
    }

    /// The device may have grown or shrunk.
    async fn look_at_size(&self, device: &Device) {
        let old = self.shared.geometry.get();
        match geometry(device).await {
            Ok(now) if now == old => {}
            Ok(now) if now.sector_size() == old.sector_size() => {
                log::info!("{}: now has {} bytes", self.vdev, now.bytes());
                self.shared.geometry.set(now);
            }
            Ok(_) => log::warn!("{}: sectors of another size are ignored", self.vdev),
            Err(error) => log::debug!("{}: {error}", self.vdev),
        }
    }
}

impl<P: Platform> Kept for Keeper<P> {
    const ROLE: Role = Role::Frontend;
    type Violation = Violation;
    type Unsuitable = Unsuitable;

    fn name(&self) -> impl Display {
        self.vdev
    }

    async fn connect(&self, device: &Device) -> Result<(), ConnectError> {
        let (link, geometry, features) =
            connect(&self.platform, device, &self.timers, &self.config).await?;
        let old = self.shared.geometry.get();
        if geometry.sector_size() != old.sector_size() {
            return Err(ConnectError::Unsuitable(Unsuitable::OtherSectorSize));
        }
        if geometry != old {
            log::warn!("{}: was {old:?}, is {geometry:?}", self.vdev);
        }
        self.shared.geometry.set(geometry);
        self.shared.features.set(features);
        self.enter(link);
        Ok(())
    }

    /// An abandoned device waits for what is under way, but not for ever.
    async fn over(&self) -> Option<Violation> {
        let served = poll_fn(|cx| self.shared.poll_serve(cx));
        let patience = async {
            self.abandoned().await;
            self.timers.sleep(CLOSE_TIMEOUT).await;
        };
        match select(served, patience).await {
            Either::First(over) => over,
            Either::Second(()) => None,
        }
    }

    /// Sees when the disk gets another size.
    async fn attend(&self, device: &Device) -> Infallible {
        let path = device.peer_path(keys::SECTORS);
        // As long as there is no such watch, a new size is seen at the next connection.
        let Ok(size) = device.client().watch(&path).await else {
            return pending().await;
        };
        loop {
            let there = size.next().await.is_ok();
            self.look_at_size(device).await;
            if !there {
                // Without xenstore the rings work all the same.
                self.timers.sleep(WITHOUT_XENSTORE).await;
            }
        }
    }

    async fn abandoned(&self) {
        self.shared.abandoned().await;
    }

    fn parted(&self, why: Parted) {
        self.shared.parted.set(Some(why));
    }

    async fn disconnect(&self) {
        *self.parting.borrow_mut() = self.shared.leave();
    }

    fn release(&self) {
        if let Some(link) = self.parting.take() {
            self.shared.park(link);
        }
    }
}

/// How long to wait before xenstore is asked again.
const WITHOUT_XENSTORE: Duration = Duration::from_secs(1);
