//! Which fields are passed on.

use core::fmt::Write as _;
use core::net::IpAddr;

use alloc::string::String;

use morgana_http::wire::{Headers, elements};

/// The name by which a balancer calls itself in `Via` (RFC 9110 §7.6.3).
pub(crate) const VIA: &str = "1.1 morgana";

/// Fields that are about one connection, or that whoever writes a message anew says himself (RFC 9110 §7.6.1).
const OF_A_CONNECTION: [&str; 10] = [
    "connection",
    "content-length",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "expect",
];

/// What a client's or a back end's message says beyond its connection, in order. What `Connection` names is left out.
pub(crate) fn passed_on(headers: Headers<'_>) -> impl Iterator<Item = (&[u8], &[u8])> + Clone {
    headers.iter().filter(move |(name, _)| {
        let mut own = OF_A_CONNECTION.iter();
        !own.any(|own| name.eq_ignore_ascii_case(own.as_bytes())) && !is_named(&headers, name)
    })
}

/// Whether `Connection` names the field.
fn is_named(headers: &Headers<'_>, name: &[u8]) -> bool {
    let mut options = headers.all("connection").flat_map(elements);
    options.any(|option| option.eq_ignore_ascii_case(name))
}

/// The client's address, for `X-Forwarded-For`, where it goes behind those that are there.
pub(crate) fn forwarded_for(peer: IpAddr) -> String {
    let mut text = String::new();
    // A string takes all that is written to it.
    let _ = write!(text, "{peer}");
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use morgana_http::Request;
    use morgana_http::wire::HeadLimits;
    use std::vec::Vec;

    #[test]
    fn what_is_of_a_connection_stays_there() {
        let limits = HeadLimits {
            head: 4096,
            target: 100,
            headers: 40,
        };
        let mut head = *b"GET / HTTP/1.1\r\nHost: a\r\nCookie: b\r\nConnection: close, X-Own\r\nx-own: 1\r\nTE: trailers\r\nUpgrade: h2c\r\n\
            connection: Other\r\nKeep-Alive: 5\r\nother: 2\r\nContent-Length: 0\r\nCookie: c\r\nProxy-Connection: x\r\nTrailer: y\r\n\r\n";
        let request = Request::parse(&mut head, &limits).expect("a request");
        let names: Vec<_> = passed_on(request.headers()).collect();
        assert_eq!(names, [(&b"Cookie"[..], &b"b"[..]), (b"Cookie", b"c")]);
        assert_eq!(forwarded_for(IpAddr::from([10, 0, 0, 1])), "10.0.0.1");
    }
}
