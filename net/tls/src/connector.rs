//! A client's way from a stream to a secure one.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use embedded_io_async::{Read, Write};
use morgana_exec::Timers;
use morgana_hal::WallTime;
use rustls::client::UnbufferedClientConnection;
use rustls::{ClientConfig, Error as Rustls, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};

use crate::identity::provider;
use crate::wall::Wall;
use crate::{AcceptError, ClientStream, TlsError, TlsStream};

/// Whom a client trusts.
#[derive(Clone, Debug)]
pub struct Roots(Arc<RootCertStore>);

impl Roots {
    /// From PEM: certificates of authorities.
    ///
    /// # Errors
    ///
    /// [`RootsError`].
    pub fn from_pem(certificates: &[u8]) -> Result<Self, RootsError> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(certificates) {
            let certificate = certificate.map_err(|_| RootsError)?;
            roots.add(certificate).map_err(|_| RootsError)?;
        }
        match roots.is_empty() {
            true => Err(RootsError),
            false => Ok(Self(Arc::new(roots))),
        }
    }
}

/// These are no certificates of authorities.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RootsError;

impl fmt::Display for RootsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("there are no certificates of authorities in PEM")
    }
}

impl core::error::Error for RootsError {}

/// Makes secure streams of those that this domain has opened as a client.
pub struct Connector {
    now: Box<dyn Fn() -> WallTime>,
    timers: Timers,
    time_limit: Duration,
    wall: Arc<Wall>,
    config: Arc<ClientConfig>,
}

impl Connector {
    /// A connector that trusts `roots`, asks for `protocols` (ALPN), and gives a handshake `time_limit`.
    /// `now` is the time of day.
    pub fn new(
        now: impl Fn() -> WallTime + 'static,
        timers: Timers,
        roots: Roots,
        protocols: &[&[u8]],
        time_limit: Duration,
    ) -> Self {
        let wall = Arc::new(Wall::default());
        let mut config = ClientConfig::builder_with_details(provider().into(), wall.clone())
            .with_safe_default_protocol_versions()
            .expect("ring has cipher suites of both versions")
            .with_root_certificates(roots.0)
            .with_no_client_auth();
        config.alpn_protocols = protocols
            .iter()
            .map(|&name| name.to_vec())
            .collect::<Vec<_>>();
        Self {
            now: Box::new(now),
            timers,
            time_limit,
            wall,
            config: Arc::new(config),
        }
    }

    /// Goes through the handshake with the server on `stream`, which must show a certificate for `name`.
    ///
    /// # Errors
    ///
    /// [`AcceptError`]; the stream is dropped then.
    pub async fn connect<S: Read + Write>(
        &self,
        name: &str,
        stream: S,
    ) -> Result<ClientStream<S>, AcceptError<S::Error>> {
        self.wall.set((self.now)());
        let bad_name = || Rustls::General(String::from("no name of a server"));
        let name =
            ServerName::try_from(name.to_string()).map_err(|_| TlsError::Protocol(bad_name()))?;
        let connection = UnbufferedClientConnection::new(self.config.clone(), name);
        let mut stream = TlsStream::new(stream, connection.map_err(TlsError::Protocol)?);
        let shaken = self.timers.timeout(self.time_limit, stream.shake_hands());
        shaken.await.map_err(|_| AcceptError::TimedOut)??;
        Ok(stream)
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector")
            .field("time_limit", &self.time_limit)
            .finish_non_exhaustive()
    }
}
