//! One place at which a domain offers vchans, one after the other.

use alloc::format;
use alloc::rc::Rc;
use alloc::string::String;
use core::fmt;
use core::future::poll_fn;
use core::time::Duration;

use log::Level;
use morgana_block::BlockDevice;
use morgana_exec::{Either, select};
use morgana_hal::{ByteStream, DomId, Platform, StreamError};
use morgana_record::{FormatError, Frames, Role, ToLogger};
use morgana_vchan::{Sizes, Vchan, VchanError, connect_now};
use morgana_xenstore_client::{Client, Error, Watch};

use crate::answer::answer;
use crate::domains::Domain;
use crate::server::Shared;
use crate::source::{Session, refuse, take};

/// For how long an offer may be gone before its place is not attended to any more.
const IDLE: Duration = Duration::from_secs(10);
/// For how long it may take to find out whether the vchan is there that is offered.
const CONNECT: Duration = Duration::from_secs(5);
/// The largest rings that are taken up: 33 pages to be mapped.
const LARGEST: Sizes = Sizes {
    to_server: 64 << 10,
    to_client: 64 << 10,
};
/// For how long a domain that has connected may be silent.
const HELLO: Duration = Duration::from_secs(10);

/// A place.
pub(crate) struct Slot<P: Platform, D: BlockDevice> {
    pub(crate) shared: Rc<Shared<P, D>>,
    pub(crate) domain: DomId,
    pub(crate) known: Rc<Domain>,
    path: String,
}

/// Why a connection has ended. Those of the first kind are nobody's fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum End {
    /// The domain has closed it.
    Closed,
    /// The domain did not say what it wants.
    Silent,
    /// The domain is none of those whose records are kept.
    NotAllowed,
    /// The domain broke the rules of the ring.
    Ring,
    /// The domain broke the format.
    Format(FormatError),
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => StreamError::Closed.fmt(f),
            Self::Silent => f.write_str("it does not say what it wants"),
            Self::NotAllowed => f.write_str("it may not send records"),
            Self::Ring => StreamError::BadIndices.fmt(f),
            Self::Format(error) => error.fmt(f),
        }
    }
}

impl From<StreamError> for End {
    fn from(error: StreamError) -> Self {
        match error {
            StreamError::Closed => Self::Closed,
            StreamError::BadIndices => Self::Ring,
        }
    }
}

impl From<FormatError> for End {
    fn from(error: FormatError) -> Self {
        Self::Format(error)
    }
}

/// Which vchan is offered: what its two keys say.
type Offer = (alloc::vec::Vec<u8>, alloc::vec::Vec<u8>);

impl<P: Platform, D: BlockDevice> Slot<P, D> {
    pub(crate) fn new(
        shared: Rc<Shared<P, D>>,
        domain: DomId,
        known: Rc<Domain>,
        name: &str,
    ) -> Self {
        let path = format!(
            "/local/domain/{}/{}/{name}",
            domain.number(),
            morgana_logs::OFFERS
        );
        Self {
            shared,
            domain,
            known,
            path,
        }
    }

    /// Serves what is offered here, until nothing is any more.
    pub(crate) async fn attend(&self) {
        if let Err(error) = self.serve_offers().await {
            log::warn!("{}: {error}", self.path);
        }
    }

    async fn serve_offers(&self) -> Result<(), Error> {
        let client = &self.shared.client;
        // A key itself: of a node that goes with those above it, only a watch on the node itself tells an unprivileged domain.
        let watch = client.watch(&format!("{}/ring-ref", self.path)).await?;
        let mut session = Session::default();
        loop {
            let Some(offer) = offer(client, &self.path).await? else {
                match self.shared.timers.timeout(IDLE, watch.next()).await {
                    Ok(changed) => drop(changed?),
                    Err(_) => return Ok(()),
                }
                continue;
            };
            let served = self.connection(&mut session);
            let changed = self.changed(&watch, &offer);
            match select(served, changed).await {
                Either::First(Ok(())) => {}
                Either::First(Err(end)) => self.complain(end),
                Either::Second(changed) => {
                    changed?;
                    continue;
                }
            }
            // The same numbers may be offered anew, which is a change, too.
            watch.next().await?;
        }
    }

    /// Ready when something else is offered, or nothing.
    async fn changed(&self, watch: &Watch, served: &Offer) -> Result<(), Error> {
        loop {
            watch.next().await?;
            if offer(&self.shared.client, &self.path).await?.as_ref() != Some(served) {
                return Ok(());
            }
        }
    }

    /// Connects, and does what the domain wants.
    async fn connection(&self, session: &mut Session) -> Result<(), End> {
        let shared = &self.shared;
        let (platform, client) = (&shared.platform, &shared.client);
        let connected = connect_now(platform, client, self.domain, &self.path, LARGEST);
        let vchan = match shared.timers.timeout(CONNECT, connected).await {
            Ok(Ok(Some(vchan))) => vchan,
            // What somebody has left who is gone.
            Err(_) | Ok(Ok(None) | Err(VchanError::Closed)) => return Ok(()),
            Ok(Err(error)) => {
                self.complain(error);
                return Ok(());
            }
        };
        let mut frames = Frames::default();
        let hello = shared.timers.timeout(HELLO, receive(&vchan, &mut frames));
        let end = match hello.await.map_err(|_| End::Silent)?? {
            ToLogger::Hello(Role::Send { .. }) if !shared.options.senders.allow(self.domain) => {
                refuse(&vchan).await
            }
            ToLogger::Hello(Role::Send { session: id, name }) => {
                session.begin(id);
                let name = shared.name(self.domain, name).await;
                take(self, &vchan, frames, session, &name).await
            }
            ToLogger::Hello(Role::Read(query)) => answer(self, &vchan, query).await,
            ToLogger::Record(..) => Err(FormatError::Magic.into()),
        };
        match end {
            Err(End::Closed) | Ok(()) => Ok(()),
            other => other,
        }
    }

    fn complain(&self, why: impl fmt::Display) {
        if let Some(times) = self.known.troubles.borrow_mut().again() {
            let domain = self.domain;
            let text = format!("{domain} is not served any longer: {why} (time {times})");
            self.shared.note(Level::Warn, text, domain);
        }
    }
}

/// What is offered at this path.
async fn offer(client: &Client, path: &str) -> Result<Option<Offer>, Error> {
    let keys = ["ring-ref", "event-channel"].map(|key| format!("{path}/{key}"));
    let mut values = client.read_each(&keys).await.into_iter();
    let (Some(ring), Some(port)) = (values.next(), values.next()) else {
        return Ok(None);
    };
    match (ring, port) {
        (Ok(ring), Ok(port)) => Ok(Some((ring, port))),
        (Err(error @ Error::Closed(_)), _) | (_, Err(error @ Error::Closed(_))) => Err(error),
        _ => Ok(None),
    }
}

/// The next message of a domain.
pub(crate) async fn receive<P: Platform>(
    vchan: &Vchan<P>,
    frames: &mut Frames,
) -> Result<ToLogger, End> {
    let mut buffer = [0; 2048];
    loop {
        if let Some(message) = frames.to_logger()? {
            return Ok(message);
        }
        let len = poll_fn(|cx| vchan.poll_read(cx, &mut buffer)).await?;
        frames.add(&buffer[..len]);
    }
}
