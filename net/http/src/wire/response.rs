//! A response's head, as a client reads it.

use super::ascii::{decimal, is_field_value, is_token, trim};
use super::headers::split_line;
use super::{HeadError, HeadLimits, Headers, Method, Persistence, Version};

/// Why a response's head was refused. What comes after it on the connection can't be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseError {
    /// The status line is not `HTTP/1.x SP three digits SP reason`.
    StatusLine,
    /// A major version other than 1.
    Version,
    /// A line is malformed, or the head is over a limit.
    Head(HeadError),
    /// A length that is no number or not the only one, both a length and a coding, or a coding other than `chunked`.
    Framing,
}

impl core::fmt::Display for ResponseError {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.write_str(match self {
            Self::StatusLine => "malformed status line",
            Self::Version => "unsupported HTTP version",
            Self::Head(error) => return core::fmt::Display::fmt(error, formatter),
            Self::Framing => "ambiguous or unknown framing",
        })
    }
}

impl core::error::Error for ResponseError {}

/// Where the content of a response ends (RFC 9112 §6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseFraming {
    /// After this many bytes.
    Length(u64),
    /// Where the chunked coding says so.
    Chunked,
    /// With the connection.
    UntilClose,
}

/// A response without its content. It borrows the head's bytes.
#[derive(Clone, Copy, Debug)]
pub struct ResponseHead<'a> {
    code: u16,
    version: Version,
    headers: Headers<'a>,
    framing: ResponseFraming,
    persistence: Persistence,
}

impl<'a> ResponseHead<'a> {
    /// Parses a head from its status line to the empty line at its end, in answer to a request of this method. It is as strict as the server's own parser: what two
    /// programs could read differently is refused.
    ///
    /// # Errors
    ///
    /// [`ResponseError`].
    pub fn parse(
        head: &'a [u8],
        method: Method,
        limits: &HeadLimits,
    ) -> Result<Self, ResponseError> {
        let (line, fields) = split_line(head).ok_or(ResponseError::StatusLine)?;
        let (version, code) = status_line(line)?;
        let headers = check(fields, limits).map_err(ResponseError::Head)?;
        // §6.3, first and second case: no content, whatever the fields say.
        let without = method == Method::Head || matches!(code, 100..=199 | 204 | 304);
        let framing = match framing(&headers, version)? {
            _ if without => ResponseFraming::Length(0),
            framing => framing,
        };
        let persistence = match framing {
            ResponseFraming::UntilClose => Persistence::Close,
            _ => super::framing::persistence(version, &headers),
        };
        Ok(Self {
            code,
            version,
            headers,
            framing,
            persistence,
        })
    }

    /// The status code, 100 to 999.
    pub const fn code(&self) -> u16 {
        self.code
    }

    /// The version.
    pub const fn version(&self) -> Version {
        self.version
    }

    /// The header fields.
    pub const fn headers(&self) -> Headers<'a> {
        self.headers
    }

    /// Where the content ends.
    pub const fn framing(&self) -> ResponseFraming {
        self.framing
    }

    /// Whether the connection outlives the response.
    pub const fn persistence(&self) -> Persistence {
        self.persistence
    }
}

/// `HTTP/1.1 200 OK`; some servers leave out the space behind the code where there is no reason.
fn status_line(line: &[u8]) -> Result<(Version, u16), ResponseError> {
    let (version, rest) = match line {
        [
            b'H',
            b'T',
            b'T',
            b'P',
            b'/',
            b'1',
            b'.',
            b'0',
            b' ',
            rest @ ..,
        ] => (Version::Http10, rest),
        [
            b'H',
            b'T',
            b'T',
            b'P',
            b'/',
            b'1',
            b'.',
            b'1'..=b'9',
            b' ',
            rest @ ..,
        ] => (Version::Http11, rest),
        [
            b'H',
            b'T',
            b'T',
            b'P',
            b'/',
            b'0'..=b'9',
            b'.',
            b'0'..=b'9',
            b' ',
            ..,
        ] => return Err(ResponseError::Version),
        _ => return Err(ResponseError::StatusLine),
    };
    let (code, reason) = rest.split_at(rest.len().min(3));
    let reason_fits = match reason {
        [] => true,
        [b' ', reason @ ..] => is_field_value(reason),
        _ => false,
    };
    let code = decimal(code).filter(|&code| code >= 100 && reason_fits);
    let code = code.ok_or(ResponseError::StatusLine)?;
    // Three digits fit.
    Ok((version, code as u16))
}

/// Checks every line.
fn check<'a>(fields: &'a [u8], limits: &HeadLimits) -> Result<Headers<'a>, HeadError> {
    let (mut rest, mut count) = (fields, 0);
    loop {
        let (line, after) = split_line(rest).ok_or(HeadError::BareLineFeed)?;
        if line.is_empty() {
            return Ok(Headers::over(&fields[..fields.len() - rest.len()]));
        }
        rest = after;
        count += 1;
        if count > limits.headers {
            return Err(HeadError::TooManyHeaders);
        }
        if matches!(line[0], b' ' | b'\t') {
            return Err(HeadError::Folded);
        }
        let colon = line.iter().position(|&byte| byte == b':');
        let (name, value) = line.split_at(colon.ok_or(HeadError::HeaderName)?);
        if !is_token(name) {
            return Err(HeadError::HeaderName);
        }
        if !is_field_value(trim(&value[1..])) {
            return Err(HeadError::HeaderValue);
        }
    }
}

