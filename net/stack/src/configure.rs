//! Which addresses are ours, and what follows when that changes.

use core::net::IpAddr;
use core::time::Duration;

use morgana_hal::Instant;
use morgana_net_device::Device;
use smoltcp::wire::{IpAddress, IpCidr, Ipv4Cidr, Ipv6Cidr};

use crate::Cidr;
use crate::address::Addresses;
use crate::config::{AddressConfig, Ipv4Config, Ipv6Config};
use crate::engine::Engine;
use crate::ndp;
use crate::phy;
use crate::tcp::Room;

/// RFC 5227 section 1.1: ANNOUNCE_INTERVAL. Announced is twice in all (ANNOUNCE_NUM), IPv6 addresses, too (RFC 4861 section 7.2.6 allows three).
const ANNOUNCE_INTERVAL: Duration = Duration::from_secs(2);

/// Whether addresses are to be announced once more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Again {
    NotWanted,
    /// When the time has passed from the next pass on.
    Wanted,
    At(Instant),
}

impl Again {
    pub(crate) const fn deadline(self) -> Option<Instant> {
        match self {
            Self::At(at) => Some(at),
            Self::NotWanted | Self::Wanted => None,
        }
    }
}

impl Engine {
    /// Takes new addresses into use, and announces them to the link.
    pub(crate) fn set_addresses(&mut self, new: Addresses) {
        if new == self.addresses {
            return;
        }
        let old = core::mem::replace(&mut self.addresses, new);
        let ipv4 = new
            .ipv4
            .map(|cidr| IpCidr::Ipv4(Ipv4Cidr::new(cidr.address, cidr.prefix)));
        let ipv6 = new
            .ipv6
            .into_iter()
            .flatten()
            .map(|cidr| IpCidr::Ipv6(Ipv6Cidr::new(cidr.address, cidr.prefix)));
        self.interface.update_ip_addrs(|list| {
            list.clear();
            // The list has room for one IPv4 and all IPv6 addresses.
            list.extend(ipv4.into_iter().chain(ipv6).take(list.capacity()));
        });
        let routes = self.interface.routes_mut();
        // Both fit: the table has room for four, and nobody else uses it.
        routes.remove_default_ipv4_route();
        routes.remove_default_ipv6_route();
        if let Some(gateway) = new.ipv4_gateway {
            let _ = routes.add_default_ipv4_route(gateway);
        }
        if let Some(gateway) = new.ipv6_gateway {
            let _ = routes.add_default_ipv6_route(gateway);
        }
        self.own_ipv6 = new.ipv6.iter().flatten().map(|cidr| cidr.address).collect();
        let unknown = Addresses {
            ipv4: new.ipv4.filter(|_| old.ipv4 != new.ipv4),
            ipv6: new
                .ipv6
                .map(|cidr| cidr.filter(|_| !old.ipv6.contains(&cidr))),
            ..new
        };
        if self.announce(&unknown) {
            self.again = Again::Wanted;
        }
        self.tcp.unblock();
        self.address_waiters.wake_all();
    }

    /// Says that these addresses are ours, if there are any.
    fn announce(&mut self, addresses: &Addresses) -> bool {
        if let Some(cidr) = addresses.ipv4 {
            self.post(ndp::arp_announcement(self.mac, cidr.address));
        }
        for cidr in addresses.ipv6.iter().flatten() {
            self.post(ndp::announcement(self.mac, cidr.address));
        }
        addresses.ipv4.is_some() || addresses.ipv6.iter().any(Option::is_some)
    }

    /// Says it once more: a switch may not have been ready for the first time.
    fn announce_again(&mut self, now: Instant) {
        match self.again {
            Again::Wanted => self.again = Again::At(now + ANNOUNCE_INTERVAL),
            Again::At(at) if at <= now => {
                self.again = Again::NotWanted;
                let addresses = self.addresses;
                self.announce(&addresses);
            }
            Again::At(_) | Again::NotWanted => {}
        }
    }

    /// Lets DHCP and SLAAC do what they have to.
    pub(crate) fn configure<D: Device>(&mut self, device: &mut D, now: Instant) -> Room {
        let mut room = Room::Enough;
        self.announce_again(now);
        if let Some(dhcp) = &mut self.dhcp {
            let mut egress = phy::Egress {
                device,
                capabilities: &self.capabilities,
                offload: self.offload,
                wire: None,
                stats: &mut self.stats,
                exhausted: false,
            };
            let change = dhcp.send(&mut self.interface, &mut egress, now);
            if egress.exhausted {
                room = Room::Exhausted;
            }
            if let Some(lease) = change {
                let mut new = self.addresses;
                lease.apply(&mut new);
                self.set_addresses(new);
            }
        }
        if let Some(slaac) = &mut self.slaac {
            let solicits = slaac.tick(now);
            let mut new = self.addresses;
            slaac.apply(&mut new, self.mac);
            if solicits {
                self.post(ndp::router_solicitation(self.mac));
            }
            self.set_addresses(new);
        }
        room
    }

    pub(crate) fn is_own(&self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(v4) => self.addresses.ipv4.is_some_and(|cidr| cidr.address == v4),
            IpAddr::V6(v6) => self.own_ipv6.contains(&v6),
        }
    }

    /// Whether an address may be that of one other host.
    pub(crate) fn is_host(&self, address: IpAddr) -> bool {
        let edge = match (address, self.addresses.ipv4) {
            (IpAddr::V4(v4), Some(cidr)) if cidr.contains(v4) => !Cidr {
                address: v4,
                ..cidr
            }
            .is_host(),
            (IpAddr::V4(v4), _) => v4.is_broadcast(),
            _ => false,
        };
        !edge
            && !address.is_unspecified()
            && !address.is_multicast()
            && !address.is_loopback()
            && !self.is_own(address)
    }

    /// The own address for packets to that address, if they could be sent.
    pub(crate) fn source_for(&self, remote: IpAddr) -> Option<IpAddr> {
        if !self.addresses.reaches(remote) {
            return None;
        }
        let source: IpAddress = self.interface.get_source_address(&remote.into())?;
        (!source.is_unspecified() && self.is_own(source.into())).then(|| source.into())
    }
}

/// The addresses before anybody was asked.
pub(crate) fn initial(config: &AddressConfig, mac: [u8; 6]) -> Addresses {
    let mut addresses = Addresses {
        dns: config.dns,
        ..Addresses::default()
    };
    if let Ipv4Config::Static { cidr, gateway } = config.ipv4 {
        addresses.ipv4 = Some(cidr);
        addresses.ipv4_gateway = gateway;
    }
    if config.ipv6 != Ipv6Config::Off {
        addresses.ipv6[0] = Some(ndp::link_local(mac));
    }
    if let Ipv6Config::Static { cidr, gateway } = config.ipv6 {
        addresses.ipv6[1] = Some(cidr);
        addresses.ipv6_gateway = gateway;
    }
    addresses
}
