//! What of a content is to be made.

use super::{Answer, EntityTag, Response};

/// What the client gets of a content that is made while it is sent: all of it, but of one that is [made in parts](Response::in_parts) perhaps less.
#[derive(Clone, Copy, Debug)]
pub struct Portion<'r> {
    first: u64,
    length: Option<u64>,
    etag: Option<EntityTag<'r>>,
}

impl<'r> Portion<'r> {
    pub(crate) fn new(answer: &Answer, response: &'r Response<'_>) -> Self {
        Self {
            first: answer.first(),
            length: answer.length(),
            etag: response.etag,
        }
    }

    /// How many bytes of the content come before it.
    pub const fn first(&self) -> u64 {
        self.first
    }

    /// How many bytes it has; `None` where the response does not tell the content's length.
    pub const fn length(&self) -> Option<u64> {
        self.length
    }

    /// The entity tag that the client has been told, by which a handler knows whether it still has that content: others may have replaced it in
    /// between.
    pub const fn etag(&self) -> Option<&EntityTag<'r>> {
        self.etag.as_ref()
    }
}
