//! What addresses the stack has, and the text that says so.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::Cidr;

/// Where the IPv4 address comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ipv4Config {
    /// No IPv4.
    Off,
    /// From a DHCP server (RFC 2131).
    Dhcp,
    /// From the configuration.
    Static {
        /// The own address and network.
        cidr: Cidr<Ipv4Addr>,
        /// The router for everything outside the network.
        gateway: Option<Ipv4Addr>,
    },
}

/// Where the IPv6 addresses come from. Unless it is off there is a link-local one as well, made from the Ethernet address (RFC 4291
/// appendix A). Over links of an MTU below 1,280 it is always off (RFC 8200 section 5).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ipv6Config {
    /// No IPv6.
    Off,
    /// From router advertisements (SLAAC, RFC 4862), the router too.
    Auto,
    /// From the configuration.
    Static {
        /// The own address and network.
        cidr: Cidr<Ipv6Addr>,
        /// The router for everything outside the network.
        gateway: Option<Ipv6Addr>,
    },
}

/// How many name servers are kept.
pub const MAX_DNS_SERVERS: usize = 4;

/// The addresses that the stack has, or how it gets them.
///
/// As text it is a line of words, in which words with other keys are left to others:
///
/// | word | meaning | without it |
/// |---|---|---|
/// | `ip=10.0.2.50/24`, `ip=dhcp`, `ip=off` | the IPv4 address | `dhcp` |
/// | `gw=10.0.2.2` | the IPv4 router, with a static `ip=` | none |
/// | `ip6=fd00::2/64`, `ip6=auto`, `ip6=off` | the IPv6 address | `auto` |
/// | `gw6=fd00::1` | the IPv6 router, with a static `ip6=` | none |
/// | `dns=10.0.2.3,fd00::3` | name servers, at most [`MAX_DNS_SERVERS`] | what DHCP says |
///
/// ```
/// use morgana_net_stack::{AddressConfig, Ipv4Config};
///
/// let config = AddressConfig::parse("verbose ip=10.0.2.50/24 gw=10.0.2.2").unwrap();
/// assert!(matches!(config.ipv4, Ipv4Config::Static { gateway: Some(_), .. }));
/// let error = AddressConfig::parse("ip=10.0.2.50").unwrap_err();
/// assert_eq!(error.to_string(), "ip=10.0.2.50: the length of the network's prefix is missing, as in 10.0.2.50/24");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AddressConfig {
    /// IPv4.
    pub ipv4: Ipv4Config,
    /// IPv6.
    pub ipv6: Ipv6Config,
    /// Name servers, for whoever resolves names.
    pub dns: [Option<IpAddr>; MAX_DNS_SERVERS],
}

impl Default for AddressConfig {
    /// DHCP and SLAAC.
    fn default() -> Self {
        Self {
            ipv4: Ipv4Config::Dhcp,
            ipv6: Ipv6Config::Auto,
            dns: [None; MAX_DNS_SERVERS],
        }
    }
}
