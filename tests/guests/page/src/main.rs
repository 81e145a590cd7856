//! A guest that serves one page of 612 bytes, as long as nginx's own first page, to be measured.
//!
//! It is the website's server without the website: the same network, the same listener, the same HTTP, and the same fields as nginx sends; on port 80,
//! and on port 443 with TLS.

#![cfg_attr(target_os = "none", no_std, no_main)]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::boxed::Box;
use alloc::rc::Rc;
use core::time::Duration;

use morgana::net::{ListenOptions, TcpListener};
use morgana::{Domain, Platform, log};
use morgana_hal::Clock;
use morgana_http::{
    BodyError, EntityTag, Handler, Limits, Read, Request, Response, Server, Status, UnixTime,
};
use morgana_tls::{Acceptor, Certificates, Identity};

morgana::main!(serve);

static PAGE: &[u8; 612] = include_bytes!("page.html");
/// As the nginx that it is compared with: a certificate of the tests, with a key that everybody knows.
const CHAIN: &[u8] = include_bytes!("../../../../net/tls/tests/certs/p256.cert.pem");
const KEY: &[u8] = include_bytes!("../../../../net/tls/tests/certs/p256.key.pem");
/// A day in 2026: the page has not changed since.
const MODIFIED: UnixTime = UnixTime(1_772_000_000);

struct Page<P>(P);

impl<P: Platform> Handler for Page<P> {
    async fn handle<'h>(
        &'h self,
        request: &Request<'_>,
        _: &mut impl Read<Error = BodyError>,
    ) -> Response<'h> {
        match request.path() {
            "/" => Response::ok("text/html", PAGE.as_slice())
                .etag(EntityTag::strong("699e90d0-264"))
                .last_modified(MODIFIED),
            _ => Response::text(Status::NOT_FOUND),
        }
    }

    fn time(&self) -> Option<UnixTime> {
        Some(UnixTime(self.0.clock().wall().unix_seconds()))
    }
}

async fn serve<P: Platform>(domain: Domain<P>) -> Result<(), Box<dyn core::error::Error>> {
    let network = domain.network().await?;
    // Hundreds of connections come at once.
    let options = ListenOptions {
        backlog: 512,
        ..ListenOptions::default()
    };
    let plain = TcpListener::bind(network.stack(), 80, options)?;
    let secure = TcpListener::bind(network.stack(), 443, options)?;
    let limits = Limits {
        connections: domain.command_line().parse("tcp-connections", 1024)?,
        // As the nginx that it is compared with: idle connections stay, and none is closed for the number of its requests.
        idle_time: Duration::from_secs(3600),
        requests: u32::MAX,
        ..Limits::default()
    };
    let page = Page(domain.platform().clone());
    let server = Rc::new(Server::new(page, domain.timers(), limits));
    domain
        .tasks()
        .spawn(https(domain.clone(), secure, server.clone()))?;
    log::info!("serving");
    loop {
        let mut stream = plain.accept().await;
        let server = Rc::clone(&server);
        spawn(&domain, async move {
            server.serve(&mut stream).await;
        });
    }
}

async fn https<P: Platform>(domain: Domain<P>, listener: TcpListener, server: Rc<Server<Page<P>>>) {
    let certificates = match Identity::from_pem(CHAIN, KEY) {
        Ok(identity) => Certificates::new().or_else(identity),
        Err(error) => return log::error!("the certificate: {error}"),
    };
    let limits = morgana_tls::Limits {
        handshakes: 512,
        ..morgana_tls::Limits::default()
    };
    let platform = domain.platform().clone();
    let now = move || platform.clock().wall();
    let acceptor = Acceptor::new(now, domain.timers(), certificates, &[b"http/1.1"], limits);
    let acceptor = match acceptor {
        Ok(acceptor) => Rc::new(acceptor),
        Err(error) => return log::error!("no https: {error}"),
    };
    loop {
        let stream = listener.accept().await;
        let (server, acceptor) = (Rc::clone(&server), Rc::clone(&acceptor));
        spawn(&domain, async move {
            if let Ok(mut stream) = acceptor.accept(stream).await {
                server.serve(&mut stream).await;
                let _ = stream.close().await;
            }
        });
    }
}

fn spawn<P: Platform>(domain: &Domain<P>, task: impl Future<Output = ()> + 'static) {
    if let Err(error) = domain.tasks().spawn(task) {
        log::warn!("connection refused: {error}");
    }
}
