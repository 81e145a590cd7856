//! How long a request's body is, and whether the connection outlives the request.

use super::ascii::decimal;
use super::headers::elements;
use super::{HeadError, Headers, Version};

/// Where a request's body ends (RFC 9112 §6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// There is none.
    Empty,
    /// After this many bytes, which are more than none.
    Length(u64),
    /// Where the chunked coding says so.
    Chunked,
}

/// Whether the connection may carry another request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Persistence {
    /// It may.
    KeepAlive,
    /// It closes after the answer.
    Close,
}

/// Whether the client waits for an interim answer before it sends its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expectation {
    /// It does not.
    None,
    /// It sent `Expect: 100-continue` (RFC 9110 §10.1.1).
    Continue,
}

/// The fields that decide on framing, gathered while the head is checked. The first value of each is kept, and whether
/// there was a second.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct FramingFields<'a> {
    length: Option<&'a [u8]>,
    length_repeated: bool,
    encoding: Option<&'a [u8]>,
    encoding_repeated: bool,
}

impl<'a> FramingFields<'a> {
    pub(super) fn content_length(&mut self, value: &'a [u8]) {
        self.length_repeated |= self.length.is_some();
        self.length.get_or_insert(value);
    }

    pub(super) fn transfer_encoding(&mut self, value: &'a [u8]) {
        self.encoding_repeated |= self.encoding.is_some();
        self.encoding.get_or_insert(value);
    }

    /// Decides, strictly: two fields of a kind are refused even where they agree, since the next program in the line
    /// might see only one of them.
    pub(super) fn decide(self, version: Version) -> Result<Framing, HeadError> {
        match (self.length, self.encoding) {
            (None, None) => Ok(Framing::Empty),
            (Some(_), Some(_)) => Err(HeadError::BothFramings),
            (Some(_), None) if self.length_repeated => Err(HeadError::ContentLength),
            (Some(value), None) => match decimal(value) {
                Some(0) => Ok(Framing::Empty),
                Some(length) => Ok(Framing::Length(length)),
                // A number that no u64 holds is over any limit.
                None if !value.is_empty() && value.iter().all(u8::is_ascii_digit) => {
                    Err(HeadError::ContentTooLarge)
                }
                None => Err(HeadError::ContentLength),
            },
            (None, Some(value)) => {
                // RFC 9112 §6.1: an encoding in an HTTP/1.0 message means that its framing is faulty.
                if self.encoding_repeated || version == Version::Http10 || value.is_empty() {
                    return Err(HeadError::TransferEncoding);
                }
                let mut codings = elements(value);
                match (codings.next(), codings.next()) {
                    (Some(coding), None)
                        if coding.len() == value.len()
                            && coding.eq_ignore_ascii_case(b"chunked") =>
                    {
                        Ok(Framing::Chunked)
                    }
                    (Some(first), Some(_)) if first.eq_ignore_ascii_case(b"chunked") => {
                        Err(HeadError::TransferEncoding)
                    }
                    (None, _) => Err(HeadError::TransferEncoding),
                    _ => Err(HeadError::TransferCoding),
                }
            }
        }
    }
}

/// RFC 9112 §9.3.
pub(super) fn persistence(version: Version, headers: &Headers<'_>) -> Persistence {
    let mut keep_alive = false;
    for option in headers.all("connection").flat_map(elements) {
        if option.eq_ignore_ascii_case(b"close") {
            return Persistence::Close;
        }
        keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
    }
    match version {
        Version::Http11 => Persistence::KeepAlive,
        Version::Http10 if keep_alive => Persistence::KeepAlive,
        Version::Http10 => Persistence::Close,
    }
}