fn framing(headers: &Headers<'_>, version: Version) -> Result<ResponseFraming, ResponseError> {
    let length = headers.first("content-length").is_some();
    let coding = headers.first("transfer-encoding").is_some();
    match (length, coding) {
        (false, false) => Ok(ResponseFraming::UntilClose),
        (true, false) => {
            let value = headers.only("content-length").and_then(decimal);
            value
                .map(ResponseFraming::Length)
                .ok_or(ResponseError::Framing)
        }
        (false, true) => {
            let value = headers.only("transfer-encoding");
            let chunked = value.is_some_and(|value| value.eq_ignore_ascii_case(b"chunked"));
            // §6.1: a coding in an HTTP/1.0 message means that its framing is faulty.
            match version {
                Version::Http11 if chunked => Ok(ResponseFraming::Chunked),
                _ => Err(ResponseError::Framing),
            }
        }
        (true, true) => Err(ResponseError::Framing),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ResponseFraming::{Chunked, Length, UntilClose};
    use std::format;

    const LIMITS: HeadLimits = HeadLimits {
        head: 8192,
        target: 8192,
        headers: 4,
    };

    fn parse(
        method: Method,
        head: &str,
    ) -> Result<(u16, ResponseFraming, Persistence), ResponseError> {
        let head = ResponseHead::parse(head.as_bytes(), method, &LIMITS)?;
        Ok((head.code(), head.framing(), head.persistence()))
    }

    #[test]
    fn the_end_of_a_content_is_where_the_rfc_says() {
        use Method::{Get, Head};
        use Persistence::{Close, KeepAlive};
        for (method, head, expected) in [
            (
                Get,
                "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n",
                (200, Length(5), KeepAlive),
            ),
            (
                Get,
                "HTTP/1.1 200\r\nContent-Length: 0\r\n",
                (200, Length(0), KeepAlive),
            ),
            (
                Get,
                "HTTP/1.1 200 \r\nTransfer-Encoding: Chunked\r\n",
                (200, Chunked, KeepAlive),
            ),
            (Get, "HTTP/1.1 200 OK\r\n", (200, UntilClose, Close)),
            (
                Get,
                "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n",
                (200, Length(5), Close),
            ),
            (
                Get,
                "HTTP/1.1 404 \u{e9}\r\nContent-Length: 5\r\nConnection: x, close\r\n",
                (404, Length(5), Close),
            ),
            (
                Get,
                "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n",
                (304, Length(0), KeepAlive),
            ),
            (
                Get,
                "HTTP/1.1 204 No Content\r\n",
                (204, Length(0), KeepAlive),
            ),
            (
                Get,
                "HTTP/1.1 100 Continue\r\n",
                (100, Length(0), KeepAlive),
            ),
            (
                Head,
                "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n",
                (200, Length(0), KeepAlive),
            ),
            (
                Head,
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n",
                (200, Length(0), KeepAlive),
            ),
            (
                Get,
                "HTTP/1.1 999 ?\r\nContent-Length: 1\r\n",
                (999, Length(1), KeepAlive),
            ),
        ] {
            assert_eq!(
                parse(method, &format!("{head}\r\n")),
                Ok(expected),
                "{head}"
            );
        }
    }

    #[test]
    fn what_is_in_doubt_is_refused() {
        use ResponseError::{Framing, Head, StatusLine};
        for (head, expected) in [
            ("HTTP/2.0 200 OK\r\n", ResponseError::Version),
            ("HTTP/1.1200 OK\r\n", StatusLine),
            ("HTTP/1.1  200 OK\r\n", StatusLine),
            ("http/1.1 200 OK\r\n", StatusLine),
            ("HTTP/1.1 20 OK\r\n", StatusLine),
            ("HTTP/1.1 2000 OK\r\n", StatusLine),
            ("HTTP/1.1 099 OK\r\n", StatusLine),
            ("HTTP/1.1 +20 OK\r\n", StatusLine),
            ("\r\n", StatusLine),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n",
                Framing,
            ),
            ("HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n", Framing),
            ("HTTP/1.1 200 OK\r\nContent-Length: -5\r\n", Framing),
            ("HTTP/1.1 200 OK\r\nContent-Length:\r\n", Framing),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n",
                Framing,
            ),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n",
                Framing,
            ),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n",
                Framing,
            ),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
                Framing,
            ),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\n", Framing),
            ("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n", Framing),
            (
                "HTTP/1.1 200 OK\r\nContent-Length : 5\r\n",
                Head(HeadError::HeaderName),
            ),
            ("HTTP/1.1 200 OK\r\nA: b\r\n c\r\n", Head(HeadError::Folded)),
            ("HTTP/1.1 200 OK\r\nA\r\n", Head(HeadError::HeaderName)),
            ("HTTP/1.1 200 OK\r\nA: \0\r\n", Head(HeadError::HeaderValue)),
            (
                "HTTP/1.1 200 OK\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\n",
                Head(HeadError::TooManyHeaders),
            ),
        ] {
            assert_eq!(
                parse(Method::Get, &format!("{head}\r\n")),
                Err(expected),
                "{head}"
            );
        }
        assert!(parse(Method::Get, "HTTP/1.1 200 OK\r\n").is_err(), "no end");
    }
}
