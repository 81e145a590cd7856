//! The names of connections.

use core::net::{IpAddr, SocketAddr};

/// A TCP connection's name: both its ends.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct FlowKey {
    /// First, because it is what differs: comparing ends early.
    pub(crate) remote: SocketAddr,
    pub(crate) local: SocketAddr,
}

impl FlowKey {
    /// The name as words for a keyed hash.
    pub(crate) fn words(&self) -> [u64; 5] {
        let [a, b] = halves(self.remote.ip());
        let [c, d] = halves(self.local.ip());
        let ports = u64::from(self.remote.port()) << 16 | u64::from(self.local.port());
        [a, b, c, d, ports]
    }
}

fn halves(address: IpAddr) -> [u64; 2] {
    let bits = match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits(),
    };
    [(bits >> 64) as u64, bits as u64]
}
