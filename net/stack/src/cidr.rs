//! Addresses with their networks.

use core::fmt;
use core::net::{Ipv4Addr, Ipv6Addr};

/// An address with the length of its network's prefix.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Cidr<A> {
    /// The own address.
    pub address: A,
    /// How many leading bits name the network.
    pub prefix: u8,
}

impl<A: fmt::Display> fmt::Display for Cidr<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

impl Cidr<Ipv4Addr> {
    /// Whether the network contains `address`.
    pub fn contains(&self, address: Ipv4Addr) -> bool {
        let mask = u32::MAX
            .checked_shl(32 - u32::from(self.prefix))
            .unwrap_or(0);
        (self.address.to_bits() ^ address.to_bits()) & mask == 0
    }

    /// Whether the address names one host: not a group, not the network, not all of it.
    pub(crate) fn is_host(&self) -> bool {
        let bits = self.address.to_bits();
        let host = u32::MAX.checked_shr(u32::from(self.prefix)).unwrap_or(0);
        // RFC 3021: a network of two addresses has neither a network nor a broadcast address.
        let edge = self.prefix < 31 && (bits & host == 0 || bits & host == host);
        !self.address.is_unspecified()
            && !self.address.is_multicast()
            && !self.address.is_broadcast()
            && !self.address.is_loopback()
            && !edge
    }
}

impl Cidr<Ipv6Addr> {
    /// Whether the network contains `address`.
    pub fn contains(&self, address: Ipv6Addr) -> bool {
        let mask = u128::MAX
            .checked_shl(128 - u32::from(self.prefix))
            .unwrap_or(0);
        (self.address.to_bits() ^ address.to_bits()) & mask == 0
    }

    /// Whether the address names one host.
    pub(crate) fn is_host(&self) -> bool {
        !self.address.is_unspecified()
            && !self.address.is_multicast()
            && !self.address.is_loopback()
    }
}
