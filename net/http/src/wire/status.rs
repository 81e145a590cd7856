//! Status codes.

/// A three-digit status code (RFC 9110 §15).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status(u16);

/// Declares the codes with their names and reason phrases in one place.
macro_rules! statuses {
    ($($(#[$doc:meta])* $name:ident = $code:literal $reason:literal;)*) => {
        impl Status {
            $($(#[$doc])* pub const $name: Self = Self($code);)*

            /// Code and reason phrase, as in a status line. The phrase of a code that has no name here is empty.
            pub(crate) const fn line(self) -> Option<&'static str> {
                match self.0 {
                    $($code => Some(concat!($code, " ", $reason)),)*
                    _ => None,
                }
            }
        }
    };
}

statuses! {
    /// 200 (§15.3.1).
    OK = 200 "OK";
    /// 201 (§15.3.2).
    CREATED = 201 "Created";
    /// 202 (§15.3.3).
    ACCEPTED = 202 "Accepted";
    /// 204 (§15.3.5).
    NO_CONTENT = 204 "No Content";
    /// 206 (§15.3.7).
    PARTIAL_CONTENT = 206 "Partial Content";
    /// 301 (§15.4.2).
    MOVED_PERMANENTLY = 301 "Moved Permanently";
    /// 302 (§15.4.3).
    FOUND = 302 "Found";
    /// 303 (§15.4.4).
    SEE_OTHER = 303 "See Other";
    /// 304 (§15.4.5).
    NOT_MODIFIED = 304 "Not Modified";
    /// 307 (§15.4.8).
    TEMPORARY_REDIRECT = 307 "Temporary Redirect";
    /// 308 (§15.4.9).
    PERMANENT_REDIRECT = 308 "Permanent Redirect";
    /// 400 (§15.5.1).
    BAD_REQUEST = 400 "Bad Request";
    /// 401 (§15.5.2).
    UNAUTHORIZED = 401 "Unauthorized";
    /// 403 (§15.5.4).
    FORBIDDEN = 403 "Forbidden";
    /// 404 (§15.5.5).
    NOT_FOUND = 404 "Not Found";
    /// 405 (§15.5.6).
    METHOD_NOT_ALLOWED = 405 "Method Not Allowed";
    /// 406 (§15.5.7).
    NOT_ACCEPTABLE = 406 "Not Acceptable";
    /// 408 (§15.5.9).
    REQUEST_TIMEOUT = 408 "Request Timeout";
    /// 409 (§15.5.10).
    CONFLICT = 409 "Conflict";
    /// 410 (§15.5.11).
    GONE = 410 "Gone";
    /// 412 (§15.5.13).
    PRECONDITION_FAILED = 412 "Precondition Failed";
    /// 413 (§15.5.14).
    CONTENT_TOO_LARGE = 413 "Content Too Large";
    /// 414 (§15.5.15).
    URI_TOO_LONG = 414 "URI Too Long";
    /// 415 (§15.5.16).
    UNSUPPORTED_MEDIA_TYPE = 415 "Unsupported Media Type";
    /// 416 (§15.5.17).
    RANGE_NOT_SATISFIABLE = 416 "Range Not Satisfiable";
    /// 417 (§15.5.18).
    EXPECTATION_FAILED = 417 "Expectation Failed";
    /// 422 (§15.5.21).
    UNPROCESSABLE_CONTENT = 422 "Unprocessable Content";
    /// 429 (RFC 6585 §4).
    TOO_MANY_REQUESTS = 429 "Too Many Requests";
    /// 431 (RFC 6585 §5).
    HEADERS_TOO_LARGE = 431 "Request Header Fields Too Large";
    /// 500 (§15.6.1).
    INTERNAL_SERVER_ERROR = 500 "Internal Server Error";
    /// 501 (§15.6.2).
    NOT_IMPLEMENTED = 501 "Not Implemented";
    /// 502 (§15.6.3).
    BAD_GATEWAY = 502 "Bad Gateway";
    /// 503 (§15.6.4).
    SERVICE_UNAVAILABLE = 503 "Service Unavailable";
    /// 504 (§15.6.5).
    GATEWAY_TIMEOUT = 504 "Gateway Timeout";
    /// 505 (§15.6.6).
    VERSION_NOT_SUPPORTED = 505 "HTTP Version Not Supported";
}

impl Status {
    /// A final status: 200 to 599. `None` for the others, interim ones included: those are the server's own.
    pub const fn new(code: u16) -> Option<Self> {
        match code {
            200..=599 => Some(Self(code)),
            _ => None,
        }
    }

    /// The number.
    pub const fn code(self) -> u16 {
        self.0
    }

    /// The first digit: 2 for success, 3 for redirection, 4 for the client's fault, 5 for ours.
    pub const fn class(self) -> u8 {
        (self.0 / 100) as u8
    }

    /// Whether an answer of this status has no content by definition (RFC 9110 §6.4.1), whatever its handler says.
    pub const fn is_without_content(self) -> bool {
        matches!(self.0, 204 | 205 | 304)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_begin_with_their_code() {
        assert_eq!(Status::OK.line(), Some("200 OK"));
        assert_eq!(
            Status::HEADERS_TOO_LARGE.line(),
            Some("431 Request Header Fields Too Large")
        );
        assert_eq!(Status::new(299).and_then(Status::line), None);
        for code in [0, 100, 101, 199, 600, u16::MAX] {
            assert_eq!(Status::new(code), None);
        }
        assert_eq!(Status::VERSION_NOT_SUPPORTED.class(), 5);
    }
}
