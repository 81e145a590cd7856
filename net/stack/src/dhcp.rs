//! The DHCP client (RFC 2131), which is smoltcp's.

use alloc::vec;
use core::net::{IpAddr, Ipv4Addr};

use morgana_hal::Instant;
use smoltcp::iface::{Interface, SocketHandle, SocketSet};
use smoltcp::socket::dhcpv4::{Event, Socket};

use crate::Cidr;
use crate::address::Addresses;
use crate::config::MAX_DNS_SERVERS;
use crate::phy::{Egress, Ingress};
use crate::time::{instant_from_smoltcp, instant_to_smoltcp};

/// The client.
pub(crate) struct Dhcp {
    set: SocketSet<'static>,
    handle: SocketHandle,
}

/// What the server said, or `None` if nothing that it said is valid any more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Answer(Option<Granted>);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Granted {
    cidr: Cidr<Ipv4Addr>,
    gateway: Option<Ipv4Addr>,
    dns: [Option<IpAddr>; MAX_DNS_SERVERS],
}

impl Answer {
    pub(crate) fn apply(self, addresses: &mut Addresses) {
        addresses.ipv4 = self.0.map(|granted| granted.cidr);
        addresses.ipv4_gateway = self.0.and_then(|granted| granted.gateway);
        if let Some(granted) = self.0
            && addresses.dns == [None; MAX_DNS_SERVERS]
        {
            addresses.dns = granted.dns;
        }
    }
}

impl Dhcp {
    pub(crate) fn new() -> Self {
        let mut set = SocketSet::new(vec![]);
        let handle = set.add(Socket::new());
        Self { set, handle }
    }

    pub(crate) fn deadline(&self, interface: &mut Interface, now: Instant) -> Option<Instant> {
        let at = interface.poll_at(instant_to_smoltcp(now), &self.set)?;
        Some(instant_from_smoltcp(at))
    }

    pub(crate) fn receive(
        &mut self,
        interface: &mut Interface,
        link: &mut Ingress<'_>,
        now: Instant,
    ) {
        interface.poll_ingress_single(instant_to_smoltcp(now), link, &mut self.set);
    }

    /// Sends what is due, and says what has changed.
    pub(crate) fn send<D: morgana_net_device::Device>(
        &mut self,
        interface: &mut Interface,
        egress: &mut Egress<'_, D>,
        now: Instant,
    ) -> Option<Answer> {
        let now = instant_to_smoltcp(now);
        if interface
            .poll_at(now, &self.set)
            .is_some_and(|at| at <= now)
        {
            interface.poll_egress(now, egress, &mut self.set);
        }
        let socket: &mut Socket<'_> = self.set.get_mut(self.handle);
        Some(Answer(match socket.poll()? {
            Event::Deconfigured => None,
            Event::Configured(config) => {
                let cidr = Cidr {
                    address: config.address.address(),
                    prefix: config.address.prefix_len(),
                };
                let mut dns = [None; MAX_DNS_SERVERS];
                for (place, server) in dns.iter_mut().zip(&config.dns_servers) {
                    *place = Some(IpAddr::V4(*server));
                }
                // A server may say anything: smoltcp does not survive an own address or a router that is no host's.
                let gateway = config.router.filter(|router| {
                    cidr.contains(*router)
                        && Cidr {
                            address: *router,
                            ..cidr
                        }
                        .is_host()
                        && *router != cidr.address
                });
                cidr.is_host().then_some(Granted { cidr, gateway, dns })
            }
        }))
    }
}
