//! The task that keeps a front end connected: it sees back ends go, lets go in order, and connects to those that come.
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
use core::pin::pin;
use core::time::Duration;

use morgana_exec::{Either, Timers, select};
use morgana_hal::Platform;
use morgana_netif::{SegmentationOffload, keys};
use morgana_xenbus::{Device, Event, State, XenbusError};
use morgana_xenstore_client::{Client, Problem};

use crate::handshake::{ConnectError, Interface, connect, interface};
use crate::netfront::Shared;
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

/// How far a connection is.
#[derive(Clone, Copy)]
enum Phase {
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
}

impl<P: Platform> Keeper<P> {
    /// Keeps the device, which is connected, until it is abandoned.
    pub(crate) async fn run(self, mut device: Device) {
        loop {
            let why = self.until_parted(&device).await;
            match why {
                Parted::Violation(_) | Parted::Xenstore => {
                    log::warn!("vif {}: disconnected: {why}", self.index);
                }
                _ => log::info!("vif {}: disconnected: {why}", self.index),
            }
            self.shared.parted.set(Some(why));
            self.part(&device, why).await;
            if why == Parted::Abandoned {
                return;
            }
            let reconnected = self.until_connected(&mut device, why);
            match select(reconnected, self.abandoned()).await {
                Either::First(link) => self.enter(link).await,
                Either::Second(()) => {
                    self.say_goodbye(&device).await;
                    return;
                }
            }
        }
    }

    /// Puts a new connection where the device finds it.
    pub(crate) async fn enter(&self, link: Link<P>) {
        self.shared.parted.set(None);
        self.shared.count_connection();
        let mut next = link;
        while let Err(link) = self.shared.joint.put(next) {
            // The device is being used, which lasts no longer than a pass.
            next = link;
            self.timers.sleep(BUSY_PAUSE).await;
        }
    }

    /// Waits for the end of the connection, which begins while the back end is still connecting.
    async fn until_parted(&self, device: &Device) -> Parted {
        let mut phase = Phase::Joining;
        let mut next = pin!(device.next());
        loop {
            let joint = &self.shared.joint;
            let calls = joint.calls();
            if joint.is_abandoned() {
                return Parted::Abandoned;
            }
            if let Some(violation) = joint.link().and_then(|link| link.violation()) {
                return Parted::Violation(violation);
            }
            match select(next.as_mut(), joint.called(calls)).await {
                Either::Second(()) => continue,
                Either::First(Ok(Event::Moved)) => return Parted::Moved,
                Either::First(Ok(Event::Removed)) => return Parted::Removed,
                Either::First(Ok(Event::Peer(state))) => match (phase, state) {
                    (Phase::Joining, State::Connected) => {
                        phase = Phase::Joined;
                        self.joined();
                    }
                    (Phase::Joining, State::InitWait | State::Initialised) => {}
                    (_, State::Connected | State::Reconfiguring | State::Reconfigured) => {}
                    _ => return Parted::BackendLeft(state),
                },
                Either::First(Err(error)) if is_transient(&error) => {
                    // Without xenstore the rings work all the same.
                    self.timers.sleep(FIRST_PAUSE).await;
                }
                Either::First(Err(_)) => return Parted::Xenstore,
            }
            next.set(device.next());
        }
    }

    /// The back end says that it is connected. It is notified once more, should it have looked at the rings before it could be told.
    fn joined(&self) {
        log::info!("vif {}: connected", self.index);
        if let Some(mut link) = self.shared.joint.link() {
            link.begin();
        }
    }

    /// Takes the connection from the device, and keeps its pages until the back end has let go of them.
    async fn part(&self, device: &Device, why: Parted) {
        let link = loop {
            // It is there since `enter`, but may be in use.
            match self.shared.joint.take() {
                Some(link) => break link,
                None => self.timers.sleep(BUSY_PAUSE).await,
            }
        };
        self.shared.retire(&link);
        if why != Parted::Moved {
            // What is in the own directory after a move concerns the new back end.
            self.say_goodbye(device).await;
        }
        drop(link);
    }

    async fn say_goodbye(&self, device: &Device) {
        if let Err(error) = device.close(&self.timers).await {
            log::warn!("vif {}: cannot close in order: {error}", self.index);
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
            log::warn!("vif {}: cannot reconnect: {error}", self.index);
            self.timers.sleep(pause).await;
            pause = (pause * 2).min(LAST_PAUSE);
        }
    }

    async fn connect(&self, device: &Device) -> Result<Link<P>, ConnectError> {
        let (platform, timers) = (&self.platform, &self.timers);
        let now = interface(&self.client, self.index).await?;
        if now != self.interface {
            let Interface { mac, mtu } = now;
            log::warn!(
                "vif {}: now has address {mac} and MTU {mtu}, and goes on with the old ones",
                self.index
            );
        }
        let mut link = connect(platform, device, timers, &self.config, self.interface.mtu).await?;
        if link.max_frame() < self.max_frame {
            return Err(ConnectError::ShorterFrames);
        }
        link.promise(self.segmentation);
        Ok(link)
    }

    /// Opens the device again, once it is there.
    async fn reopen(&self) -> Result<Device, XenbusError> {
        let path = format!("device/{}/{}", keys::CLASS, self.index);
        let watch = self.client.watch(&path).await?;
        loop {
            match Device::frontend(&self.client, keys::CLASS, self.index).await {
                Err(XenbusError::Removed) => {}
                result => return result,
            }
            watch.next().await?;
        }
    }

    async fn abandoned(&self) {
        let joint = &self.shared.joint;
        loop {
            let calls = joint.calls();
            if joint.is_abandoned() {
                return;
            }
            joint.called(calls).await;
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

/// How long to wait for the end of a pass.
const BUSY_PAUSE: Duration = Duration::from_millis(1);
