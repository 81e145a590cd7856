//! The service itself.

use alloc::vec::Vec;
use core::fmt;

use morgana_exec::yield_now;
use morgana_http::{
    BodyError, Connect, Handler, Method, Methods, Read, Request, Response, Route, Router, Status,
};
use morgana_queue::{JobId, QueueError};

use crate::{Bitmap, Order, Posters, Tile, parameters};

/// Other connections have their turn after so many rows of a tile.
const ROWS: u32 = 8;
/// A poster of which nothing is said.
const POSTER: (u32, u32) = (256, 1000);
/// Bytes of an order's key at the most.
const KEY: usize = 64;

const PAGE: &[u8] = include_bytes!("page.html");
const JSON: &str = "application/json";
const NO_STORE: &[(&str, &str)] = &[("Cache-Control", "no-store")];
/// A tile never changes.
const FOR_EVER: &[(&str, &str)] = &[("Cache-Control", "public, max-age=86400, immutable")];

#[derive(Clone, Copy, Debug)]
enum Resource {
    Page,
    Tile,
    Posters,
    Health,
}

static ROUTES: Router<Resource> = Router::new(&[
    Route::get("/", Resource::Page),
    Route::get("/tiles/:level/:x/:y", Resource::Tile),
    Route::new(
        Methods::NONE.with(Method::Post),
        "/posters",
        Resource::Posters,
    ),
    Route::get("/healthz", Resource::Health),
]);

/// How large tiles are, and how exact.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Pixels in each direction, a multiple of 4.
    pub side: u32,
    /// Steps of a pixel at the most.
    pub iterations: u32,
}

/// The handler: tiles are made while the client waits, posters are ordered.
#[derive(Debug)]
pub struct Site<C: Connect> {
    size: Size,
    posters: Option<Posters<C>>,
}

impl<C: Connect> Site<C> {
    /// A service with tiles of this size. Without a queue posters cannot be ordered.
    pub const fn new(size: Size, posters: Option<Posters<C>>) -> Self {
        Self { size, posters }
    }

    async fn tile(&self, tile: Tile) -> Response<'static> {
        let Size { side, iterations } = self.size;
        let Ok(mut picture) = Bitmap::new(side) else {
            return Response::text(Status::SERVICE_UNAVAILABLE).retry_after(1);
        };
        for row in (0..side).rev() {
            picture.row(tile.row(row, side, iterations), iterations);
            if row % ROWS == 0 {
                yield_now().await;
            }
        }
        Response::ok("image/bmp", picture.into_bytes()).fields(FOR_EVER)
    }

    async fn order(&self, request: &Request<'_>) -> Response<'static> {
        let order = match order(request.query().unwrap_or_default()) {
            Ok(order) => order,
            Err(error) => return problem(Status::BAD_REQUEST, error),
        };
        let key = match key(request) {
            Ok(key) => key,
            Err(error) => return problem(Status::BAD_REQUEST, error),
        };
        let Some(posters) = &self.posters else {
            return problem(Status::SERVICE_UNAVAILABLE, "there is no queue for orders");
        };
        match posters.order(&order, key).await {
            Ok(JobId(id)) => {
                let told = alloc::format!("{{\"id\":{id}}}\n").into_bytes();
                Response::empty(Status::ACCEPTED)
                    .content(JSON, told)
                    .fields(NO_STORE)
            }
            Err(error @ (QueueError::TooLarge | QueueError::Peer)) => {
                problem(Status::BAD_GATEWAY, error)
            }
            Err(error) => problem(Status::SERVICE_UNAVAILABLE, error).retry_after(1),
        }
    }
}

/// The order that a query says: `level`, `x` and `y`, and `side` and `iterations`.
fn order(query: &str) -> Result<Order, alloc::string::String> {
    let number = |name: &str, default: Option<u64>| match parameters::value(query, name) {
        Some(value) => value
            .parse::<u64>()
            .map_err(|_| alloc::format!("{name}: {value} is no number")),
        None => default.ok_or_else(|| alloc::format!("{name} is missing")),
    };
    let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    let level = small(number("level", None)?);
    let tile = Tile::new(level, number("x", None)?, number("y", None)?);
    let side = small(number("side", Some(POSTER.0.into()))?);
    let iterations = small(number("iterations", Some(POSTER.1.into()))?);
    let tile = tile.map_err(|error| alloc::format!("{error}"))?;
    Order::new(tile, side, iterations).map_err(|error| alloc::format!("{error}"))
}

/// The order's own key, by which a client may send it again (draft-ietf-httpapi-idempotency-key-header).
fn key<'r>(request: &Request<'r>) -> Result<Option<&'r str>, &'static str> {
    let Some(value) = request.headers().first("Idempotency-Key") else {
        return Ok(None);
    };
    let fits = |key: &&str| {
        let letters = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        (1..=KEY).contains(&key.len()) && key.bytes().all(letters)
    };
    let text = str::from_utf8(value).ok();
    // As a string of structured fields it may stand in quotes.
    let key = text.map(|text| text.trim_matches('\x22')).filter(fits);
    key.map(Some)
        .ok_or("Idempotency-Key: 1 to 64 letters, digits and hyphens")
}

/// The tile that a path names.
fn tile(found: &morgana_http::router::Match<'_, Resource>) -> Option<Tile> {
    let value = |name: &str| found.parameters.value(name);
    // As a file it would have an ending.
    let y = value("y")?;
    let y = y.strip_suffix(".bmp").unwrap_or(y);
    Tile::new(
        value("level")?.parse().ok()?,
        value("x")?.parse().ok()?,
        y.parse().ok()?,
    )
    .ok()
}

/// An error in JSON. Its text is the program's own and what was checked, but for values, whose quotes and backslashes are left out.
fn problem(status: Status, why: impl fmt::Display) -> Response<'static> {
    let text = alloc::format!("{why}").replace(['"', '\\'], "");
    let text: Vec<u8> = alloc::format!("{{\"error\":\"{text}\"}}\n").into_bytes();
    Response::empty(status).content(JSON, text).fields(NO_STORE)
}

impl<C: Connect> Handler for Site<C> {
    fn methods(&self, request: &Request<'_>) -> Methods {
        ROUTES.methods(request.path())
    }

    async fn handle<'h>(
        &'h self,
        request: &Request<'_>,
        _body: &mut impl Read<Error = BodyError>,
    ) -> Response<'h> {
        let Some(found) = ROUTES.find(request.method(), request.path()) else {
            return problem(Status::NOT_FOUND, "no such resource");
        };
        match found.target {
            Resource::Page => Response::ok("text/html; charset=utf-8", PAGE),
            Resource::Tile => match tile(&found) {
                Some(tile) => self.tile(tile).await,
                None => problem(Status::NOT_FOUND, crate::BadTile),
            },
            Resource::Posters => self.order(request).await,
            Resource::Health => Response::ok("text/plain", b"ok\n").fields(NO_STORE),
        }
    }
}
