//! What the network is like.

use core::fmt;
use core::net::Ipv4Addr;
use core::str::FromStr;
use core::time::Duration;

/// The network and its limits. The addresses are those of QEMU's user-mode network, so that a guest cannot tell the two apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Config {
    /// The gateway, which is all that the guest can see of the world. Default: 10.0.2.2.
    pub gateway: Ipv4Addr,
    /// The network prefix's length. Default: 24.
    pub prefix: u8,
    /// The guest's address: the one that DHCP leases, and where connections are forwarded to. Default: 10.0.2.15.
    pub guest: Ipv4Addr,
    /// Connections that are forwarded at a time, over all ports. Further ones wait in the host kernel's queue. Default: 1,024.
    pub connections: usize,
    /// Connections that may wait for the guest to accept at a time. Further ones wait in the host kernel's queue, so that a rush from the
    /// host does not become one on the guest's listeners. Default: 8.
    pub opening: usize,
    /// How long the guest may take to accept a connection before the host's client gets a reset. Default: 20 s.
    pub connect_timeout: Duration,
    /// Memory for TCP buffers towards the guest, in bytes. When it is short, connections get small buffers; when it is used up, bytes
    /// wait. Default: 32 MiB.
    pub buffer_memory: usize,
    /// UDP flows at a time, over all ports: a client's address and the port that it sends to. With one more, the one that has been silent for
    /// the longest is forgotten. Default: 256.
    pub udp_flows: usize,
    /// How long a UDP flow may be silent before it is forgotten. Default: 60 s.
    pub udp_idle: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            gateway: Ipv4Addr::new(10, 0, 2, 2),
            prefix: 24,
            guest: Ipv4Addr::new(10, 0, 2, 15),
            connections: 1024,
            opening: 8,
            connect_timeout: Duration::from_secs(20),
            buffer_memory: 32 << 20,
            udp_flows: 256,
            udp_idle: Duration::from_secs(60),
        }
    }
}

impl Config {
    /// The network's mask.
    pub(crate) fn mask(&self) -> Ipv4Addr {
        let host_bits = 32 - u32::from(self.prefix.min(32));
        let mask = u32::MAX.checked_shl(host_bits).unwrap_or(0);
        Ipv4Addr::from_bits(mask)
    }
}

/// What is forwarded.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Protocol {
    /// Connections.
    Tcp,
    /// Datagrams, and the answers to them.
    Udp,
}

/// A port of the host's 127.0.0.1 that leads to a port of the guest. As text: `HOST:GUEST` or `HOST:GUEST/tcp` for TCP, `HOST:GUEST/udp`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Forward {
    /// What is forwarded.
    pub protocol: Protocol,
    /// The host's port; 0 is any that is free.
    pub host: u16,
    /// The guest's port.
    pub guest: u16,
}

impl Forward {
    /// Of TCP connections.
    pub const fn tcp(host: u16, guest: u16) -> Self {
        Self {
            protocol: Protocol::Tcp,
            host,
            guest,
        }
    }

    /// Of UDP datagrams.
    pub const fn udp(host: u16, guest: u16) -> Self {
        Self {
            protocol: Protocol::Udp,
            host,
            guest,
        }
    }
}

/// The text is not `HOST:GUEST`, `HOST:GUEST/tcp` or `HOST:GUEST/udp`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ParseForwardError;

impl fmt::Display for ParseForwardError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "expected HOST:GUEST or HOST:GUEST/udp, two port numbers, of which the guest's is not 0",
        )
    }
}

impl core::error::Error for ParseForwardError {}

impl FromStr for Forward {
    type Err = ParseForwardError;

    fn from_str(text: &str) -> Result<Self, ParseForwardError> {
        let (ports, protocol) = match text.split_once('/') {
            None => (text, Protocol::Tcp),
            Some((ports, "tcp")) => (ports, Protocol::Tcp),
            Some((ports, "udp")) => (ports, Protocol::Udp),
            Some(_) => return Err(ParseForwardError),
        };
        let (host, guest) = ports.split_once(':').ok_or(ParseForwardError)?;
        Ok(Self {
            protocol,
            host: port(host)?,
            guest: port(guest)
                .ok()
                .filter(|&port| port != 0)
                .ok_or(ParseForwardError)?,
        })
    }
}

fn port(text: &str) -> Result<u16, ParseForwardError> {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(ParseForwardError);
    }
    text.parse().map_err(|_| ParseForwardError)
}

impl fmt::Display for Forward {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.guest)?;
        match self.protocol {
            Protocol::Tcp => Ok(()),
            Protocol::Udp => f.write_str("/udp"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forwards_are_two_ports() {
        let parse = |text: &str| text.parse::<Forward>();
        let (tcp, udp) = (Forward::tcp(8080, 80), Forward::udp(5353, 53));
        assert_eq!(parse("8080:80"), Ok(tcp));
        assert_eq!(parse("8080:80/tcp"), Ok(tcp));
        assert_eq!(parse("5353:53/udp"), Ok(udp));
        assert_eq!(
            [tcp, udp].map(|one| one.to_string()),
            ["8080:80", "5353:53/udp"]
        );
        assert_eq!(parse("0:80").map(|forward| forward.host), Ok(0));
        for bad in [
            "",
            ":",
            "80",
            "80:",
            ":80",
            "80:0",
            "65536:80",
            "80:65536",
            "+1:2",
            "a:b",
            "1:2:3",
            " 1:2",
            "1:2/",
            "1:2/sctp",
            "1:2/UDP",
            "1:2/udp/udp",
            "1/udp:2",
        ] {
            assert_eq!(parse(bad), Err(ParseForwardError), "{bad:?}");
        }
    }

    #[test]
    fn masks_of_all_lengths() {
        let mask = |prefix| {
            Config {
                prefix,
                ..Config::default()
            }
            .mask()
        };
        assert_eq!(mask(24), Ipv4Addr::new(255, 255, 255, 0));
        assert_eq!(mask(32), Ipv4Addr::BROADCAST);
        assert_eq!(mask(0), Ipv4Addr::UNSPECIFIED);
    }
}
