//! The page with the charts, and what workers tell.

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::time::Duration;

use morgana_actors::{Address, RequestError};
use morgana_exec::Timers;
use morgana_http::{
    BodyError, Handler, Limits, Method, Methods, Read, Request, Response, Route, Router, Server,
    Status, read_to_end,
};
use serde::Deserialize;

use crate::recorder::RecorderMessage;

const PAGE: &[u8] = include_bytes!("panel.html");
const JSON: &str = "application/json";
const NO_STORE: &[(&str, &str)] = &[("Cache-Control", "no-store")];
/// Bytes of what a worker tells at the most.
const BODY: usize = 1024;
/// How long the recorder may take.
const TIME: Duration = Duration::from_secs(2);
/// Connections at a time.
const CONNECTIONS: usize = 128;

#[derive(Clone, Copy, Debug)]
enum Resource {
    Page,
    Series,
    Done,
    Health,
}

static ROUTES: Router<Resource> = Router::new(&[
    Route::get("/", Resource::Page),
    Route::get("/series", Resource::Series),
    Route::new(Methods::NONE.with(Method::Post), "/done", Resource::Done),
    Route::get("/healthz", Resource::Health),
]);

/// What a worker tells of a job.
#[derive(Deserialize)]
struct Done {
    job: u64,
}

/// The handler.
#[derive(Debug)]
pub struct Panel {
    recorder: Address<RecorderMessage>,
    timers: Timers,
}

impl Panel {
    /// A server of it.
    pub fn server(recorder: Address<RecorderMessage>, timers: Timers) -> Rc<Server<Self>> {
        let limits = Limits {
            connections: CONNECTIONS,
            body: BODY as u64,
            ..Limits::DEFAULT
        };
        let panel = Self {
            recorder,
            timers: timers.clone(),
        };
        Rc::new(Server::new(panel, timers, limits))
    }

    async fn series(&self, query: &str) -> Response<'static> {
        let from = query.strip_prefix("from=");
        let from = from.and_then(|from| from.parse().ok()).unwrap_or(0);
        let asked = self.recorder.request(&self.timers, TIME, |reply| {
            RecorderMessage::Tell(from, reply)
        });
        match asked.await {
            Ok(text) => Response::ok(JSON, text.into_bytes()).fields(NO_STORE),
            Err(RequestError::Late) => Response::text(Status::GATEWAY_TIMEOUT),
            Err(_) => Response::text(Status::SERVICE_UNAVAILABLE).retry_after(1),
        }
    }

    async fn done(&self, body: &mut impl Read<Error = BodyError>) -> Response<'static> {
        // Whatever is wrong with the body itself the server tells the client.
        let bytes: Vec<u8> = read_to_end(body, BODY).await.unwrap_or_default();
        let Ok(Done { job }) = serde_json::from_slice(&bytes) else {
            let why = b"{\"error\":\"wanted: {\\\"job\\\": NUMBER}\"}\n";
            return Response::empty(Status::BAD_REQUEST).content(JSON, why);
        };
        match self.recorder.try_send(RecorderMessage::Done(job)) {
            Ok(()) => Response::empty(Status::NO_CONTENT),
            Err(_) => Response::text(Status::SERVICE_UNAVAILABLE).retry_after(1),
        }
    }
}

impl Handler for Panel {
    fn methods(&self, request: &Request<'_>) -> Methods {
        ROUTES.methods(request.path())
    }

    async fn handle<'h>(
        &'h self,
        request: &Request<'_>,
        body: &mut impl Read<Error = BodyError>,
    ) -> Response<'h> {
        let Some(found) = ROUTES.find(request.method(), request.path()) else {
            return Response::text(Status::NOT_FOUND);
        };
        match found.target {
            Resource::Page => Response::ok("text/html; charset=utf-8", PAGE).fields(NO_STORE),
            Resource::Series => self.series(request.query().unwrap_or_default()).await,
            Resource::Done => self.done(body).await,
            Resource::Health => Response::ok("text/plain", b"ok\n").fields(NO_STORE),
        }
    }
}
