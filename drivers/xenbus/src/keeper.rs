//! The task that keeps an end of a device for as long as it is used: other ends come, leave, and come again.
//!
//! ```text
//!                 other end leaves, or breaks the protocol; the device is moved or removed
//! waiting ──► connected ─────────────────────────────────────────────────────────────────► parting ──► waiting …
//!    │            │                                                                           │
//!    │            └── abandoned ──► parting ──► ended                                         └── a back end that is
//!    └── abandoned ──► ended                                                                      not wanted ──► ended
//! ```

use core::convert::Infallible;
use core::fmt::Display;
use core::future::pending;
use core::time::Duration;

use morgana_exec::{Either, Timers, select};
use morgana_xenstore_client::Problem;

use crate::woken::when_woken;
use crate::{ConnectError, Device, Event, Parted, Role, State, XenbusError};

/// What a driver adds to the keeper of its end of a device. It has the place where a connection lies for whoever uses the device.
#[allow(async_fn_in_trait)]
pub trait Kept {
    /// Which end it is.
    const ROLE: Role;
    /// What the other end can break.
    type Violation: Copy + Display;
    /// What makes another end unsuitable.
    type Unsuitable: Display;

    /// Which device of this kind it is, for log lines.
    fn name(&self) -> impl Display;

    /// Goes through the handshake, and puts the connection in its place. It waits for the other end as long as it takes.
    ///
    /// # Errors
    ///
    /// After one it is called again, a while later.
    async fn connect(&self, device: &Device) -> Result<(), ConnectError<Self::Unsuitable>>;

    /// While connected: waits until the other end has broken the protocol. `None` if the device is abandoned, and does nothing any more.
    async fn over(&self) -> Option<Self::Violation>;

    /// While connected: what else there is to do with xenstore.
    async fn attend(&self, _device: &Device) -> Infallible {
        pending().await
    }

    /// While connected: whether the connection lasts if the other end is in this state. A front end may be connecting while the back end is
    /// connected already.
    fn lasts_in(&self, state: State) -> bool {
        let connecting = matches!(Self::ROLE, Role::Backend) && state == State::Initialised;
        connecting || state.is_connected()
    }

    /// Whether another end may come: a back end asks whether the device is [online](Device::is_online), a front end waits for ever.
    ///
    /// # Errors
    ///
    /// [`XenbusError`]; then none may.
    async fn is_wanted(&self, _device: &Device) -> Result<bool, XenbusError> {
        Ok(true)
    }

    /// Waits until nobody uses the device any more.
    async fn abandoned(&self);

    /// There is no connection, and this is why. It also comes when there was none, and before the keeper ends.
    fn parted(&self, why: Parted<Self::Violation>);

    /// Takes the connection from its place. A back end lets go of the other's pages now; a front end keeps its pages until
    /// [`release`](Self::release).
    async fn disconnect(&self);

    /// The other end has let go of what was shared with it, or does not answer.
    fn release(&self) {}
}

/// Keeps an end: a front end, which is connected already, until it is abandoned; a back end until the toolstack does not want it
/// any more, either. It is to be a task of its own.
pub async fn keep<K: Kept>(kept: K, mut device: Device, timers: Timers) {
    let keeper = Keeper { kept, timers };
    let mut connected = matches!(K::ROLE, Role::Frontend);
    let mut pause = Duration::ZERO;
    loop {
        let why = if connected {
            keeper.until_parted(&device).await
        } else {
            let waited = keeper.until_connected(&mut device, pause);
            match select(waited, keeper.kept.abandoned()).await {
                Either::First(Met::Connected) => {
                    connected = true;
                    continue;
                }
                Either::First(Met::Removed) => Parted::Removed,
                Either::Second(()) => Parted::Abandoned,
            }
        };
        keeper.tell(why);
        if connected {
            keeper.kept.disconnect().await;
            connected = false;
        }
        if !matches!(why, Parted::Moved | Parted::Removed) {
            // What is in the own directory after a move concerns the new back end.
            let closed = device.close(&keeper.timers).await;
            keeper.note(closed, "cannot close in order");
        }
        keeper.kept.release();
        if !keeper.goes_on(&device, why).await {
            return;
        }
        pause = match K::ROLE {
            Role::Frontend if why.is_trouble() => FIRST_PAUSE,
            _ => Duration::ZERO,
        };
    }
}

