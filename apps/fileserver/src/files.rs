//! Requests in, files out.

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::fmt;

use morgana::log;
use morgana_assets::content_type;
use morgana_block::BlockDevice;
use morgana_hal::{Clock, Platform};
use morgana_http::{
    BodyError, Coding, Handler, Length, OutputError, Portion, Read, Request, Response, Status,
    Unfinished, UnixTime, Write,
};
use morgana_tar::{Archive, Entry, Limits};

use crate::find::{Form, Found, file, find};
use crate::location;

/// How much an archive may have: rustdoc's pages of a project are some thousand files.
pub const LIMITS: Limits = Limits {
    entries: 8192,
    path_bytes: 1024 * 1024,
};

/// What is read of a file at once, in bytes.
const PIECE: usize = 32 * 1024;
/// What has to be left of the heap beside a piece, in bytes: for the connections, and for what they ask.
const RESERVE: usize = 1024 * 1024;
/// The media type of what browsers shall save.
const BYTES: &str = "application/octet-stream";
/// The page for what is not there.
const MISSING: &str = "404.html";

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

    fn archive(&self) -> Rc<Archive<D>> {
        self.archive.borrow().clone()
    }

    /// A file as the client wants it, or the page that says that it is not there.
    fn response(
        &self,
        archive: &Archive<D>,
        file: Entry<'_>,
        request: &Request<'_>,
    ) -> Response<'static> {
        let Some(form) = Form::choose(archive, file, request) else {
            return Response::text(Status::NOT_ACCEPTABLE).coded(Coding::Identity);
        };
        if !self.has_room() {
            return Response::text(Status::SERVICE_UNAVAILABLE).retry_after(1);
        }
        let content_type = content_type(file.path()).unwrap_or(BYTES);
        let mut response = Response::streamed(content_type, Length::Known(form.entry.size()))
            .in_parts()
            .fields(FIELDS);
        if let Some(coding) = form.coding {
            response = response.coded(coding);
        }
        if let (Some(etag), Some(time)) = (form.etag(), form.modified()) {
            response = response.etag(etag).last_modified(time);
        }
        response
    }

    /// Whether a piece leaves enough of the heap. Where the heap is not counted, as in a Linux process, it does.
    fn has_room(&self) -> bool {
        let usage = self.platform.usage();
        let left = usage.heap_total_bytes.saturating_sub(usage.heap_used_bytes);
        usage.heap_total_bytes == 0 || left >= RESERVE + PIECE
    }
}

impl<P: Platform, D: BlockDevice> Handler for Files<P, D> {
    const STREAMS: bool = true;

    async fn handle<'h>(
        &'h self,
        request: &Request<'_>,
        _body: &mut impl Read<Error = BodyError>,
    ) -> Response<'h> {
        let archive = self.archive();
        let missing = Status::NOT_FOUND;
        match find(&archive, request.path()) {
            Found::File(file) => self.response(&archive, file, request),
            Found::Folder => Response::text(Status::PERMANENT_REDIRECT)
                .location(location::folder(request.path(), request.query())),
            Found::Missing => match file(&archive, MISSING) {
                Some(page) => {
                    let page = self.response(&archive, page, request);
                    page.status(missing)
                }
                None => Response::text(missing).fields(FIELDS),
            },
        }
    }

    async fn stream(
        &self,
        request: &Request<'_>,
        portion: Portion<'_>,
        content: &mut impl Write<Error = OutputError>,
    ) -> Result<(), Unfinished> {
        let archive = self.archive();
        let plain = match find(&archive, request.path()) {
            Found::File(file) => Some(file),
            Found::Folder | Found::Missing => file(&archive, MISSING),
        };
        let form = plain.and_then(|plain| Form::choose(&archive, plain, request));
        // Another archive may have taken the place of the one whose file was announced.
        let form = form
            .filter(|form| form.etag().as_ref() == portion.etag())
            .ok_or(Unfinished)?;
        send(&archive, &form.entry, portion, content).await
    }

    fn time(&self) -> Option<UnixTime> {
        Some(UnixTime(self.platform.clock().wall().unix_seconds()))
    }
}

/// Sends a part of a file, piece by piece.
async fn send<D: BlockDevice>(
    archive: &Archive<D>,
    entry: &Entry<'_>,
    portion: Portion<'_>,
    content: &mut impl Write<Error = OutputError>,
) -> Result<(), Unfinished> {
    let mut at = portion.first();
    let mut left = portion.length().unwrap_or(0);
    let most = usize::try_from(left).map_or(PIECE, |left| left.min(PIECE));
    let mut piece = Vec::new();
    piece.try_reserve_exact(most).map_err(|_| Unfinished)?;
    piece.resize(most, 0);
    while left > 0 {
        // Up to where a piece of the whole file would end, so that all reads but the first begin at a sector. It is less than a piece.
        let aligned = PIECE - (at % PIECE as u64) as usize;
        let wanted = usize::try_from(left).map_or(aligned, |left| left.min(aligned));
        let room = piece.len().min(wanted);
        let read = archive.read_at(entry, at, &mut piece[..room]).await;
        let count = match read {
            Ok(0) => return Err(Unfinished),
            Ok(count) => count,
            Err(error) => {
                log::warn!("{}: {error}", entry.path());
                return Err(Unfinished);
            }
        };
        content.write_all(&piece[..count]).await?;
        at += count as u64;
        left -= count as u64;
    }
    Ok(())
}

impl<P, D> fmt::Debug for Files<P, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Files").finish_non_exhaustive()
    }
}
