//! What the daemon asks of the machine that it runs on.

use alloc::string::String;
use core::fmt;
use core::task::{Context, Poll};

use morgana_hal::{
    ByteStream, Channel, DomId, EventError, Events, GrantRef, Memory, MemoryError, Pages, Platform,
    Port, WallTime,
};
use morgana_ring::{ByteLayout, RingError, RingStream, Side};

/// By which reference a domain grants its console's page (grant_table.h, `GNTTAB_RESERVED_CONSOLE`).
const CONSOLE_GRANT: GrantRef = GrantRef::new(0);

/// `connection` of `struct xencons_interface` (io/console.h): a byte, in which 0 is `XENCONSOLE_CONNECTED`.
const CONNECTION: usize = 3088;
const CONNECTED: u8 = 0;

/// Where guests' output goes, and where what is typed comes from.
pub trait Outlets: 'static {
    /// A guest's log.
    type Log: Log;
    /// A guest's terminal: what is written to it is shown, what is read from it was typed.
    type Terminal: ByteStream;

    /// Opens the log of the domain that is called `name`. `None` if there is to be none, or if it cannot be opened: then it is said why.
    fn open_log(&self, domain: DomId, name: &str) -> Option<Self::Log>;

    /// Makes a terminal for a domain; with it comes what `xl console` is to open, if somebody has to tell it. `None` if it cannot be made: then
    /// it is said why.
    fn open_terminal(&self, domain: DomId) -> Option<(Self::Terminal, Option<String>)>;
}

/// All of that, and how guests' rings are reached.
pub trait Host: 'static {
    /// A guest's ring.
    type Ring: Ring;
    /// Logs and terminals.
    type Outlets: Outlets;

    /// Takes up the ring of `domain`, whose port is `port`.
    ///
    /// # Errors
    ///
    /// [`AttachError`].
    fn attach(&self, domain: DomId, port: Port) -> Result<Self::Ring, AttachError>;

    /// Logs and terminals.
    fn outlets(&self) -> &Self::Outlets;

    /// The time of day.
    fn wall(&self) -> WallTime;
}

pub(crate) type LogOf<H> = <<H as Host>::Outlets as Outlets>::Log;
pub(crate) type TerminalOf<H> = <<H as Host>::Outlets as Outlets>::Terminal;

/// The daemon's end of a guest's ring.
pub trait Ring: ByteStream {
    /// Tells the guest that it is served.
    fn connected(&self);
}

impl<M: Pages, C: Channel> Ring for RingStream<M, C> {
    fn connected(&self) {
        self.pages().region().write(CONNECTION, &[CONNECTED]);
        // It may have written before there was anybody to read, and waits for room.
        self.channel().notify();
    }
}

/// A guest's log.
pub trait Log: 'static {
    /// Why something cannot be written.
    type Error: fmt::Display;

    /// Appends bytes: at least one, and at most `bytes.len()`, of bytes that are not none.
    ///
    /// # Errors
    ///
    /// That of the medium. The bytes are lost then; later ones are tried again.
    fn poll_add(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize, Self::Error>>;
}

/// The ring that a platform takes up.
pub type PlatformRing<P> = RingStream<
    <<P as Platform>::Memory as Memory>::Imported,
    <<P as Platform>::Events as Events>::Channel,
>;

/// Takes up the ring of `domain`, whose port is `port`: what every platform does.
///
/// # Errors
///
/// [`AttachError`].
pub fn attach<P: Platform>(
    platform: &P,
    domain: DomId,
    port: Port,
) -> Result<PlatformRing<P>, AttachError> {
    let pages = platform.memory().import(domain, &[CONSOLE_GRANT])?;
    let channel = platform.events().connect(domain, port)?;
    Ok(RingStream::attach(
        pages,
        channel,
        ByteLayout::CONSOLE,
        Side::Server,
    )?)
}

/// Why a ring cannot be taken up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AttachError {
    /// The page cannot be mapped.
    Page(MemoryError),
    /// The event channel cannot be bound.
    Channel(EventError),
    /// The page is no ring.
    Ring(RingError),
}

impl fmt::Display for AttachError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Page(error) => write!(f, "its page cannot be mapped: {error}"),
            Self::Channel(error) => write!(f, "its event channel cannot be bound: {error}"),
            Self::Ring(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for AttachError {}

impl From<MemoryError> for AttachError {
    fn from(error: MemoryError) -> Self {
        Self::Page(error)
    }
}

impl From<EventError> for AttachError {
    fn from(error: EventError) -> Self {
        Self::Channel(error)
    }
}

impl From<RingError> for AttachError {
    fn from(error: RingError) -> Self {
        Self::Ring(error)
    }
}
