//! Requests in, pages and figures out.

use alloc::borrow::Cow;
use alloc::rc::{Rc, Weak};
use core::fmt;

use morgana::netfront::Monitor;
use morgana_assets::{Asset, Content, Found};
use morgana_exec::{TimeOfDay, Timers};
use morgana_hal::{Clock, Instant, Platform};
use morgana_http::{
    AccessLog, BodyError, Coding, EntityTag, Handler, Limits, Methods, Read, Request, Response,
    Route, Router, Server, Status, UnixTime,
};
use morgana_net_stack::Stack;
use morgana_web::Exposition;

use crate::access::{Logging, WAITING_LINES};
use crate::headers::{FOR_FIGURES, FOR_FILES, FOR_HASHED, FOR_PAGES};
use crate::metrics::{self, Readings};
use crate::pages::PAGES;

/// The website as a handler of requests.
#[derive(Debug)]
pub struct Site<P: Platform> {
    platform: P,
    started: Instant,
    time: TimeOfDay,
    stack: Stack,
    device: Option<Monitor<P>>,
    /// The server that this is the handler of: its counters are shown.
    server: Weak<Server<Self>>,
    options: Options,
    access_log: Option<AccessLog>,
}

/// What a website is told beyond what it is made of.
#[derive(Clone, Default)]
pub struct Options {
    /// Fields that every answer has besides its own.
    pub always: &'static [(&'static str, &'static str)],
    /// Whether requests are logged.
    pub access_log: Logging,
    /// Writes figures behind the website's own.
    pub figures: Option<Rc<MoreFigures>>,
}

/// What writes figures.
pub type MoreFigures = dyn Fn(&mut Exposition) -> fmt::Result;

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("access_log", &self.access_log)
            .finish_non_exhaustive()
    }
}

/// What a path of the website names.
#[derive(Clone, Copy, Debug)]
enum Resource {
    Figures,
    Health,
    File,
}

static ROUTES: Router<Resource> = Router::new(&[
    Route::get("/metrics", Resource::Figures),
    Route::get("/healthz", Resource::Health),
    Route::get("/*file", Resource::File),
]);

impl<P: Platform> Site<P> {
    /// A server of the website, whose figures are those of `platform`, of `stack` and of the `device` under it, and of itself.
    pub fn server(
        platform: P,
        stack: Stack,
        device: Option<Monitor<P>>,
        timers: Timers,
        limits: Limits,
    ) -> Rc<Server<Self>> {
        let options = Options::default();
        Self::server_with(platform, stack, device, timers, limits, options)
    }

    /// As [`server`](Self::server), with options.
    pub fn server_with(
        platform: P,
        stack: Stack,
        device: Option<Monitor<P>>,
        timers: Timers,
        limits: Limits,
        options: Options,
    ) -> Rc<Server<Self>> {
        Rc::new_cyclic(|server| {
            let site = Self {
                started: platform.clock().now(),
                time: TimeOfDay::new(platform.clone(), timers.clone()),
                platform,
                stack,
                device,
                server: server.clone(),
                access_log: match options.access_log {
                    Logging::Off => None,
                    Logging::On => Some(AccessLog::new(WAITING_LINES)),
                },
                options,
            };
            Server::new(site, timers, limits)
        })
    }

    fn readings(&self) -> Readings {
        Readings {
            uptime: self.platform.clock().now().since(self.started),
            usage: self.platform.usage(),
            http: self
                .server
                .upgrade()
                .map(|server| server.stats().snapshot())
                .unwrap_or_default(),
            stack: self.stack.stats(),
            device: self.device.as_ref().map(Monitor::stats),
        }
    }

    fn metrics(&self) -> Response<'static> {
        let answer = Exposition::answer("morgana", |text| {
            metrics::write(text, &self.readings())?;
            match &self.options.figures {
                Some(more) => more(text),
                None => Ok(()),
            }
        });
        answer.fields(FOR_FIGURES)
    }
}

impl<P: Platform> Handler for Site<P> {
    fn methods(&self, request: &Request<'_>) -> Methods {
        ROUTES.methods(request.path())
    }

    async fn handle<'h>(
        &'h self,
        request: &Request<'_>,
        _body: &mut impl Read<Error = BodyError>,
    ) -> Response<'h> {
        let found = ROUTES.find(request.method(), request.path());
        let response = match found.map(|route| route.target) {
            Some(Resource::Figures) => self.metrics(),
            Some(Resource::Health) => {
                Response::ok("text/plain; charset=utf-8", b"ok\n").fields(FOR_FIGURES)
            }
            Some(Resource::File) => file(request, request.path()),
            None => missing(request),
        };
        response.more_fields(self.options.always)
    }

    fn access_log(&self) -> Option<&AccessLog> {
        self.access_log.as_ref()
    }

    fn time(&self) -> Option<UnixTime> {
        Some(UnixTime(self.time.now().unix_seconds()))
    }
}

/// The answer to a request for a file of the image.
fn file(request: &Request<'_>, path: &str) -> Response<'static> {
    match PAGES.find(path) {
        Found::Asset(asset) => page(request, asset),
        Found::Redirect(to) => Response::empty(Status::PERMANENT_REDIRECT).location(to),
        Found::Missing => missing(request),
    }
}

fn page(request: &Request<'_>, asset: &'static Asset) -> Response<'static> {
    let fields = match asset.path {
        _ if asset.content_type.starts_with("text/html") => FOR_PAGES,
        "/style.css" | "/search.js" | "/status.js" | "/search.json" => FOR_HASHED,
        _ => FOR_FILES,
    };
    let response = in_best_form(request, asset).fields(fields);
    match asset.modified_unix_seconds {
        Some(seconds) => response.last_modified(UnixTime(seconds)),
        None => response,
    }
}

fn missing(request: &Request<'_>) -> Response<'static> {
    let response = match PAGES.find("/404.html") {
        Found::Asset(asset) => in_best_form(request, asset).fields(FOR_PAGES),
        _ => return Response::text(Status::NOT_FOUND),
    };
    response.status(Status::NOT_FOUND)
}

/// A file in the form that the client wants most.
fn in_best_form(request: &Request<'_>, asset: &'static Asset) -> Response<'static> {
    let response = |etag, bytes: Cow<'static, [u8]>| {
        Response::ok(asset.content_type, bytes).etag(EntityTag::strong(etag))
    };
    let packed = match asset.content {
        Content::Plain(bytes) => return response(asset.etag, bytes.into()),
        Content::Packed(packed) => packed,
    };
    let available = [Coding::Brotli, Coding::Gzip, Coding::Identity];
    let available = match packed.brotli {
        Some(_) => &available[..],
        None => &available[1..],
    };
    let coding = Coding::choose(request, available);
    let encoded = match coding {
        Some(Coding::Brotli) => packed.brotli,
        Some(Coding::Gzip) => Some(packed.gzip),
        Some(Coding::Identity) => None,
        None => return Response::text(Status::NOT_ACCEPTABLE).coded(Coding::Identity),
    };
    match (encoded, coding) {
        (Some(encoded), Some(coding)) => response(encoded.etag, encoded.bytes.into()).coded(coding),
        _ => match asset.content.unpack() {
            Ok(content) => response(asset.etag, content).coded(Coding::Identity),
            Err(_) => Response::text(Status::SERVICE_UNAVAILABLE).coded(Coding::Identity),
        },
    }
}
