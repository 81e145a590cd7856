//! One file of an image.

use crate::Content;

/// The text that `bytes` are, for tables that a build script has written.
///
/// # Panics
///
/// If they are none. In a `static` that is an error of the compiler.
pub const fn text(bytes: &[u8]) -> &str {
    match core::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) => panic!("a table's text is not UTF-8"),
    }
}

/// A file, with what an HTTP response about it says. All of it is part of the image.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Asset {
    /// The path that names it in a request: it begins with `/`, and ends in `/` for a folder's index page.
    pub path: &'static str,
    /// Its media type, as `Content-Type` gives it.
    pub content_type: &'static str,
    /// Its strong entity tag without the quotes around it (RFC 9110, section 8.8.3): a hash of the content.
    pub etag: &'static str,
    /// When it was last changed, in seconds since 1970-01-01T00:00:00Z, where that is known.
    pub modified_unix_seconds: Option<u64>,
    /// Its content.
    pub content: Content,
}
