//! Whose datagrams are whose: each client of the host has a port of the relay, by which answers find back.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::sync::Arc;

use super::frames::Mac;

/// How many clients are known at a time; the one that has not been heard of for the longest is forgotten.
const MOST: usize = 256;
/// The relay's ports, used in turn, so that a late answer to one who is forgotten finds nobody.
const PORTS: std::ops::RangeInclusive<u16> = 1024..=65535;

/// A client of the host and where its datagrams go.
#[derive(Clone, Debug)]
pub(super) struct Flow {
    /// The relay's port towards the testbed.
    pub(super) port: u16,
    pub(super) client: SocketAddr,
    pub(super) to: SocketAddrV4,
    /// Where the client's datagrams came in.
    pub(super) socket: Arc<UdpSocket>,
    used: u64,
}

/// What the relay knows.
#[derive(Debug, Default)]
pub(super) struct Known {
    flows: Vec<Flow>,
    next: u16,
    time: u64,
    /// Where machines of the testbed are.
    pub(super) neighbours: BTreeMap<Ipv4Addr, Mac>,
    /// For each that has not said where it is, the last datagram to it: from which port, to which, and what.
    pub(super) held: BTreeMap<Ipv4Addr, (u16, SocketAddrV4, Vec<u8>)>,
}

/// Whether a flow was known before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Age {
    New,
    Old,
}

impl Known {
    /// The port of a client's flow; it is made if there is none.
    pub(super) fn port_of(
        &mut self,
        socket: &Arc<UdpSocket>,
        client: SocketAddr,
        to: SocketAddrV4,
    ) -> (u16, Age) {
        self.time += 1;
        let known = |flow: &&mut Flow| {
            flow.client == client && flow.to == to && Arc::ptr_eq(&flow.socket, socket)
        };
        if let Some(flow) = self.flows.iter_mut().find(known) {
            flow.used = self.time;
            return (flow.port, Age::Old);
        }
        if self.flows.len() >= MOST {
            let oldest = (0..self.flows.len()).min_by_key(|&at| self.flows[at].used);
            oldest.map(|at| self.flows.swap_remove(at));
        }
        let port = loop {
            self.next = match self.next {
                0 => *PORTS.start(),
                port if port == *PORTS.end() => *PORTS.start(),
                port => port + 1,
            };
            if self.flows.iter().all(|flow| flow.port != self.next) {
                break self.next;
            }
        };
        self.flows.push(Flow {
            port,
            client,
            to,
            socket: Arc::clone(socket),
            used: self.time,
        });
        (port, Age::New)
    }

    /// Whom an answer is for.
    pub(super) fn answered(&mut self, port: u16, from: SocketAddrV4) -> Option<Flow> {
        self.time += 1;
        let answered = |flow: &&mut Flow| flow.port == port && flow.to == from;
        let flow = self.flows.iter_mut().find(answered)?;
        flow.used = self.time;
        Some(flow.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_that_was_silent_for_the_longest_goes() {
        let socket = Arc::new(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap());
        let to = SocketAddrV4::new(Ipv4Addr::new(10, 0, 2, 50), 53);
        let client = |number: u16| SocketAddr::from((Ipv4Addr::LOCALHOST, number + 1));
        let mut known = Known::default();
        let ports: Vec<u16> = (0..MOST as u16)
            .map(|number| known.port_of(&socket, client(number), to).0)
            .collect();
        assert_eq!(known.port_of(&socket, client(0), to), (ports[0], Age::Old));
        assert_eq!(known.port_of(&socket, client(5000), to).1, Age::New);
        assert_eq!(known.port_of(&socket, client(0), to).1, Age::Old);
        assert!(known.answered(ports[1], to).is_none());
        let flow = known.answered(ports[2], to).unwrap();
        assert_eq!(flow.client, client(2));
        // Nobody else may answer in its place.
        let other = SocketAddrV4::new(Ipv4Addr::new(10, 0, 2, 51), 53);
        assert!(known.answered(ports[2], other).is_none());
    }
}
