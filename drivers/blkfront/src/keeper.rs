//! The task that keeps a front end connected: it moves requests and answers, sees back ends go, lets go in order, and connects to those that come.
//!
//! ```text
//!              back end leaves, or breaks the protocol
//! Connected ─────────────────────────────────────────► parting ──► waiting ──► Connected …
//!     │                                                   │           │
//!     └── device abandoned ──► parting ──► ended          └───────────┴── device abandoned ──► ended
//! ```

use alloc::format;
use alloc::rc::Rc;
use core::fmt;
use core::future::poll_fn;
use core::pin::pin;
use core::time::Duration;

use morgana_blkif::{Vdev, keys};
use morgana_exec::{Either, Timers, select};
use morgana_hal::Platform;
use morgana_xenbus::{CLOSE_TIMEOUT, Device, Event, State, XenbusError};
use morgana_xenstore_client::{Client, Problem};

use crate::handshake::{ConnectError, connect, geometry};
use crate::shared::{Served, Shared};
use crate::{Config, Link, Violation};

/// Why there is no connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Parted {
    /// The back end has closed, or is gone.
    BackendLeft(State),
    /// The back end broke the protocol.
    Violation(Violation),
    /// The toolstack has given the device another back end.
    Moved,
    /// The toolstack has taken the device away.
    Removed,
    /// The device's keys in xenstore cannot be read, or make no sense.
    Xenstore,
    /// The device is closed.
    Abandoned,
}

impl fmt::Display for Parted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BackendLeft(state) => write!(f, "the back end is {state}"),
            Self::Violation(violation) => violation.fmt(f),
            Self::Moved => f.write_str("the device was given another back end"),
            Self::Removed => f.write_str("the device was removed"),
            Self::Xenstore => f.write_str("the device's keys are unreadable"),
            Self::Abandoned => f.write_str("the device was closed"),
        }
    }
}

pub(crate) struct Keeper<P: Platform> {
    pub(crate) platform: P,
    pub(crate) client: Client,
    pub(crate) timers: Timers,
    pub(crate) vdev: Vdev,
    pub(crate) config: Config,
    pub(crate) shared: Rc<Shared<P>>,
}

impl<P: Platform> Keeper<P> {
    /// Keeps the device, which is connected, until it is abandoned.
    pub(crate) async fn run(self, mut device: Device) {
        loop {
            let why = self.until_parted(&device).await;
            match why {
                Parted::Violation(_) | Parted::Xenstore => {
                    log::warn!("{}: disconnected: {why}", self.vdev);
                }
                _ => log::info!("{}: disconnected: {why}", self.vdev),
            }
            self.part(&device, why).await;
            if why == Parted::Abandoned {
                break;
            }
            let reconnected = self.until_connected(&mut device, why);
            match select(reconnected, self.shared.abandoned()).await {
                Either::First(link) => self.enter(link),
                Either::Second(()) => {
                    self.say_goodbye(&device).await;
                    break;
                }
            }
        }
        self.shared.end();
    }

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

    /// Serves the connection until its end.
    async fn until_parted(&self, device: &Device) -> Parted {
        // As long as there is no such watch, a new size is seen at the next connection.
        let size = self.client.watch(&device.peer_path(keys::SECTORS)).await;
        let resized = async || match &size {
            Ok(watch) => watch.next().await.is_ok(),
            Err(_) => core::future::pending().await,
        };
        // Neither is dropped before it is ready: what it has taken from its watch would be lost.
        let (mut next, mut resized_next) = (pin!(device.next()), pin!(resized()));
        loop {
            let served = poll_fn(|cx| self.shared.poll_serve(cx));
            // An abandoned device waits for what is under way, but not for ever.
            let served = async {
                if !self.shared.is_abandoned() {
                    return served.await;
                }
                let served = self.timers.timeout(CLOSE_TIMEOUT, served).await;
                served.unwrap_or(Served::Abandoned)
            };
            let changed = select(next.as_mut(), resized_next.as_mut());
            let event = match select(served, changed).await {
                Either::First(Served::Violation(violation)) => return Parted::Violation(violation),
                Either::First(Served::Abandoned) => return Parted::Abandoned,
                Either::Second(Either::First(event)) => event,
                Either::Second(Either::Second(there)) => {
                    self.look_at_size(device).await;
                    if !there {
                        // Without xenstore the rings work all the same.
                        self.timers.sleep(FIRST_PAUSE).await;
                    }
                    resized_next.set(resized());
                    continue;
                }
            };
            match event {
                Ok(Event::Moved) => return Parted::Moved,
                Ok(Event::Removed) => return Parted::Removed,
                Ok(Event::Peer(state)) => {
                    if !matches!(
                        state,
                        State::Connected | State::Reconfiguring | State::Reconfigured
                    ) {
                        return Parted::BackendLeft(state);
                    }
                }
                Err(error) if is_transient(&error) => self.timers.sleep(FIRST_PAUSE).await,
                Err(_) => return Parted::Xenstore,
            }
            next.set(device.next());
        }
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

    /// Takes the connection from the device, and keeps its pages until the back end has let go of them.
    async fn part(&self, device: &Device, why: Parted) {
        let link = self.shared.leave(why);
        if why != Parted::Moved {
            // What is in the own directory after a move concerns the new back end.
            self.say_goodbye(device).await;
        }
        if let Some(link) = link {
            self.shared.park(link);
        }
    }

    async fn say_goodbye(&self, device: &Device) {
        if let Err(error) = device.close(&self.timers).await {
            log::warn!("{}: cannot close in order: {error}", self.vdev);
        }
    }

    /// Tries until there is a connection again, perhaps to another back end.
    async fn until_connected(&self, device: &mut Device, why: Parted) -> Link<P> {
        let mut pause = FIRST_PAUSE;
        if matches!(why, Parted::Violation(_) | Parted::Xenstore) {
            self.timers.sleep(pause).await;
        }
        loop {
            let error = match self.connect(device).await {
                Ok(link) => return link,
                Err(ConnectError::Xenbus(XenbusError::Moved | XenbusError::Removed)) => {
                    match self.reopen().await {
                        Ok(opened) => {
                            *device = opened;
                            continue;
                        }
                        Err(error) => error.into(),
                    }
                }
                Err(error) => error,
            };
            log::warn!("{}: cannot reconnect: {error}", self.vdev);
            self.timers.sleep(pause).await;
            pause = (pause * 2).min(LAST_PAUSE);
        }
    }

    async fn connect(&self, device: &Device) -> Result<Link<P>, ConnectError> {
        let (link, geometry, features) =
            connect(&self.platform, device, &self.timers, &self.config).await?;
        let old = self.shared.geometry.get();
        if geometry.sector_size() != old.sector_size() {
            return Err(ConnectError::OtherSectorSize);
        }
        if geometry != old {
            log::warn!("{}: was {old:?}, is {geometry:?}", self.vdev);
        }
        self.shared.geometry.set(geometry);
        self.shared.features.set(features);
        Ok(link)
    }

    /// Opens the device again, once it is there.
    async fn reopen(&self) -> Result<Device, XenbusError> {
        let number = self.vdev.number();
        let path = format!("device/{}/{number}", keys::CLASS);
        let watch = self.client.watch(&path).await?;
        loop {
            match Device::frontend(&self.client, keys::CLASS, number).await {
                Err(XenbusError::Removed) => {}
                result => return result,
            }
            watch.next().await?;
        }
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

/// How long to wait after a first and a last of several failures, so that a back end which breaks everything does not cost much.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LAST_PAUSE: Duration = Duration::from_secs(64);
