//! What a handler answers with.

use alloc::borrow::Cow;

use super::{Coding, EntityTag, UnixTime};
use crate::wire::{Methods, Status};

/// The content of a response: borrowed (from the image, or from the handler, and sent without a copy) or made for this
/// response.
pub type Body<'a> = Cow<'a, [u8]>;

/// How long a content is that is made while it is sent, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// Exactly so long.
    Known(u64),
    /// Nobody knows yet: it is sent in chunks (RFC 9112 §7.1), or to a client of HTTP/1.0 up to the end of the connection.
    Unknown,
}

/// A response: a status, a body, and what is to be said about it. The server adds the rest: `Content-Length`, `Date`,
/// `Connection`, and for a 200 it also answers conditions and ranges, so that no handler has to.
#[derive(Clone, Debug)]
pub struct Response<'a> {
    pub(crate) status: Status,
    pub(crate) body: Body<'a>,
    /// The content comes later, and how long it is.
    pub(crate) streamed: Option<Length>,
    /// Whether such a content can begin anywhere.
    pub(crate) in_parts: bool,
    pub(crate) content_type: Option<&'a str>,
    pub(crate) coding: Option<Coding>,
    pub(crate) etag: Option<EntityTag<'a>>,
    pub(crate) last_modified: Option<UnixTime>,
    pub(crate) allow: Option<Methods>,
    pub(crate) retry_after: Option<u32>,
    pub(crate) location: Option<Cow<'a, str>>,
    pub(crate) fields: &'a [(&'a str, &'a str)],
    pub(crate) more_fields: &'a [(&'a str, &'a str)],
}

impl<'a> Response<'a> {
    /// A response of this status with no body.
    pub const fn empty(status: Status) -> Self {
        Self {
            status,
            body: Cow::Borrowed(&[]),
            streamed: None,
            in_parts: false,
            content_type: None,
            coding: None,
            etag: None,
            last_modified: None,
            allow: None,
            retry_after: None,
            location: None,
            fields: &[],
            more_fields: &[],
        }
    }

    /// A 200 of this media type.
    pub fn ok(content_type: &'a str, body: impl Into<Body<'a>>) -> Self {
        Self::empty(Status::OK).content(content_type, body)
    }

    /// A 200 of this media type whose content [`Handler::stream`](crate::Handler::stream) makes piece by piece while it is sent. Conditions are answered as for any
    /// other; a range is if it is [made in parts](Self::in_parts), and gets the whole content otherwise.
    pub const fn streamed(content_type: &'a str, length: Length) -> Self {
        let mut response = Self::empty(Status::OK);
        response.content_type = Some(content_type);
        response.streamed = Some(length);
        response
    }

    /// A streamed content of known length of which any part can be made: ranges are answered, and
    /// [`Handler::stream`](crate::Handler::stream) has to heed its [`Portion`](crate::Portion). Where the length is not known this says nothing.
    #[must_use]
    pub const fn in_parts(mut self) -> Self {
        self.in_parts = matches!(self.streamed, Some(Length::Known(_)));
        self
    }

    /// A status with its own name as a line of text.
    pub fn text(status: Status) -> Self {
        Self::empty(status).content("text/plain", status.line().unwrap_or_default().as_bytes())
    }

    /// A redirection of this status (301, 302, 303, 307 or 308) whose `fields` hold `Location`. Where it is not known
    /// beforehand: [`empty`](Self::empty) with a [`location`](Self::location).
    pub fn redirect(status: Status, location: &'a [(&'a str, &'a str)]) -> Self {
        Self::empty(status).fields(location)
    }

    /// With this body of this media type.
    #[must_use]
    pub fn content(mut self, content_type: &'a str, body: impl Into<Body<'a>>) -> Self {
        self.content_type = Some(content_type);
        self.body = body.into();
        self
    }

    /// With a content that was [chosen](Coding::choose) for the request among several, and is coded so: says `Content-Encoding`, and by `Vary` that another client may get another
    /// one. Its entity tag must be that of this form.
    #[must_use]
    pub fn coded(mut self, coding: Coding) -> Self {
        self.coding = Some(coding);
        self
    }

    /// With this status.
    #[must_use]
    pub fn status(mut self, status: Status) -> Self {
        self.status = status;
        self
    }

    /// With this entity tag, by which clients ask whether their copy is still good.
    #[must_use]
    pub fn etag(mut self, etag: EntityTag<'a>) -> Self {
        self.etag = Some(etag);
        self
    }

    /// With the time at which the content last changed.
    #[must_use]
    pub fn last_modified(mut self, time: UnixTime) -> Self {
        self.last_modified = Some(time);
        self
    }

    /// With these fields besides, as name and value. `Content-Encoding`, `Content-Length`, `Content-Range`, `Connection`, `Date`, `ETag`,
    /// `Last-Modified`, `Transfer-Encoding` and `Vary` are the server's own and must not be among them. A name or value that
    /// would break the message turns the answer into a 500.
    #[must_use]
    pub fn fields(mut self, fields: &'a [(&'a str, &'a str)]) -> Self {
        self.fields = fields;
        self
    }

    /// With these fields besides those that it has, for who passes on the responses of another handler.
    #[must_use]
    pub fn more_fields(mut self, fields: &'a [(&'a str, &'a str)]) -> Self {
        self.more_fields = fields;
        self
    }

    /// With `Location`, as a redirection needs it: a path as it stands in a request, percent-encoded.
    #[must_use]
    pub fn location(mut self, location: impl Into<Cow<'a, str>>) -> Self {
        self.location = Some(location.into());
        self
    }

    /// With `Allow`, as a 405 needs it.
    #[must_use]
    pub fn allow(mut self, methods: Methods) -> Self {
        self.allow = Some(methods);
        self
    }

    /// With `Retry-After`, in seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }
}
