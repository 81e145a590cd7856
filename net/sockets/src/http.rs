//! HTTP over a host's sockets.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use morgana_http::{Connect, ConnectFailed, Handler, Server};

use crate::{Host, Listener, Stream};

/// How long to wait when no connection can be accepted, as there is no descriptor left.
const PAUSE: Duration = Duration::from_millis(100);

impl Connect for Host {
    type Stream = Stream;

    async fn connect(&self, to: SocketAddr) -> Result<Stream, ConnectFailed> {
        let connecting = Stream::connect(self, to);
        connecting.await.map_err(|_| ConnectFailed)
    }
}

/// Accepts connections, and serves each in a task of its own.
pub async fn serve<H: Handler + 'static>(
    host: Host,
    listener: Listener,
    server: Rc<Server<H>>,
) -> Infallible {
    loop {
        let Ok((mut stream, peer)) = listener.accept().await else {
            host.timers().sleep(PAUSE).await;
            continue;
        };
        let server = Rc::clone(&server);
        // Without a task for it, the stream is dropped: the client may try again.
        let _ = host.tasks().spawn(async move {
            server.serve_from(Some(peer.ip()), &mut stream).await;
        });
    }
}
