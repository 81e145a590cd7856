//! A server's way from a stream to a secure one.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::cell::{Cell, RefCell};
use core::fmt;
use core::time::Duration;

use embedded_io_async::{Read, Write};
use morgana_exec::{Either, Timers, select};
use morgana_hal::WallTime;
use rustls::server::UnbufferedServerConnection;
use rustls::{HandshakeKind, ServerConfig};

use crate::identity::provider;
use crate::tickets::Tickets;
use crate::turns::Turns;
use crate::wall::Wall;
use crate::{
    AcceptError, Certificates, Limits, NoEntropy, ServerStream, Stats, TlsError, TlsStream,
};

/// Time for a client that did wrong to take its alert.
const LINGER: Duration = Duration::from_secs(1);

/// Makes secure streams of those that clients have opened.
pub struct Acceptor {
    now: Box<dyn Fn() -> WallTime>,
    timers: Timers,
    limits: Limits,
    wall: Arc<Wall>,
    tickets: Arc<Tickets>,
    config: RefCell<Arc<ServerConfig>>,
    turns: Turns,
    stats: Cell<Stats>,
}

impl Acceptor {
    /// An acceptor that shows these certificates, and speaks `protocols` (ALPN; `http/1.1`) with clients that ask for one. `now` is the time of day.
    ///
    /// # Errors
    ///
    /// [`NoEntropy`].
    pub fn new(
        now: impl Fn() -> WallTime + 'static,
        timers: Timers,
        certificates: Certificates,
        protocols: &[&[u8]],
        limits: Limits,
    ) -> Result<Self, NoEntropy> {
        let wall = Arc::new(Wall::default());
        wall.set(now());
        let tickets = Tickets::new(wall.clone()).ok_or(NoEntropy)?;
        let tickets = Arc::new(tickets);
        let mut config = ServerConfig::builder_with_details(provider().into(), wall.clone())
            .with_safe_default_protocol_versions()
            .expect("ring has cipher suites of both versions")
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(certificates));
        config.alpn_protocols = protocols.iter().map(|&name| name.to_vec()).collect();
        config.ticketer = tickets.clone();
        Ok(Self {
            now: Box::new(now),
            timers,
            limits,
            wall,
            tickets,
            config: RefCell::new(Arc::new(config)),
            turns: Turns::new(limits.handshakes),
            stats: Cell::default(),
        })
    }

    /// Shows other certificates from now on. Streams that there are go on, and so do sessions, whose keys stay.
    pub fn replace(&self, certificates: Certificates) {
        let mut config = ServerConfig::clone(&self.config.borrow());
        config.cert_resolver = Arc::new(certificates);
        *self.config.borrow_mut() = Arc::new(config);
    }

    /// Goes through the handshake with the client on `stream`. A client that does wrong is sent an alert.
    ///
    /// # Errors
    ///
    /// [`AcceptError`]; the stream is dropped then.
    pub async fn accept<S: Read + Write>(
        &self,
        stream: S,
    ) -> Result<ServerStream<S>, AcceptError<S::Error>> {
        let accepted = Box::pin(self.shake_hands(stream)).await;
        let mut stats = self.stats.get();
        match &accepted {
            Ok((_, kind)) => {
                stats.handshakes += 1;
                stats.resumed += u64::from(*kind == Some(HandshakeKind::Resumed));
            }
            Err(AcceptError::Tls(_)) => stats.failed += 1,
            Err(AcceptError::TimedOut) => stats.timed_out += 1,
            Err(AcceptError::Displaced) => stats.displaced += 1,
        }
        self.stats.set(stats);
        accepted.map(|(stream, _)| stream)
    }

    async fn shake_hands<S: Read + Write>(
        &self,
        stream: S,
    ) -> Result<(ServerStream<S>, Option<HandshakeKind>), AcceptError<S::Error>> {
        self.wall.set((self.now)());
        let config = self.config.borrow().clone();
        let connection = UnbufferedServerConnection::new(config).map_err(TlsError::Protocol)?;
        let mut stream = TlsStream::new(stream, connection);
        let turn = self.turns.begin();
        let shaken = self
            .timers
            .timeout(self.limits.handshake, stream.shake_hands());
        match select(shaken, turn.displaced()).await {
            Either::First(Ok(Ok(()))) => {}
            Either::First(Ok(Err(error))) => {
                // It is one that counts until then.
                let lingered = self.timers.timeout(LINGER, stream.linger());
                select(lingered, turn.displaced()).await;
                return Err(error.into());
            }
            Either::First(Err(_)) => return Err(AcceptError::TimedOut),
            Either::Second(()) => return Err(AcceptError::Displaced),
        }
        let kind = stream.handshake_kind();
        Ok((stream, kind))
    }

    /// The counters.
    pub fn stats(&self) -> Stats {
        self.stats.get()
    }
}

impl fmt::Debug for Acceptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acceptor")
            .field("limits", &self.limits)
            .field("tickets", &self.tickets)
            .field("stats", &self.stats)
            .finish_non_exhaustive()
    }
}
