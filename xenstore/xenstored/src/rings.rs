//! How the rings of domains are reached.

use core::convert::Infallible;
use core::task::{Context, Poll};

use morgana_hal::{
    ByteStream, Channel, DomId, DomainState, Events, GrantRef, Memory, Pages, Platform, Port,
    StreamError,
};
use morgana_ring::{ByteLayout, RingStream, Side};
use morgana_xenstore_migration::Position;
use morgana_xenstore_store::{Command, Features, MemoryLeft};
use morgana_xenstore_wire::Errno;

use crate::{IntroduceError, Slot};

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

    /// Empties the ring.
    fn reset(&self);

    /// Tells the domain that it is served from now on.
    fn connect(&self);

    /// As [`ByteStream::poll_read`], but to the domain the bytes are in the ring until they are [released](Self::release).
    fn poll_take(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<Result<usize, StreamError>>;

    /// Tells the domain of all that was taken since the last time. Whether it has put in more meanwhile: it may not tell of that, so that whoever
    /// waits for it has to look.
    #[must_use]
    fn release(&self) -> bool;

    /// The ring's index behind what was taken.
    fn taken(&self) -> u32;

    /// The ring's index behind what was written.
    fn written(&self) -> u32;

    /// Reads on at an index: another daemon has taken what comes before, and may not have told the domain.
    ///
    /// # Errors
    ///
    /// [`StreamError::BadIndices`] if the ring says that it cannot be.
    fn go_on_at(&self, taken: u32) -> Result<(), StreamError>;
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

impl Fault {
    pub(crate) const fn of_code(code: u32) -> Option<Self> {
        Some(match code {
            1 => Self::Communication,
            2 => Self::RingIndex,
            3 => Self::Protocol,
            _ => return None,
        })
    }
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

    fn reset(&self) {
        match *self {}
    }

    fn connect(&self) {
        match *self {}
    }

    fn poll_take(&self, _: &mut Context<'_>, _: &mut [u8]) -> Poll<Result<usize, StreamError>> {
        match *self {}
    }

    fn release(&self) -> bool {
        match *self {}
    }

    fn taken(&self) -> u32 {
        match *self {}
    }

    fn written(&self) -> u32 {
        match *self {}
    }

    fn go_on_at(&self, _: u32) -> Result<(), StreamError> {
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

    fn reset(&self) {
        Self::reset(self);
    }

    fn connect(&self) {
        let region = self.pages().region();
        region.store_u32(ByteLayout::XENSTORE_ERROR, NO_FAULT);
        region.store_u32(ByteLayout::XENSTORE_CONNECTION, CONNECTED);
        self.channel().notify();
    }

    fn poll_take(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<Result<usize, StreamError>> {
        Self::poll_take(self, cx, buffer)
    }

    fn release(&self) -> bool {
        Self::release(self)
    }

    fn taken(&self) -> u32 {
        Self::taken(self)
    }

    fn written(&self) -> u32 {
        Self::written(self)
    }

    fn go_on_at(&self, taken: u32) -> Result<(), StreamError> {
        Self::go_on_at(self, taken)
    }
}

/// How the rings of domains are reached, and what the daemon does with the machine that it runs on. Every platform can be one; a daemon
/// that serves sockets only has an own type that reaches no rings.
pub trait Rings: 'static {
    /// A domain's ring.
    type Stream: Served;
    /// Memory that outlasts a crash; [`Infallible`] where there is none.
    type Slot: Slot;

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

    /// Keeps the whole state in place of all that was kept before: it is the next generation then.
    fn keep_state(&self, _state: &[u8]) -> Kept {
        Kept::No
    }

    /// How far the journal goes that is kept: as long as there is none, where one would begin.
    fn position(&self) -> Position {
        Position::default()
    }

    /// The memory of `domain` for what is under way in its ring, with what the last daemon has left there. `None` if nothing is kept.
    fn slot(&self, _domain: DomId) -> Option<Self::Slot> {
        None
    }

    /// That memory is of no use any longer.
    fn forget_slot(&self, _domain: DomId) {}

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
    type Slot = Infallible;

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
