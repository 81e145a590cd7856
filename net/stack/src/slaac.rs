//! IPv6 addresses and routers from router advertisements (RFC 4862, RFC 4861 section 6.3).
//!
//! One prefix and one router are kept; of several prefixes in an advertisement the last counts. There is no detection of duplicate
//! addresses: Xen gives each interface an Ethernet address of its own.

use core::net::Ipv6Addr;
use core::time::Duration;

use morgana_hal::Instant;
use smoltcp::wire::{
    Icmpv6Packet, Ipv6Packet, NdiscPrefixInfoFlags, NdiscPrefixInformation, NdiscRepr,
};

use crate::Cidr;
use crate::address::Addresses;
use crate::frame::ETHERNET;
use crate::ndp;

/// RFC 4861 section 10: MAX_RTR_SOLICITATIONS.
const SOLICITATIONS: u8 = 3;
/// RFC 4861 section 10: RTR_SOLICITATION_INTERVAL.
const SOLICITATION_INTERVAL: Duration = Duration::from_secs(4);
/// RFC 4862 section 5.5.3 (e): an advertisement cannot make an address expire sooner than that.
const SHORTEST_LIFETIME: Duration = Duration::from_secs(2 * 60 * 60);
/// Where the address stands in [`Addresses::ipv6`].
const PLACE: usize = 2;

/// The state of address configuration.
#[derive(Debug)]
pub(crate) struct Slaac {
    solicit_at: Option<Instant>,
    left: u8,
    prefix: Option<(Ipv6Addr, Instant)>,
    router: Option<(Ipv6Addr, Instant)>,
}

impl Slaac {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            solicit_at: Some(now),
            left: SOLICITATIONS,
            prefix: None,
            router: None,
        }
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        let ends = [self.prefix, self.router].map(|kept| kept.map(|(_, until)| until));
        ends.into_iter().chain([self.solicit_at]).flatten().min()
    }

    /// Forgets what has expired, and says whether to ask for a router now.
    pub(crate) fn tick(&mut self, now: Instant) -> bool {
        for kept in [&mut self.prefix, &mut self.router] {
            *kept = kept.filter(|(_, until)| *until > now);
        }
        if self.solicit_at.is_none_or(|at| at > now) {
            return false;
        }
        self.left -= 1;
        self.solicit_at = (self.left > 0).then(|| now + SOLICITATION_INTERVAL);
        true
    }

    /// Writes what is known into the addresses.
    pub(crate) fn apply(&self, addresses: &mut Addresses, mac: [u8; 6]) {
        addresses.ipv6[PLACE] = self.prefix.map(|(prefix, _)| Cidr {
            address: Ipv6Addr::from_bits(prefix.to_bits() | u128::from(ndp::interface_id(mac))),
            prefix: 64,
        });
        addresses.ipv6_gateway = self.router.map(|(router, _)| router);
    }

    /// A router advertisement, whose checksum and hop limit are right. `message` is where its ICMPv6 header begins in the frame.
    pub(crate) fn advertisement(
        &mut self,
        router: Ipv6Addr,
        frame: &[u8],
        message: usize,
        now: Instant,
    ) {
        let Ok(packet) = Ipv6Packet::new_checked(&frame[ETHERNET..]) else {
            return;
        };
        let skip = message - ETHERNET - packet.header_len();
        let Some(bytes) = packet.payload().get(skip..) else {
            return;
        };
        let Ok(icmp) = Icmpv6Packet::new_checked(bytes) else {
            return;
        };
        let Ok(NdiscRepr::RouterAdvert {
            router_lifetime,
            prefix_info,
            ..
        }) = NdiscRepr::parse(&icmp)
        else {
            return;
        };
        self.solicit_at = None;
        let lifetime = Duration::from_micros(router_lifetime.total_micros());
        if lifetime > Duration::ZERO {
            // The first router stays until it ends; another one does not push it out.
            if self.router.is_none_or(|(kept, _)| kept == router) {
                self.router = Some((router, now + lifetime));
            }
        } else if self.router.is_some_and(|(kept, _)| kept == router) {
            self.router = None;
        }
        if let Some(prefix) = prefix_info {
            self.prefix(&prefix, now);
        }
    }

    /// RFC 4862 section 5.5.3.
    fn prefix(&mut self, info: &NdiscPrefixInformation, now: Instant) {
        let valid = Duration::from_micros(info.valid_lifetime.total_micros());
        let usable = info.flags.contains(NdiscPrefixInfoFlags::ADDRCONF)
            && info.preferred_lifetime <= info.valid_lifetime
            && info.prefix_len == 64
            && !info.prefix.is_unicast_link_local()
            && !info.prefix.is_multicast()
            && !info.prefix.is_unspecified()
            && !info.prefix.is_loopback();
        if !usable {
            return;
        }
        let bits = info.prefix.to_bits() >> 64 << 64;
        let prefix = Ipv6Addr::from_bits(bits);
        match self.prefix {
            None if valid > Duration::ZERO => self.prefix = Some((prefix, now + valid)),
            Some((kept, until)) if kept == prefix => {
                let remaining = until.since(now);
                if valid > SHORTEST_LIFETIME || valid > remaining {
                    self.prefix = Some((prefix, now + valid));
                } else if remaining > SHORTEST_LIFETIME {
                    self.prefix = Some((prefix, now + SHORTEST_LIFETIME));
                }
            }
            _ => {}
        }
    }
}
