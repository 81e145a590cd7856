//! What can be chosen for a server.

use alloc::vec::Vec;

use super::Network;

/// What can be chosen for a server.
#[derive(Clone, Debug)]
pub struct Config {
    /// The longest answer over UDP, in octets, whatever larger size is asked for (1,232: no IPv6 link cuts it). 512 at least.
    pub udp_size: u16,
    /// Answers that are kept (4,096, rounded up to a power of two): of questions that have come twice. A new one takes the place of an old one. 0: none.
    pub memo_answers: usize,
    /// Octets of answers that are kept (524,288). Where a further one would exceed them, it is not kept.
    pub memo_octets: usize,
    /// How many answers a network gets (200 a second, of those over it every second one as a truncated one). `None`: any number.
    pub rate_limit: Option<RateLimit>,
    /// Who may transfer zones (nobody).
    pub transfers: Vec<Network>,
    /// Random bits, which no stranger must know: cookies and the places of tables are made with them.
    pub secret: [u8; 16],
}

impl Default for Config {
    fn default() -> Self {
        Self {
            udp_size: 1232,
            memo_answers: 4096,
            memo_octets: 512 << 10,
            rate_limit: Some(RateLimit::default()),
            transfers: Vec::new(),
            secret: [0; 16],
        }
    }
}

/// How many answers of one kind go over UDP to one network (a /24 of IPv4, a /56 of IPv6) that has no valid cookie.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RateLimit {
    /// A second.
    pub answers: u16,
    /// One in so many of those over the limit is sent, but truncated, so that who really asks comes back over TCP; the others are dropped. 0: all are.
    pub slip: u8,
    /// How many networks and kinds are counted (4,096, rounded up to a power of two). Those that fall onto one place share it.
    pub places: usize,
}

impl Default for RateLimit {
    fn default() -> Self {
        Self {
            answers: 200,
            slip: 2,
            places: 4096,
        }
    }
}
