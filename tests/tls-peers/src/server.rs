//! Our server, in a thread of its own.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::thread::{self, JoinHandle};
use std::time::{SystemTime, UNIX_EPOCH};

use embedded_io_async::{ErrorKind as Below, Read};
use morgana_exec::{Executor, ManualClock, Timers};
use morgana_hal::WallTime;
use morgana_http::{BodyError, Handler, Request, Response, Server, Status};
use morgana_tls::{AcceptError, Acceptor, Certificates, Limits, ServerStream};

use crate::certificates::{ED25519, P256, RSA, identity};
use crate::socket::Socket;

/// A connection that has been accepted.
pub type Stream = ServerStream<Socket>;

/// Our server: it accepts one connection after the other, as the script of a test says.
#[derive(Debug)]
pub struct Ours {
    listener: TcpListener,
    timers: Timers,
    /// The acceptor, to replace its certificates and to look at its counters.
    pub acceptor: Acceptor,
}

/// A server that runs.
#[derive(Debug)]
pub struct Running<T> {
    /// Its port of 127.0.0.1.
    pub port: u16,
    thread: JoinHandle<T>,
}

impl<T> Running<T> {
    /// What the script has come to.
    ///
    /// # Panics
    ///
    /// If the script has.
    pub fn join(self) -> T {
        self.thread.join().expect("the server's script")
    }
}

/// The time of day, by the system.
pub(crate) fn now() -> WallTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let nanos = since.map_or(0, |since| since.as_nanos());
    WallTime::from_unix_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

impl Ours {
    /// Runs a script with a server that has certificates for `example.test` (and everybody else), `ed.test` and `rsa.test`.
    ///
    /// # Errors
    ///
    /// Those of the socket.
    pub fn run<T, F>(script: impl FnOnce(Self) -> F + Send + 'static) -> io::Result<Running<T>>
    where
        T: Send + 'static,
        F: Future<Output = T> + 'static,
    {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        let thread = thread::spawn(move || {
            let mut executor = Executor::new();
            let timers = executor.handle().timers();
            let mut certificates = Certificates::new().or_else(identity(P256));
            for (name, files) in [("ed.test", ED25519), ("rsa.test", RSA)] {
                let added = certificates.add(name, identity(files));
                added.expect("the certificate is for that name");
            }
            let protocols: &[&[u8]] = &[b"http/1.1"];
            let limits = Limits::default();
            let acceptor = Acceptor::new(now, timers.clone(), certificates, protocols, limits);
            let ours = Self {
                listener,
                timers,
                acceptor: acceptor.expect("Linux has random bytes"),
            };
            // Sockets block, so that no task ever waits for the time.
            let clock = ManualClock::default();
            executor.block_on(script(ours), &mut clock.idle(), &clock)
        });
        Ok(Running { port, thread })
    }

    /// Accepts the next connection.
    ///
    /// # Errors
    ///
    /// [`AcceptError`].
    ///
    /// # Panics
    ///
    /// If the system has none.
    pub async fn accept(&self) -> Result<Stream, AcceptError<Below>> {
        let (stream, _) = self.listener.accept().expect("a connection");
        let socket = Socket::new(stream).expect("options of a socket");
        self.acceptor.accept(socket).await
    }

    /// Serves pages on a connection to its end.
    pub async fn serve(&self, stream: &mut Stream) {
        let limits = morgana_http::Limits::default();
        let server = Server::new(Pages, self.timers.clone(), limits);
        server.serve(stream).await;
        // The client may have gone.
        let _ = stream.close().await;
    }

    /// Accepts so many connections and serves pages on each; what is refused counts, too.
    pub async fn serve_next(&self, connections: usize) -> Vec<Option<AcceptError<Below>>> {
        let mut ends = Vec::new();
        for _ in 0..connections {
            ends.push(match self.accept().await {
                Ok(mut stream) => {
                    self.serve(&mut stream).await;
                    None
                }
                Err(error) => Some(error),
            });
        }
        ends
    }
}

/// A page of so many bytes, of which each tells its place.
pub fn page(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|place| b'a' + (place % 23) as u8).collect()
}

/// Pages: the path says how many bytes they have.
struct Pages;

impl Handler for Pages {
    async fn handle<'h>(
        &'h self,
        request: &Request<'_>,
        _: &mut impl Read<Error = BodyError>,
    ) -> Response<'h> {
        match request.path()[1..].parse() {
            Ok(bytes) => Response::ok("text/plain", page(bytes)),
            Err(_) => Response::text(Status::NOT_FOUND),
        }
    }
}
