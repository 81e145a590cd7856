//! What comes by http is sent to https.

use alloc::string::String;
use core::fmt::Write;

use morgana_exec::TimeOfDay;
use morgana_http::{BodyError, Handler, Read, Request, Response, Status, UnixTime};

/// Sends every request to the same place by https; only the health check is answered.
pub(crate) struct Redirect {
    https: u16,
    time: TimeOfDay,
}

impl Redirect {
    /// To the port `https` of the same host.
    pub(crate) fn new(https: u16, time: TimeOfDay) -> Self {
        Self { https, time }
    }
}

impl Handler for Redirect {
    async fn handle<'h>(
        &'h self,
        request: &Request<'_>,
        _body: &mut impl Read<Error = BodyError>,
    ) -> Response<'h> {
        if request.path() == "/healthz" {
            return Response::ok("text/plain; charset=utf-8", b"ok\n");
        }
        let to = location(request.host(), self.https, request.path(), request.query());
        Response::empty(Status::PERMANENT_REDIRECT).location(to)
    }

    fn time(&self) -> Option<UnixTime> {
        Some(UnixTime(self.time.now().unix_seconds()))
    }
}

/// The same place by https.
fn location(host: &str, https: u16, path: &str, query: Option<&str>) -> String {
    let mut to = String::from("https://");
    to.push_str(without_port(host));
    if https != 443 {
        // Writing to a string does not fail.
        let _ = write!(to, ":{https}");
    }
    for &byte in path.as_bytes() {
        match byte {
            // What may stand in a path (RFC 3986, 3.3), but for the percent sign.
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => to.push(byte.into()),
            b'/' | b'-' | b'.' | b'_' | b'~' | b'!' | b'$' | b'&' | b'\'' | b'(' | b')' => {
                to.push(byte.into());
            }
            b'*' | b'+' | b',' | b';' | b'=' | b':' | b'@' => to.push(byte.into()),
            _ => {
                let _ = write!(to, "%{byte:02X}");
            }
        }
    }
    if let Some(query) = query {
        to.push('?');
        to.push_str(query);
    }
    to
}

/// A host as it stands in a request, without its port. An address of IPv6 is in brackets.
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_place_by_https() {
        for (host, https, path, query, expected) in [
            ("example.org", 443, "/", None, "https://example.org/"),
            (
                "example.org:80",
                443,
                "/a/b",
                Some("c=d%20e"),
                "https://example.org/a/b?c=d%20e",
            ),
            (
                "[::1]:8080",
                8443,
                "/ü b%",
                None,
                "https://[::1]:8443/%C3%BC%20b%25",
            ),
            ("[::1]", 443, "/\r\n", None, "https://[::1]/%0D%0A"),
        ] {
            assert_eq!(location(host, https, path, query), expected);
        }
    }
}
