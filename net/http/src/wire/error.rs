//! What can be wrong with a request's head, and the status that says so.

use super::Status;

/// Why a request's head was refused. After each of these the connection closes, since where the next request would
/// begin is no longer certain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadError {
    /// A line feed without a carriage return before it.
    BareLineFeed,
    /// A carriage return without a line feed after it.
    BareCarriageReturn,
    /// A control byte where only text may be.
    ControlByte,
    /// The request line is not `method SP target SP version`.
    RequestLine,
    /// The request target is not in a form that RFC 9112 §3.2 allows for its method, or its path is refused.
    Target,
    /// The request line or its target is longer than the limit.
    TargetTooLong,
    /// The head is longer than the limit.
    HeadTooLong,
    /// More header fields than the limit.
    TooManyHeaders,
    /// A major version other than 1.
    Version,
    /// A method that this server does not know.
    Method,
    /// A field name that is no token, or with a space before its colon.
    HeaderName,
    /// A field value with a byte that may not be in one.
    HeaderValue,
    /// A folded line (RFC 9112 §5.2 obs-fold).
    Folded,
    /// HTTP/1.1 without `Host`.
    HostMissing,
    /// More than one `Host`.
    HostRepeated,
    /// A `Host` that names no host.
    Host,
    /// A `Content-Length` that is no number, or more than one.
    ContentLength,
    /// A `Content-Length` over the limit for bodies.
    ContentTooLarge,
    /// A `Transfer-Encoding` that is repeated, empty, or in an HTTP/1.0 request.
    TransferEncoding,
    /// A transfer coding other than `chunked`.
    TransferCoding,
    /// Both `Content-Length` and `Transfer-Encoding` (RFC 9112 §6.3: a sign of request smuggling).
    BothFramings,
    /// An `Expect` other than `100-continue`.
    Expectation,
}

impl HeadError {
    /// The status of the answer.
    pub const fn status(self) -> Status {
        match self {
            Self::TargetTooLong => Status::URI_TOO_LONG,
            Self::HeadTooLong | Self::TooManyHeaders => Status::HEADERS_TOO_LARGE,
            Self::Version => Status::VERSION_NOT_SUPPORTED,
            Self::Method | Self::TransferCoding => Status::NOT_IMPLEMENTED,
            Self::ContentTooLarge => Status::CONTENT_TOO_LARGE,
            Self::Expectation => Status::EXPECTATION_FAILED,
            _ => Status::BAD_REQUEST,
        }
    }
}

impl core::fmt::Display for HeadError {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.write_str(match self {
            Self::BareLineFeed => "line feed without carriage return",
            Self::BareCarriageReturn => "carriage return without line feed",
            Self::ControlByte => "control byte in the head",
            Self::RequestLine => "malformed request line",
            Self::Target => "malformed request target",
            Self::TargetTooLong => "request target too long",
            Self::HeadTooLong => "head too long",
            Self::TooManyHeaders => "too many header fields",
            Self::Version => "unsupported HTTP version",
            Self::Method => "unknown method",
            Self::HeaderName => "malformed field name",
            Self::HeaderValue => "malformed field value",
            Self::Folded => "folded header line",
            Self::HostMissing => "no Host",
            Self::HostRepeated => "more than one Host",
            Self::Host => "malformed Host",
            Self::ContentLength => "malformed or repeated Content-Length",
            Self::ContentTooLarge => "content too large",
            Self::TransferEncoding => "malformed or misplaced Transfer-Encoding",
            Self::TransferCoding => "unknown transfer coding",
            Self::BothFramings => "both Content-Length and Transfer-Encoding",
            Self::Expectation => "unknown expectation",
        })
    }
}

impl core::error::Error for HeadError {}
