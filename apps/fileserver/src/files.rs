//! Requests in, files out.

use alloc::format;
use alloc::rc::Rc;
use core::cell::RefCell;
use core::fmt;

use morgana::log;
use morgana_block::BlockDevice;
use morgana_hal::{Clock, Platform};
use morgana_http::{BodyError, Handler, Read, Request, Response, Status, UnixTime};
use morgana_tar::{Archive, Entry, Kind, Limits};

use crate::content_type;

/// How much an archive may have: rustdoc's pages of a project are some thousand files.
pub const LIMITS: Limits = Limits {
    entries: 8192,
    path_bytes: 1024 * 1024,
};

/// The largest file that is served, in bytes.
const LARGEST_FILE: usize = 2 * 1024 * 1024;
/// What has to be left of the heap beside a file, in bytes: for the connections, and for what they ask.
const RESERVE: usize = 2 * 1024 * 1024;

/// Scripts, styles, pictures, fonts and whatever a script asks for come from this server alone. Pictures in style sheets may be there in full, since rustdoc has some.
const FIELDS: &[(&str, &str)] = &[
    ("Cache-Control", "no-cache"),
    (
        "Content-Security-Policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; \
         base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    ),
    ("X-Content-Type-Options", "nosniff"),
];

/// The files of an archive as a handler of requests. A clone has the same files.
pub struct Files<P, D> {
    platform: P,
    archive: Rc<RefCell<Rc<Archive<D>>>>,
}

impl<P: Clone, D> Clone for Files<P, D> {
    fn clone(&self) -> Self {
        Self {
            platform: self.platform.clone(),
            archive: self.archive.clone(),
        }
    }
}

impl<P: Platform, D: BlockDevice> Files<P, D> {
    /// Those of `archive`.
    pub fn new(platform: P, archive: Rc<Archive<D>>) -> Self {
        Self {
            platform,
            archive: Rc::new(RefCell::new(archive)),
        }
    }

    /// Serves those of another archive from now on; so do all clones.
    pub fn replace(&self, archive: Rc<Archive<D>>) {
        *self.archive.borrow_mut() = archive;
    }

    /// The answer to a request for `path`, which is decoded and normalised.
    pub async fn answer(&self, path: &str) -> Response<'static> {
        let archive = self.archive.borrow().clone();
        let path = path.trim_start_matches('/');
        let found = if path.is_empty() || path.ends_with('/') {
            archive.find(&format!("{path}index.html"))
        } else {
            archive.find(path)
        };
        match found.filter(|entry| entry.kind() == Kind::File) {
            Some(entry) => self.read(&archive, &entry).await,
            None => match archive.find("404.html") {
                Some(page) => {
                    let page = self.read(&archive, &page).await;
                    page.status(Status::NOT_FOUND)
                }
                None => Response::text(Status::NOT_FOUND).fields(FIELDS),
            },
        }
    }

    async fn read(&self, archive: &Archive<D>, entry: &Entry<'_>) -> Response<'static> {
        let size = usize::try_from(entry.size()).unwrap_or(usize::MAX);
        if size <= LARGEST_FILE && !self.has_room(size) {
            return Response::text(Status::SERVICE_UNAVAILABLE).retry_after(1);
        }
        match archive.read(entry, LARGEST_FILE).await {
            Ok(body) => Response::ok(content_type(entry.path()), body)
                .last_modified(UnixTime(entry.modified()))
                .fields(FIELDS),
            Err(error) => {
                log::warn!("{}: {error}", entry.path());
                Response::text(Status::SERVICE_UNAVAILABLE)
            }
        }
    }

    /// Whether a file of so many bytes leaves enough of the heap. Where the heap is not counted, as in a Linux process, it does.
    fn has_room(&self, size: usize) -> bool {
        let usage = self.platform.usage();
        let left = usage.heap_total_bytes.saturating_sub(usage.heap_used_bytes);
        usage.heap_total_bytes == 0 || left >= size.saturating_add(RESERVE)
    }
}

impl<P: Platform, D: BlockDevice> Handler for Files<P, D> {
    async fn handle<'h>(
        &'h self,
        request: &Request<'_>,
        _body: &mut impl Read<Error = BodyError>,
    ) -> Response<'h> {
        self.answer(request.path()).await
    }

    fn time(&self) -> Option<UnixTime> {
        Some(UnixTime(self.platform.clock().wall().unix_seconds()))
    }
}

impl<P, D> fmt::Debug for Files<P, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Files").finish_non_exhaustive()
    }
}
