//! Accepting connections.

use alloc::rc::Rc;
use core::convert::Infallible;

use morgana::net::TcpListener;
use morgana::{Domain, Platform, log};
use morgana_http::{Handler, Server};

/// Accepts connections, and serves each in a task of its own.
pub async fn serve<P: Platform, H: Handler + 'static>(
    domain: Domain<P>,
    listener: TcpListener,
    server: Rc<Server<H>>,
) -> Infallible {
    loop {
        let mut stream = listener.accept().await;
        let server = Rc::clone(&server);
        let served = domain.tasks().spawn(async move {
            let client = stream.remote_addr().map(|address| address.ip());
            let end = server.serve_from(client, &mut stream).await;
            log::debug!("connection: {end}");
        });
        if let Err(error) = served {
            // The stream is dropped, which resets the connection: the client may try again.
            log::warn!("connection refused: {error}");
        }
    }
}
