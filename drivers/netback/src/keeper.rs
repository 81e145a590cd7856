//! The task that serves one device for as long as the toolstack wants it: front ends come, leave, and come again.
//!
//! ```text
//!                     keys are there                 leaves, or breaks the protocol
//! waiting (InitWait) ───────────────► Connected ─────────────────────────────────► parting ──► waiting …
//!     │                                                                               │
//!     └── abandoned, or not wanted any more ──► ended ◄───────────────────────────────┘
//! ```

use alloc::rc::Rc;
use core::fmt;
use core::pin::pin;
use core::time::Duration;

use morgana_exec::{Either, Timers, select};
use morgana_hal::Platform;
use morgana_xenbus::{BackendAddress, Device, Event, State, XenbusError};
use morgana_xenstore_client::Problem;

use crate::handshake::{CONNECTED, ConnectError, connect};
use crate::netback::Shared;
use crate::{Config, Link, Violation};

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

pub(crate) struct Keeper<P: Platform> {
    pub(crate) platform: P,
    pub(crate) timers: Timers,
    pub(crate) address: BackendAddress,
    pub(crate) config: Config,
    pub(crate) shared: Rc<Shared<P>>,
}

impl<P: Platform> Keeper<P> {
    /// Serves the device until it is abandoned, or not wanted any more.
    pub(crate) async fn run(self, device: Device) {
        loop {
            let why = match select(self.until_connected(&device), self.abandoned()).await {
                Either::First(Some(link)) => {
                    self.enter(link).await;
                    let why = self.until_parted(&device).await;
                    self.shared.parted.set(why);
                    self.retire().await;
                    why
                }
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
                // Whoever waits for a front end that never came would wait for ever.
                self.shared.joint.tell();
                return;
            }
            if let Err(error) = device.close(&self.timers).await {
                log::warn!("{name}: cannot close in order: {error}");
            }
            if why == Parted::Abandoned {
                return;
            }
            if !self.is_wanted(&device).await {
                self.shared.parted.set(Parted::Removed);
                self.shared.joint.tell();
                return;
            }
        }
    }

    /// Tries until a front end is connected. `None` if the device was removed.
    async fn until_connected(&self, device: &Device) -> Option<Link<P>> {
        let mut pause = FIRST_PAUSE;
        loop {
            match connect(&self.platform, device, &self.timers, &self.config).await {
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

    /// Puts a new connection where the device finds it.
    async fn enter(&self, link: Link<P>) {
        self.shared.parted.set(Parted::NotYet);
        self.shared.count_connection();
        let mut next = link;
        while let Err(link) = self.shared.joint.put(next) {
            // The device is being used, which lasts no longer than a pass.
            next = link;
            self.timers.sleep(BUSY_PAUSE).await;
        }
        log::info!("{}: connected", Name(self.address));
    }

    /// Waits for the end of the connection.
    async fn until_parted(&self, device: &Device) -> Parted {
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
                // The toolstack does not give a back end another front end: it makes another back end.
                Either::First(Ok(Event::Removed | Event::Moved)) => return Parted::Removed,
                Either::First(Ok(Event::Peer(state))) => {
                    let reconfigures = [State::Reconfiguring, State::Reconfigured];
                    if !CONNECTED.contains(&state) && !reconfigures.contains(&state) {
                        return Parted::FrontendLeft(state);
                    }
                }
                Either::First(Err(error)) if is_transient(&error) => {
                    // Without xenstore the rings work all the same.
                    self.timers.sleep(FIRST_PAUSE).await;
                }
                Either::First(Err(_)) => return Parted::Xenstore,
            }
            next.set(device.next());
        }
    }

    /// Takes the connection from the device and lets go of the front end's pages.
    async fn retire(&self) {
        let link = loop {
            // It is there since `enter`, but may be in use.
            match self.shared.joint.take() {
                Some(link) => break link,
                None => self.timers.sleep(BUSY_PAUSE).await,
            }
        };
        self.shared.retire(&link);
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

/// As xl calls the interface: `vif1.0`.
struct Name(BackendAddress);

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "vif{}.{}", self.0.frontend.number(), self.0.index)
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

/// How long to wait for the end of a pass.
const BUSY_PAUSE: Duration = Duration::from_millis(1);
