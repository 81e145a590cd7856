//! Our client.

use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use embedded_io_async::{ErrorKind, Read, Write};
use morgana_exec::{Executor, ManualClock, Timers};
use morgana_http::{Ask, Client, ClientError, ClientLimits};
use morgana_tls::{AcceptError, Connector, Roots};

use crate::certificates::CA;
use crate::server::now;
use crate::socket::Socket;

/// What became of a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Asked {
    /// The status.
    pub status: u16,
    /// The content.
    pub content: Vec<u8>,
}

/// The largest content.
const MOST: usize = 8 << 20;

/// The authority of the tests.
///
/// # Panics
///
/// If it is none.
pub fn roots() -> Roots {
    Roots::from_pem(CA).expect("it is one of the tests'")
}

/// Connects to a server, which must show a certificate for `name` where there is one (and speaks plain http where not), and asks for all `asks` on one
/// connection; the outer error is the handshake's.
///
/// # Errors
///
/// [`AcceptError`].
///
/// # Panics
///
/// If nobody is at the address.
pub fn ask(
    address: SocketAddr,
    name: Option<&str>,
    asks: Vec<Ask<'static>>,
) -> Result<Vec<Result<Asked, ClientError>>, AcceptError<ErrorKind>> {
    let name = name.map(str::to_owned);
    let mut executor = Executor::new();
    let timers = executor.handle().timers();
    let stream = TcpStream::connect(address).expect("a server is there");
    let socket = Socket::new(stream).expect("options of a socket");
    let asking = async move {
        let Some(name) = name else {
            return Ok(all(socket, timers, &asks).await);
        };
        let time = Duration::from_secs(10);
        let connector = Connector::new(now, timers.clone(), roots(), &[b"http/1.1"], time);
        let stream = connector.connect(&name, socket).await?;
        Ok(all(stream, timers, &asks).await)
    };
    // Sockets block, so that no task ever waits for the time.
    let clock = ManualClock::default();
    executor.block_on(asking, &mut clock.idle(), &clock)
}

async fn all(
    stream: impl Read + Write,
    timers: Timers,
    asks: &[Ask<'static>],
) -> Vec<Result<Asked, ClientError>> {
    let mut client = Client::new(stream, timers, ClientLimits::default());
    let mut answers = Vec::new();
    for ask in asks {
        answers.push(match client.send(ask, b"").await {
            Ok(mut reply) => {
                let status = reply.head().code();
                let content = reply.read_to_end(MOST).await;
                content.map(|content| Asked { status, content })
            }
            Err(error) => Err(error),
        });
    }
    answers
}
