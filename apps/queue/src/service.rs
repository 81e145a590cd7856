//! The service: what is asked by HTTP, and which part answers it.

use alloc::boxed::Box;
use alloc::rc::Rc;
use core::cell::Cell;
use core::fmt;

use morgana_block::BlockDevice;
use morgana_exec::Timers;
use morgana_hal::Instant;
use morgana_http::{
    BodyError, Exchange, Handler, Method, Methods, Read, Relayed, Request, Response, Route, Router,
    Server, Status, UnixTime, Write,
};
use morgana_queue::QueueError;

use crate::answer::Refusal;
use crate::{Settings, Store};

/// A handler that serves the queue of a disk. Whoever reaches it may do everything: it belongs on a network of the operator's.
pub struct Service<D, C> {
    pub(crate) store: Rc<Store<D, C>>,
    pub(crate) settings: Settings,
    pub(crate) timers: Timers,
    pub(crate) started: Instant,
    /// Requests for a lease that wait.
    pub(crate) waiting: Cell<usize>,
    unix_seconds: Box<dyn Fn() -> u64>,
}

#[derive(Clone, Copy, Debug)]
enum Resource {
    Jobs,
    Leases,
    Acknowledge,
    Fail,
    Extend,
    Dead,
    Letter,
    Requeue,
    Stats,
    Metrics,
    Health,
}

const POST: Methods = Methods::NONE.with(Method::Post);

static ROUTES: Router<Resource> = Router::new(&[
    Route::new(POST, "/jobs", Resource::Jobs),
    Route::new(POST, "/leases", Resource::Leases),
    Route::new(POST, "/jobs/:id/acknowledge", Resource::Acknowledge),
    Route::new(POST, "/jobs/:id/fail", Resource::Fail),
    Route::new(POST, "/jobs/:id/extend", Resource::Extend),
    Route::get("/dead", Resource::Dead),
    Route::new(
        Methods::NONE.with(Method::Delete),
        "/dead/:id",
        Resource::Letter,
    ),
    Route::new(POST, "/dead/:id/requeue", Resource::Requeue),
    Route::get("/stats", Resource::Stats),
    Route::get("/metrics", Resource::Metrics),
    Route::get("/healthz", Resource::Health),
]);

impl<D: BlockDevice + 'static, C: Fn() -> u64 + Clone + 'static> Service<D, C> {
    /// A server of the queue.
    pub fn server(
        store: Rc<Store<D, C>>,
        timers: Timers,
        settings: Settings,
        unix_seconds: impl Fn() -> u64 + 'static,
    ) -> Rc<Server<Self>> {
        let service = Self {
            store,
            settings,
            started: timers.now(),
            timers: timers.clone(),
            waiting: Cell::new(0),
            unix_seconds: Box::new(unix_seconds),
        };
        Rc::new(Server::new(service, timers, settings.server))
    }

    /// What is told of a refusal; if it is a failure of the disk, it is noted.
    pub(crate) fn refuse(&self, refusal: Refusal) -> Response<'static> {
        if let Refusal::Queue(QueueError::Device(error)) = refusal {
            self.store.note(error);
        }
        refusal.response()
    }

    async fn answer<S: Read + Write>(
        &self,
        request: &Request<'_>,
        exchange: &mut Exchange<'_, '_, S>,
    ) -> Relayed<'static> {
        let Some(found) = ROUTES.find(request.method(), request.path()) else {
            return Relayed::Response(without_route(request));
        };
        let (id, query) = (found.parameters.value("id"), request.query());
        let response = match found.target {
            Resource::Leases => return self.lease(query, exchange).await,
            Resource::Jobs => self.enqueue(query, exchange).await,
            Resource::Acknowledge => self.acknowledge(id, query).await,
            Resource::Fail => self.fail(id, query).await,
            Resource::Extend => self.extend(id, query).await,
            Resource::Dead => self.dead(query).await,
            Resource::Letter => self.purge(id, query).await,
            Resource::Requeue => self.requeue(id, query).await,
            Resource::Stats => self.stats().await,
            Resource::Metrics => self.metrics().await,
            Resource::Health => self.health(),
        };
        Relayed::Response(response.unwrap_or_else(|refusal| self.refuse(refusal)))
    }
}

/// OPTIONS, another method than those of a resource, or no resource.
fn without_route(request: &Request<'_>) -> Response<'static> {
    let methods = ROUTES.methods(request.path());
    match request.method() {
        _ if methods.is_empty() => Refusal::NoResource.response(),
        Method::Options => Response::empty(Status::NO_CONTENT).allow(methods),
        _ => Response::text(Status::METHOD_NOT_ALLOWED).allow(methods),
    }
}

impl<D: BlockDevice + 'static, C: Fn() -> u64 + Clone + 'static> Handler for Service<D, C> {
    const RELAYS: bool = true;

    async fn relay<'h, S: Read + Write>(
        &'h self,
        request: &Request<'_>,
        exchange: &mut Exchange<'_, '_, S>,
    ) -> Relayed<'h> {
        self.answer(request, exchange).await
    }

    /// Never asked: it relays.
    async fn handle<'h>(
        &'h self,
        _request: &Request<'_>,
        _body: &mut impl Read<Error = BodyError>,
    ) -> Response<'h> {
        Response::text(Status::INTERNAL_SERVER_ERROR)
    }

    fn time(&self) -> Option<UnixTime> {
        Some(UnixTime((self.unix_seconds)()))
    }
}

impl<D, C> fmt::Debug for Service<D, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service").finish_non_exhaustive()
    }
}
