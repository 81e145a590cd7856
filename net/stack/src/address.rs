//! The addresses that the stack has now.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::Cidr;
use crate::config::MAX_DNS_SERVERS;

/// How many IPv6 addresses there can be: link-local, static, and one from a router advertisement.
pub const MAX_IPV6_ADDRESSES: usize = 3;

/// The addresses that the stack has now.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Addresses {
    /// The IPv4 address.
    pub ipv4: Option<Cidr<Ipv4Addr>>,
    /// The IPv4 router.
    pub ipv4_gateway: Option<Ipv4Addr>,
    /// The IPv6 addresses.
    pub ipv6: [Option<Cidr<Ipv6Addr>>; MAX_IPV6_ADDRESSES],
    /// The IPv6 router.
    pub ipv6_gateway: Option<Ipv6Addr>,
    /// Name servers.
    pub dns: [Option<IpAddr>; MAX_DNS_SERVERS],
}

impl Addresses {
    /// Whether there is an address that others can reach: any but a link-local one.
    pub fn is_configured(&self) -> bool {
        let routable = |cidr: &Cidr<Ipv6Addr>| !cidr.address.is_unicast_link_local();
        self.ipv4.is_some() || self.ipv6.iter().flatten().any(routable)
    }

    /// Who is next on the way to one other host: itself if it is on a link of ours, or a router.
    pub(crate) fn next_hop(&self, to: IpAddr) -> Option<IpAddr> {
        match to {
            IpAddr::V4(v4) => match self.ipv4?.contains(v4) {
                true => Some(to),
                false => self.ipv4_gateway.map(IpAddr::V4),
            },
            IpAddr::V6(v6) => match self.ipv6.iter().flatten().any(|cidr| cidr.contains(v6)) {
                true => Some(to),
                false => self.ipv6_gateway.map(IpAddr::V6),
            },
        }
    }

    /// Whether a packet could be sent to that address: on a link of ours, or through a router.
    pub(crate) fn reaches(&self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(v4) => self.ipv4.is_some_and(|cidr| {
                cidr.contains(v4)
                    || self.ipv4_gateway.is_some()
                    || v4.is_broadcast()
                    || v4.is_multicast()
            }),
            IpAddr::V6(v6) => {
                let mut own = self.ipv6.iter().flatten();
                own.clone().next().is_some() && (self.ipv6_gateway.is_some() || v6.is_multicast())
                    || own.any(|cidr| cidr.contains(v6))
            }
        }
    }
}
