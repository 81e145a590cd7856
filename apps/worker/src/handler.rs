//! What an operator can ask of a worker.

use alloc::format;
use alloc::rc::Rc;

use morgana_exec::Timers;
use morgana_http::{
    BodyError, Handler, Limits, Method, Methods, Read, Request, Response, Route, Router, Server,
    Status,
};

use crate::Desk;

const NO_STORE: &[(&str, &str)] = &[("Cache-Control", "no-store")];
/// Connections at a time.
const CONNECTIONS: usize = 16;

#[derive(Clone, Copy, Debug)]
enum Resource {
    Drain,
    Stats,
    Health,
}

static ROUTES: Router<Resource> = Router::new(&[
    Route::new(Methods::NONE.with(Method::Post), "/drain", Resource::Drain),
    Route::get("/stats", Resource::Stats),
    Route::get("/healthz", Resource::Health),
]);

/// The handler.
#[derive(Debug)]
pub struct Counter(Desk);

impl Counter {
    /// A server of it.
    pub fn server(desk: Desk, timers: Timers) -> Rc<Server<Self>> {
        let limits = Limits {
            connections: CONNECTIONS,
            ..Limits::DEFAULT
        };
        Rc::new(Server::new(Self(desk), timers, limits))
    }
}

impl Handler for Counter {
    fn methods(&self, request: &Request<'_>) -> Methods {
        ROUTES.methods(request.path())
    }

    async fn handle<'h>(
        &'h self,
        request: &Request<'_>,
        _body: &mut impl Read<Error = BodyError>,
    ) -> Response<'h> {
        let Some(found) = ROUTES.find(request.method(), request.path()) else {
            return Response::text(Status::NOT_FOUND);
        };
        match found.target {
            Resource::Drain => {
                self.0.close();
                Response::text(Status::ACCEPTED)
            }
            Resource::Stats => {
                let (busy, done, failed) = self.0.figures();
                let text = format!("{{\"busy\":{busy},\"done\":{done},\"failed\":{failed}}}\n");
                Response::ok("application/json", text.into_bytes()).fields(NO_STORE)
            }
            Resource::Health => Response::ok("text/plain", b"ok\n").fields(NO_STORE),
        }
    }
}
