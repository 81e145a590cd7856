//! The control interface: who adds back ends, lets them drain, and looks at the figures.

use alloc::format;
use alloc::rc::Rc;
use alloc::string::String;
use core::fmt;
use core::net::SocketAddr;

use morgana_balance::AddError;
use morgana_http::{
    BodyError, Handler, Limits, Method, Methods, Read, Request, Response, Route, Router, Server,
    Status, read_to_end,
};
use morgana_web::Exposition;

use crate::json::parse_object;
use crate::{Network, Shared, metrics, report};

/// Bytes of a request's body at the most.
const BODY: usize = 1024;
const JSON: &str = "application/json";
const NO_STORE: &[(&str, &str)] = &[("Cache-Control", "no-store")];

/// The handler of the control interface. Whoever reaches it may do everything: it belongs on a network of the operator's.
#[derive(Debug)]
pub struct Control<N: Network>(Shared<N>);

#[derive(Clone, Copy, Debug)]
enum Resource {
    Backends,
    Backend,
    Drain,
    Metrics,
    Stats,
    Health,
}

static ROUTES: Router<Resource> = Router::new(&[
    Route::get("/backends", Resource::Backends),
    Route::new(
        Methods::READ_ONLY.with(Method::Put).with(Method::Delete),
        "/backends/:name",
        Resource::Backend,
    ),
    Route::new(
        Methods::NONE.with(Method::Post),
        "/backends/:name/drain",
        Resource::Drain,
    ),
    Route::get("/metrics", Resource::Metrics),
    Route::get("/stats", Resource::Stats),
    Route::get("/healthz", Resource::Health),
]);

impl<N: Network> Control<N> {
    /// A server of the control interface.
    pub fn server(shared: Shared<N>) -> Rc<Server<Self>> {
        let timers = shared.timers().clone();
        let limits = Limits {
            connections: 32,
            body: BODY as u64,
            ..Limits::DEFAULT
        };
        Rc::new(Server::new(Self(shared), timers, limits))
    }

    fn told(
        &self,
        status: Status,
        write: impl FnOnce(&mut String, &Shared<N>) -> fmt::Result,
    ) -> Response<'static> {
        let mut text = String::new();
        match write(&mut text, &self.0) {
            Ok(()) => Response::empty(status)
                .content(JSON, text.into_bytes())
                .fields(NO_STORE),
            Err(_) => Response::text(Status::SERVICE_UNAVAILABLE),
        }
    }

    fn backend(&self, status: Status, name: &str) -> Response<'static> {
        let now = self.0.now();
        let policy = self.0.policy();
        let mut text = String::new();
        match policy
            .find(name)
            .map(|backend| report::backend(&mut text, backend, now))
        {
            Some(Ok(())) => Response::empty(status)
                .content(JSON, text.into_bytes())
                .fields(NO_STORE),
            Some(Err(_)) => Response::text(Status::SERVICE_UNAVAILABLE),
            None => problem(Status::NOT_FOUND, "no such back end"),
        }
    }

    async fn put(&self, name: &str, body: &mut impl Read<Error = BodyError>) -> Response<'static> {
        let Ok(bytes) = read_to_end(body, BODY).await else {
            // The server tells the client why.
            return problem(Status::BAD_REQUEST, "the body broke off");
        };
        let pairs = match parse_object(&bytes) {
            Ok(pairs) => pairs,
            Err(error) => return problem(Status::BAD_REQUEST, error),
        };
        let [(key, address)] = &pairs[..] else {
            return problem(
                Status::BAD_REQUEST,
                "wanted: {\\\"address\\\": \\\"ADDRESS:PORT\\\"}",
            );
        };
        if key != "address" {
            return problem(Status::BAD_REQUEST, "the only key is \\\"address\\\"");
        }
        let address = match address.parse::<SocketAddr>() {
            Ok(address) if address.port() != 0 => address,
            _ => return problem(Status::BAD_REQUEST, "an address is ADDRESS:PORT"),
        };
        let now = self.0.now();
        let is_new = self.0.policy().find(name).is_none();
        let added = self.0.policy().add(name, address, now);
        self.0.look_around();
        match added {
            Ok(_) if is_new => self.backend(Status::CREATED, name),
            Ok(_) => self.backend(Status::OK, name),
            Err(error @ AddError::BadName) => problem(Status::BAD_REQUEST, error),
            Err(error) => problem(Status::CONFLICT, error),
        }
    }

    fn delete(&self, name: &str) -> Response<'static> {
        let removed = self.0.policy().remove(name);
        self.0.look_around();
        match removed {
            Ok(()) => Response::empty(Status::NO_CONTENT),
            Err(error) => problem(Status::NOT_FOUND, error),
        }
    }

    /// Answers with the back end that drains, or that it is gone already.
    fn drain(&self, name: &str) -> Response<'static> {
        let now = self.0.now();
        let draining = self.0.policy().drain(name, now);
        self.0.look_around();
        if let Err(error) = draining {
            return problem(Status::NOT_FOUND, error);
        }
        let is_there = self.0.policy().find(name).is_some();
        match is_there {
            true => self.backend(Status::ACCEPTED, name),
            false => Response::empty(Status::NO_CONTENT),
        }
    }
}

impl<N: Network> Handler for Control<N> {
    fn methods(&self, request: &Request<'_>) -> Methods {
        ROUTES.methods(request.path())
    }

    async fn handle<'h>(
        &'h self,
        request: &Request<'_>,
        body: &mut impl Read<Error = BodyError>,
    ) -> Response<'h> {
        let Some(found) = ROUTES.find(request.method(), request.path()) else {
            return problem(Status::NOT_FOUND, "no such resource");
        };
        let name = found.parameters.value("name").unwrap_or_default();
        match (found.target, request.method()) {
            (Resource::Backends, _) => self.told(Status::OK, report::backends),
            (Resource::Backend, Method::Put) => self.put(name, body).await,
            (Resource::Backend, Method::Delete) => self.delete(name),
            (Resource::Backend, _) => self.backend(Status::OK, name),
            (Resource::Drain, _) => self.drain(name),
            (Resource::Metrics, _) => {
                Exposition::answer("balancer", |text| metrics::write(text, &self.0))
                    .fields(NO_STORE)
            }
            (Resource::Stats, _) => self.told(Status::OK, report::stats),
            (Resource::Health, _) => Response::ok("text/plain", b"ok\n").fields(NO_STORE),
        }
    }
}

/// An error in JSON. Its text is the program's own, escaped where it has to be.
fn problem(status: Status, why: impl fmt::Display) -> Response<'static> {
    let text = format!("{{\"error\":\"{why}\"}}");
    Response::empty(status).content(JSON, text.into_bytes())
}
