//! The task that serves one disk for as long as the toolstack wants it: front ends come, leave, and come again.
//!
//! ```text
//!                     keys are there                 leaves, or breaks the protocol
//! waiting (InitWait) ───────────────► Connected ─────────────────────────────────► parting ──► waiting …
//!     │                                                                               │
//!     └── abandoned, or not wanted any more ──► ended ◄───────────────────────────────┘
//! ```

use alloc::rc::Rc;
use core::cell::{Cell, RefCell};
use core::fmt;
use core::future::poll_fn;
use core::pin::pin;
use core::time::Duration;

use morgana_blkif::{Vdev, keys};
use morgana_block::BlockDevice;
use morgana_exec::{Either, Notify, Timers, select};
use morgana_hal::Platform;
use morgana_xenbus::{BackendAddress, Device, Event, State, XenbusError};
use morgana_xenstore_client::Problem;

use crate::handshake::{CONNECTED, ConnectError, connect, sectors};
use crate::{Config, Link, Stats, Violation};

/// Why there is no connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Parted {
    /// No front end has connected yet.
    NotYet,
    /// The front end has closed, or is gone.
    FrontendLeft(State),
    /// The front end broke the protocol.
    Violation(Violation),
    /// The toolstack has taken the device away, or does not want it any more. It does not come back.
    Removed,
    /// The device's keys in xenstore cannot be read, or make no sense.
    Xenstore,
    /// The device is closed.
    Abandoned,
}

impl fmt::Display for Parted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotYet => f.write_str("no front end has connected yet"),
            Self::FrontendLeft(state) => write!(f, "the front end is {state}"),
            Self::Violation(violation) => violation.fmt(f),
            Self::Removed => f.write_str("the device was removed"),
            Self::Xenstore => f.write_str("the device's keys are unreadable"),
            Self::Abandoned => f.write_str("the device was closed"),
        }
    }
}

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
}

impl<P: Platform, D: BlockDevice + 'static> Keeper<P, D> {
    /// Serves the device until it is abandoned, or not wanted any more.
    pub(crate) async fn run(self, device: Device) {
        loop {
            let why = match select(self.until_connected(&device), self.abandoned()).await {
                Either::First(Some(link)) => self.serve(&device, link).await,
                Either::First(None) => Parted::Removed,
                Either::Second(()) => Parted::Abandoned,
            };
            self.shared.parted.set(why);
            let name = Name(self.address);
            match why {
                Parted::Violation(_) | Parted::Xenstore => {
                    log::warn!("{name}: disconnected: {why}")
                }
                _ => log::info!("{name}: disconnected: {why}"),
            }
            if why == Parted::Removed {
                return;
            }
            if let Err(error) = device.close(&self.timers).await {
                log::warn!("{name}: cannot close in order: {error}");
            }
            if why == Parted::Abandoned || !self.is_wanted(&device).await {
                return;
            }
        }
    }

    /// Serves one front end; returns why that has ended.
    async fn serve(&self, device: &Device, link: Link<P, D>) -> Parted {
        log::info!("{}: connected", Name(self.address));
        let mut past = self.shared.past.get();
        past.connections += 1;
        self.shared.past.set(past);
        self.shared.connected.set(true);
        let link = RefCell::new(link);
        let why = self.until_parted(device, &link).await;
        let mut link = link.into_inner();
        // The next front end must find everything done that this one has asked for.
        poll_fn(|cx| link.poll_drain(cx)).await;
        self.shared.connected.set(false);
        let past = self.shared.past.get().and(&link.stats());
        self.shared.past.set(past.without_gauges());
        self.shared.now.set(Stats::default());
        why
    }

    /// Tries until a front end is connected. `None` if the device was removed.
    async fn until_connected(&self, device: &Device) -> Option<Link<P, D>> {
        let mut pause = FIRST_PAUSE;
        loop {
            let (platform, timers) = (&self.platform, &self.timers);
            match connect(platform, device, timers, &self.disk, &self.config).await {
                Ok(link) => return Some(link),
                Err(ConnectError::Xenbus(XenbusError::Removed | XenbusError::Moved)) => {
                    return None;
                }
                Err(error) => {
                    log::warn!("{}: cannot connect: {error}", Name(self.address));
                }
            }
            self.timers.sleep(pause).await;
            pause = (pause * 2).min(LAST_PAUSE);
        }
    }

    /// Serves until the end of the connection.
    async fn until_parted(&self, device: &Device, link: &RefCell<Link<P, D>>) -> Parted {
        let mut next = pin!(device.next());
        loop {
            let seen = self.shared.attention.count();
            if self.shared.abandoned.get() {
                return Parted::Abandoned;
            }
            if self.shared.resized.take() {
                self.tell_size(device).await;
            }
            let served = poll_fn(|cx| {
                let mut link = link.borrow_mut();
                let served = link.poll(cx);
                self.shared.now.set(link.stats());
                served
            });
            let changed = select(next.as_mut(), self.shared.attention.after(seen));
            match select(served, changed).await {
                Either::First(violation) => return Parted::Violation(violation),
                Either::Second(Either::Second(_)) => continue,
                // The toolstack does not give a back end another front end: it makes another back end.
                Either::Second(Either::First(Ok(Event::Removed | Event::Moved))) => {
                    return Parted::Removed;
                }
                Either::Second(Either::First(Ok(Event::Peer(state)))) => {
                    let reconfigures = [State::Reconfiguring, State::Reconfigured];
                    if !CONNECTED.contains(&state) && !reconfigures.contains(&state) {
                        return Parted::FrontendLeft(state);
                    }
                }
                Either::Second(Either::First(Err(error))) if is_transient(&error) => {
                    // Without xenstore the rings work all the same.
                    self.timers.sleep(FIRST_PAUSE).await;
                }
                Either::Second(Either::First(Err(_))) => return Parted::Xenstore,
            }
            next.set(device.next());
        }
    }

    /// Tells the front end how large the disk is now.
    async fn tell_size(&self, device: &Device) {
        let size = [(keys::SECTORS, sectors(self.disk.as_ref()))];
        if let Err(error) = device.publish(State::Connected, &size).await {
            log::warn!("{}: cannot tell its size: {error}", Name(self.address));
        }
    }

    /// Whether another front end may come.
    async fn is_wanted(&self, device: &Device) -> bool {
        match device.is_online().await {
            Ok(online) => online,
            Err(error) => {
                log::warn!("{}: {error}", Name(self.address));
                false
            }
        }
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
}

/// Which disk of which domain.
struct Name(BackendAddress);

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let vdev = Vdev::new(self.0.index);
        write!(f, "{vdev} of {}", self.0.frontend)
    }
}

/// Whether it is xenstored that does not answer, and not the other end that has written nonsense.
fn is_transient(error: &XenbusError) -> bool {
    match error {
        XenbusError::Request(_) => true,
        XenbusError::Key(error) => matches!(error.problem, Problem::Request(_)),
        _ => false,
    }
}

/// How long to wait after a first and a last of several failures, so that a front end which breaks everything does not cost much.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LAST_PAUSE: Duration = Duration::from_secs(64);
