//! How the rings of domains are reached.

use core::convert::Infallible;
use core::task::{Context, Poll};

use morgana_hal::{
    ByteStream, Channel, DomId, DomainState, Events, GrantRef, Memory, Pages, Platform, Port,
};
use morgana_ring::{ByteLayout, RingStream, Side};
use morgana_xenstore_store::{Command, Features, MemoryLeft};
use morgana_xenstore_wire::Errno;

use crate::IntroduceError;

/// By which reference a domain grants its xenstore page (grant_table.h, `GNTTAB_RESERVED_XENSTORE`).
const XENSTORE_GRANT: GrantRef = GrantRef::new(1);

/// In the page's field for the state of the connection (io/xs_wire.h, `XENSTORE_CONNECTED`).
const CONNECTED: u32 = 0;
/// The domain asks to begin anew (io/xs_wire.h, `XENSTORE_RECONNECT`).
const RECONNECT: u32 = 1;

/// The ring in a page of type `M`, with an event channel of type `C`.
pub type Ring<M, C> = RingStream<M, C>;

/// The daemon's end of a domain's ring: a stream, and what else the page has (docs/misc/xenstore-ring.txt).
pub trait Served: ByteStream {
    /// Tells the domain what the daemon can do for it.
    fn advertise(&self, features: Features);

    /// Tells the domain that it is not served any longer, and why.
    fn give_up(&self, fault: Fault);

    /// Ready once the domain asks to begin anew.
    fn poll_reconnect(&self, cx: &mut Context<'_>) -> Poll<()>;

    /// The daemon's own port.
    fn port(&self) -> Port;

    /// Has the domain look at its ring.
    fn wake(&self);

    /// Empties the ring, and tells the domain that it is served from now on.
    fn connect(&self);
}

/// Why a domain is not served any longer (io/xs_wire.h, `XENSTORE_ERROR_*`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// `XENSTORE_ERROR_COMM`: its end does not answer.
    Communication = 1,
    /// `XENSTORE_ERROR_RINGIDX`: it has written impossible indices.
    RingIndex = 2,
    /// `XENSTORE_ERROR_PROTO`: it has broken the protocol.
    Protocol = 3,
}

/// `XENSTORE_ERROR_NONE`.
const NO_FAULT: u32 = 0;

/// A ring that there is not, for a daemon that serves no domains.
impl Served for Infallible {
    fn advertise(&self, _: Features) {
        match *self {}
    }

    fn give_up(&self, _: Fault) {
        match *self {}
    }

    fn poll_reconnect(&self, _: &mut Context<'_>) -> Poll<()> {
        match *self {}
    }

    fn port(&self) -> Port {
        match *self {}
    }

    fn wake(&self) {
        match *self {}
    }

    fn connect(&self) {
        match *self {}
    }
}

impl<M: Pages, C: Channel> Served for Ring<M, C> {
    fn advertise(&self, features: Features) {
        let region = self.pages().region();
        region.store_u32(ByteLayout::XENSTORE_SERVER_FEATURES, features.bits());
    }

    fn give_up(&self, fault: Fault) {
        let region = self.pages().region();
        region.store_u32(ByteLayout::XENSTORE_ERROR, fault as u32);
        self.channel().notify();
    }

    fn poll_reconnect(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.channel().poll_until(cx, || {
            let region = self.pages().region();
            let asked = region.load_u32(ByteLayout::XENSTORE_CONNECTION);
            (asked == RECONNECT).then_some(())
        })
    }

    fn port(&self) -> Port {
        self.channel().port()
    }

    fn wake(&self) {
        self.channel().notify();
    }

    fn connect(&self) {
        self.reset();
        let region = self.pages().region();
        region.store_u32(ByteLayout::XENSTORE_ERROR, NO_FAULT);
        region.store_u32(ByteLayout::XENSTORE_CONNECTION, CONNECTED);
        self.channel().notify();
    }
}

/// How the rings of domains are reached, and what the daemon does with the machine that it runs on. Every platform can be one; a daemon
/// that serves sockets only has an own type that reaches no rings.
pub trait Rings: 'static {
    /// A domain's ring.
    type Stream: Served;

    /// Takes up the ring of `domain`, whose port is `port`.
    ///
    /// # Errors
    ///
    /// [`IntroduceError`].
    fn attach(&self, domain: DomId, port: Port) -> Result<Self::Stream, IntroduceError>;

    /// Takes up the ring of `domain` by our own port, which another daemon has left connected to it.
    ///
    /// # Errors
    ///
    /// [`IntroduceError`].
    fn adopt(&self, _domain: DomId, _port: Port) -> Result<Self::Stream, IntroduceError> {
        Err(IntroduceError::NoDomains)
    }

    /// How a domain is. Where nobody can be asked, all domains run.
    fn state(&self, _domain: DomId) -> DomainState {
        DomainState::Running
    }

    /// How much memory is left to the daemon.
    fn memory_left(&self) -> MemoryLeft {
        MemoryLeft::Enough
    }

    /// Does what `CONTROL` asks for that is about files. Where there are none, nothing can be done.
    ///
    /// # Errors
    ///
    /// What the client is told.
    fn command(&self, _command: &Command) -> Result<(), Errno> {
        Err(Errno::Invalid)
    }

    /// Keeps what has changed, a frame of a journal, for a daemon that comes after this one has crashed. Nothing of it is sent to anybody before.
    fn keep(&self, _frame: &[u8]) -> Kept {
        Kept::No
    }

    /// Keeps the whole state in place of all that was kept before.
    fn keep_state(&self, _state: &[u8]) -> Kept {
        Kept::No
    }

    /// Whether another program could take over: says why it cannot.
    ///
    /// # Errors
    ///
    /// What the client is told.
    fn successor(&self, _program: &str) -> Result<(), &'static str> {
        Err("Live update is not possible here.")
    }
}

/// What has become of changes that were to be kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub enum Kept {
    /// They are.
    Yes,
    /// They are, and by now they take so much that the whole state is to be kept in their place.
    Long,
    /// They are not, nor will any others be.
    No,
}

impl<P: Platform> Rings for P {
    type Stream = Ring<<P::Memory as Memory>::Imported, <P::Events as Events>::Channel>;

    fn attach(&self, domain: DomId, port: Port) -> Result<Self::Stream, IntroduceError> {
        attach(self, domain, port)
    }
}

/// Takes up the ring of `domain`, whose port is `port`: what every platform does.
///
/// # Errors
///
/// [`IntroduceError`].
pub fn attach<P: Platform>(
    platform: &P,
    domain: DomId,
    port: Port,
) -> Result<PlatformRing<P>, IntroduceError> {
    let channel = platform.events().connect(domain, port)?;
    attach_by(platform, domain, channel)
}

/// Takes up the ring of `domain` by a channel that is connected to it already.
///
/// # Errors
///
/// [`IntroduceError`].
pub fn attach_by<P: Platform>(
    platform: &P,
    domain: DomId,
    channel: <P::Events as Events>::Channel,
) -> Result<PlatformRing<P>, IntroduceError> {
    let pages = platform.memory().import(domain, &[XENSTORE_GRANT])?;
    let stream = RingStream::attach(pages, channel, ByteLayout::XENSTORE, Side::Server)?;
    Ok(stream)
}

/// The ring that a platform takes up.
pub type PlatformRing<P> = Ring<
    <<P as Platform>::Memory as Memory>::Imported,
    <<P as Platform>::Events as Events>::Channel,
>;
