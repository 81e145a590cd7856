//! Where requests go.

use std::net::{SocketAddr, ToSocketAddrs as _};

/// An address with what is asked of it.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    /// As the `Host` field has it.
    pub(crate) host: String,
    /// Path and query.
    pub(crate) path: String,
}

impl Target {
    /// Reads a URL, and looks its host up.
    pub(crate) fn parse(url: &str) -> Result<Self, String> {
        let rest = url.strip_prefix("http://");
        let rest = rest.ok_or_else(|| format!("{url}: a URL begins with http://"))?;
        let (host, path) = match rest.find('/') {
            Some(slash) => rest.split_at(slash),
            None => (rest, "/"),
        };
        if host.is_empty()
            || !path
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && byte != b'#')
        {
            return Err(format!(
                "{url}: wanted http://HOST[:PORT]/PATH, percent-encoded"
            ));
        }
        // The port behind the last colon, but not one within the brackets of an IPv6 address.
        let has_port = host.rfind(':') > host.rfind(']');
        let with_port = match has_port {
            true => host.to_string(),
            false => format!("{host}:80"),
        };
        let mut found = with_port
            .to_socket_addrs()
            .map_err(|error| format!("{host}: {error}"))?;
        Ok(Self {
            address: found.next().ok_or_else(|| format!("{host}: no address"))?,
            host: host.into(),
            path: path.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read() {
        for (url, address, host, path) in [
            ("http://127.0.0.1", "127.0.0.1:80", "127.0.0.1", "/"),
            (
                "http://127.0.0.1:81/a?b=c",
                "127.0.0.1:81",
                "127.0.0.1:81",
                "/a?b=c",
            ),
            ("http://[::1]/", "[::1]:80", "[::1]", "/"),
            ("http://[::1]:8/", "[::1]:8", "[::1]:8", "/"),
        ] {
            let target = Target::parse(url).expect("a URL");
            assert_eq!(target.address.to_string(), address);
            assert_eq!((&target.host[..], &target.path[..]), (host, path));
        }
        for url in [
            "",
            "127.0.0.1",
            "https://127.0.0.1/",
            "http://",
            "http:///",
            "http://127.0.0.1/ x",
            "http://127.0.0.1:x/",
        ] {
            assert!(Target::parse(url).is_err(), "{url}");
        }
    }
}
