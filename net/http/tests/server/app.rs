//! The app that the tests talk to.

use std::cell::RefCell;
use std::sync::LazyLock;
use std::time::Duration;

use morgana_exec::Timers;
use morgana_http::{
    AccessLog, BodyError, EntityTag, Handler, Limits, Method, Methods, Read, Request, Response,
    Status, UnixTime, read_to_end,
};

use crate::support::Rig;

/// The page at `/`.
pub(crate) const PAGE: &[u8] = b"hello, world";

/// The content of `/big`.
pub(crate) static BIG: LazyLock<Vec<u8>> = LazyLock::new(|| {
    (0..50_000u32)
        .map(|number| b'a' + (number % 26) as u8)
        .collect()
});

/// A few resources, and a memory of what was asked.
#[derive(Debug)]
pub(crate) struct App {
    timers: Timers,
    /// The content of `/own`.
    own: String,
    pub(crate) asked: RefCell<Vec<(Method, String)>>,
    pub(crate) log: Option<AccessLog>,
}

impl App {
    pub(crate) fn new(timers: Timers) -> Self {
        Self {
            timers,
            own: "the handler's own".into(),
            asked: RefCell::default(),
            log: None,
        }
    }

    /// A rig with this app.
    pub(crate) fn rig(limits: Limits) -> Rig<Self> {
        Rig::new(Self::new, limits)
    }
}

impl Handler for App {
    fn methods(&self, request: &Request<'_>) -> Methods {
        match request.path() {
            "/echo" | "/ignore" | "/half" => {
                Methods::READ_ONLY.with(Method::Post).with(Method::Put)
            }
            _ => Methods::READ_ONLY,
        }
    }

    async fn handle<'h>(
        &'h self,
        request: &Request<'_>,
        body: &mut impl Read<Error = BodyError>,
    ) -> Response<'h> {
        self.asked
            .borrow_mut()
            .push((request.method(), request.path().into()));
        let response = match request.path() {
            "/" => Response::ok("text/plain", PAGE)
                .etag(EntityTag::strong("v1"))
                .last_modified(UnixTime(784_111_777)),
            "/big" => Response::ok("text/plain", &BIG[..]),
            "/own" => Response::ok("text/plain", self.own.as_bytes()),
            "/echo" => match read_to_end(body, 1 << 20).await {
                Ok(bytes) => Response::ok("text/plain", bytes),
                Err(_) => Response::text(Status::INTERNAL_SERVER_ERROR),
            },
            "/half" => {
                let mut half = [0; 3];
                let mut count = 0;
                while let Ok(more @ 1..) = body.read(&mut half[count..]).await {
                    count += more;
                }
                Response::ok("text/plain", half[..count].to_vec())
            }
            "/ignore" => Response::ok("text/plain", PAGE),
            "/slow" => {
                self.timers.sleep(Duration::from_secs(5)).await;
                Response::ok("text/plain", PAGE)
            }
            "/gone" => Response::empty(Status::NO_CONTENT),
            "/split" => Response::ok("text/plain", PAGE).fields(&[("X", "a\r\nY: b")]),
            "/moved" => Response::redirect(Status::MOVED_PERMANENTLY, &[("Location", "/")]),
            _ => Response::text(Status::NOT_FOUND),
        };
        match request.method() {
            // So that who reads a series of answers knows which are without content.
            Method::Head => response.fields(&[("X-Method", "HEAD")]),
            _ => response,
        }
    }

    fn access_log(&self) -> Option<&AccessLog> {
        self.log.as_ref()
    }

    fn time(&self) -> Option<UnixTime> {
        self.log.as_ref().map(|_| UnixTime(784_111_777))
    }
}
