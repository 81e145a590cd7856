//! Clients on the network: a request a POST.

use std::fmt::Display;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use morgana_exec::Handle;
use morgana_http::{
    BodyError, Handler, Limits, Method, Methods, Read, Response, Route, Router, Server, Status,
    read_to_end,
};
use morgana_linux::Reactor;
use morgana_sockets::{Host, Listener};
use serde_json::Value;

use super::guests::{Guests, Names};
use super::problem::{Kind, Problem, answer};
use super::request::{Asked, Request};
use super::token::Token;
use crate::cli;

/// Clients at a time. One more is told so (503).
const MAX_CLIENTS: usize = 64;
/// The longest request, in bytes. A longer one is refused (413).
const LONGEST: usize = 64 << 10;
/// How long nobody is accepted after that has failed.
const PAUSE: Duration = Duration::from_millis(100);
/// When to ask again while memory is short, in seconds.
const RETRY_AFTER: u32 = 5;

const JSON: &str = "application/json";
const NO_STORE: &[(&str, &str)] = &[("Cache-Control", "no-store")];
const WHO: &[(&str, &str)] = &[("WWW-Authenticate", "Bearer")];

#[derive(Clone, Copy, Debug)]
enum Resource {
    Ask,
    Health,
}

static ROUTES: Router<Resource> = Router::new(&[
    Route::new(Methods::NONE.with(Method::Post), "/ask", Resource::Ask),
    Route::get("/healthz", Resource::Health),
]);

/// Where clients on the network are served.
pub(super) struct Network {
    listener: Listener,
    host: Host,
    token: Token,
    guests: Guests,
}

impl Network {
    /// Listens.
    ///
    /// # Errors
    ///
    /// Why not, in one line.
    pub(super) fn listen(
        wanted: &cli::Network,
        tasks: &Handle,
        reactor: &Reactor,
    ) -> Result<Option<Self>, String> {
        let (Some(address), Some(token), Some(guests)) =
            (wanted.listen, &wanted.token_file, &wanted.guests)
        else {
            // The command line has all of them or none.
            return Ok(None);
        };
        let told = |what: &dyn Display, error| format!("{what}: {error}");
        let token = Token::read(token)?;
        let guests = Guests::open(guests).map_err(|error| told(&guests.display(), error))?;
        let host = Host::over(tasks.clone(), reactor.clone());
        let listener = Listener::bind(&host, address).map_err(|error| told(&address, error))?;
        Ok(Some(Self {
            listener,
            host,
            token,
            guests,
        }))
    }

    /// Where it listens.
    pub(super) fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Takes clients, each as a task, for ever.
    pub(super) async fn accept(self, asked: impl Asked + 'static) {
        let Self {
            listener,
            host,
            token,
            guests,
        } = self;
        let door = Door {
            asked,
            token,
            guests,
        };
        let limits = Limits {
            connections: MAX_CLIENTS,
            body: LONGEST as u64,
            ..Limits::DEFAULT
        };
        let server = Rc::new(Server::new(door, host.timers(), limits));
        loop {
            let Ok((mut stream, peer)) = listener.accept().await else {
                // Out of descriptors, or of memory: it passes.
                host.timers().sleep(PAUSE).await;
                continue;
            };
            let server = Rc::clone(&server);
            // Without a task for it the client is closed.
            let _ = host.tasks().spawn(async move {
                server.serve_from(Some(peer.ip()), &mut stream).await;
            });
        }
    }
}

struct Door<A> {
    asked: A,
    token: Token,
    guests: Guests,
}

impl<A: Asked> Door<A> {
    async fn ask(
        &self,
        request: &morgana_http::Request<'_>,
        body: &mut impl Read<Error = BodyError>,
    ) -> Result<Value, Problem> {
        let authorization = request.headers().only("authorization");
        if !self.token.is_said_by(authorization) {
            let why = "wanted: Authorization: Bearer TOKEN";
            return Err(Problem::new(Kind::Unauthorized, why));
        }
        let bytes = read_to_end(body, LONGEST).await;
        // The server itself tells the client why.
        let bytes = bytes.map_err(Problem::failed)?;
        let mut request = Request::parse(&bytes)?;
        if let Some(config) = request.config() {
            *config = self.guests.resolve(config)?;
        }
        self.asked.act(request, Names::Within(&self.guests)).await
    }
}

impl<A: Asked> Handler for Door<A> {
    fn methods(&self, request: &morgana_http::Request<'_>) -> Methods {
        ROUTES.methods(request.path())
    }

    async fn handle<'h>(
        &'h self,
        request: &morgana_http::Request<'_>,
        body: &mut impl Read<Error = BodyError>,
    ) -> Response<'h> {
        let found = ROUTES.find(request.method(), request.path());
        match found.map(|found| *found.target) {
            None => Response::text(Status::NOT_FOUND),
            Some(Resource::Health) => Response::ok("text/plain", b"ok\n").fields(NO_STORE),
            Some(Resource::Ask) => response(&self.ask(request, body).await),
        }
    }
}

fn response(done: &Result<Value, Problem>) -> Response<'static> {
    let kind = done.as_ref().err().map(|problem| problem.kind);
    let status = kind.map_or(Status::OK, Kind::status);
    let response = Response::empty(status)
        .content(JSON, answer(done).into_bytes())
        .fields(NO_STORE);
    match kind {
        Some(Kind::Unauthorized) => response.more_fields(WHO),
        Some(Kind::OutOfMemory) => response.retry_after(RETRY_AFTER),
        _ => response,
    }
}

#[cfg(test)]
#[path = "network_tests.rs"]
mod tests;