struct Keeper<K> {
    kept: K,
    timers: Timers,
}

/// How waiting for the other end has ended.
enum Met {
    Connected,
    /// The back end's device is gone.
    Removed,
}

impl<K: Kept> Keeper<K> {
    fn tell(&self, why: Parted<K::Violation>) {
        let level = match why.is_trouble() {
            true => log::Level::Warn,
            false => log::Level::Info,
        };
        log::log!(level, "{}: disconnected: {why}", self.kept.name());
        self.kept.parted(why);
    }

    /// The value, if there is one; else the log says what did not work.
    fn note<T>(&self, result: Result<T, impl Display>, what: &str) -> Option<T> {
        result
            .inspect_err(|error| log::warn!("{}: {what}: {error}", self.kept.name()))
            .ok()
    }

    /// Waits for the end of the connection. What moves data is polled whenever the task is; what waits for xenstore only when it was woken.
    async fn until_parted(&self, device: &Device) -> Parted<K::Violation> {
        let beside = when_woken(select(self.until_left(device), self.kept.attend(device)));
        match select(self.kept.over(), beside).await {
            Either::First(Some(violation)) => Parted::Violation(violation),
            Either::First(None) => Parted::Abandoned,
            Either::Second(Either::First(left)) => left,
            Either::Second(Either::Second(never)) => match never {},
        }
    }

    /// Waits until the other end is in a state that the connection does not last in, or the device goes.
    async fn until_left(&self, device: &Device) -> Parted<K::Violation> {
        loop {
            match device.next().await {
                // The toolstack does not give a back end another front end: it makes another back end.
                Ok(Event::Moved) if matches!(K::ROLE, Role::Frontend) => return Parted::Moved,
                Ok(Event::Moved | Event::Removed) => return Parted::Removed,
                Ok(Event::Peer(state)) if self.kept.lasts_in(state) => {}
                Ok(Event::Peer(state)) => return Parted::PeerLeft(state),
                // Without xenstore the rings work all the same.
                Err(error) if is_transient(&error) => self.timers.sleep(FIRST_PAUSE).await,
                Err(_) => return Parted::Xenstore,
            }
        }
    }

    /// Tries until there is a connection, for the first time after `pause`; a front end perhaps to another back end.
    async fn until_connected(&self, device: &mut Device, mut pause: Duration) -> Met {
        loop {
            self.timers.sleep(pause).await;
            pause = (pause * 2).clamp(FIRST_PAUSE, LAST_PAUSE);
            let mut error = match self.kept.connect(device).await {
                Ok(()) => return Met::Connected,
                Err(error) => error,
            };
            if let ConnectError::Xenbus(XenbusError::Moved | XenbusError::Removed) = error {
                if matches!(K::ROLE, Role::Backend) {
                    return Met::Removed;
                }
                match device.reopen().await {
                    Ok(opened) => {
                        *device = opened;
                        pause = Duration::ZERO;
                        continue;
                    }
                    Err(failed) => error = failed.into(),
                }
            }
            self.note(Err::<(), _>(error), "cannot connect");
        }
    }

    /// Whether another end may come.
    async fn goes_on(&self, device: &Device, why: Parted<K::Violation>) -> bool {
        match (K::ROLE, why) {
            (_, Parted::Abandoned) | (Role::Backend, Parted::Removed) => return false,
            _ => {}
        }
        let wanted = self.kept.is_wanted(device).await;
        let wanted = self.note(wanted, "is given up").unwrap_or(false);
        if !wanted {
            self.kept.parted(Parted::Removed);
        }
        wanted
    }
}

impl Device {
    /// Opens the device again, once it is there.
    async fn reopen(&self) -> Result<Self, XenbusError> {
        let watch = self.client.watch(&self.own).await?;
        loop {
            match Self::open(&self.client, self.role, self.own.clone()).await {
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

/// How long to wait after a first and a last of several failures, so that another end which breaks everything does not cost much.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LAST_PAUSE: Duration = Duration::from_secs(64);
