//! The same round trip with smoltcp alone, used as its manual says: all sockets in one set.

use std::time::{Duration, Instant as Wall};

use morgana_net_device::{Device as _, PairConfig, PairDevice, RxFrame, TxMeta, TxSlot, pair};
use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
use smoltcp::phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::socket::tcp::{Socket, SocketBuffer, State};
use smoltcp::time::Instant;
use smoltcp::wire::{EthernetAddress, IpAddress, IpCidr};

use super::MACS;

struct Link(PairDevice);

impl Device for Link {
    type RxToken<'a> = Received;
    type TxToken<'a> = Slot<'a>;

    fn receive(&mut self, _: Instant) -> Option<(Received, Slot<'_>)> {
        let frame = self.0.receive()?.bytes().to_vec();
        Some((Received(frame), Slot(&mut self.0)))
    }

    fn transmit(&mut self, _: Instant) -> Option<Slot<'_>> {
        Some(Slot(&mut self.0))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ethernet;
        capabilities.max_transmission_unit = 1514;
        capabilities
    }
}

struct Received(Vec<u8>);

impl RxToken for Received {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(&self.0)
    }
}

struct Slot<'a>(&'a mut PairDevice);

impl TxToken for Slot<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, f: F) -> R {
        let mut result = None;
        self.0.transmit().unwrap().send(len, |frame| {
            result = Some(f(frame));
            TxMeta::default()
        });
        result.unwrap()
    }
}

struct End {
    interface: Interface,
    link: Link,
    sockets: SocketSet<'static>,
}

impl End {
    fn new(device: PairDevice, number: u8) -> Self {
        let mut link = Link(device);
        let mac = EthernetAddress(MACS[usize::from(number - 1)].0);
        let mut interface = Interface::new(Config::new(mac.into()), &mut link, Instant::ZERO);
        interface.update_ip_addrs(|addresses| {
            let address = IpAddress::v4(10, 0, 0, number);
            addresses.push(IpCidr::new(address, 24)).unwrap();
        });
        Self {
            interface,
            link,
            sockets: SocketSet::new(vec![]),
        }
    }

    fn socket(&mut self) -> SocketHandle {
        let buffer = || SocketBuffer::new(vec![0; 4096]);
        let mut socket = Socket::new(buffer(), buffer());
        socket.set_nagle_enabled(false);
        self.sockets.add(socket)
    }

    fn poll(&mut self, now: Instant) {
        self.interface.poll(now, &mut self.link, &mut self.sockets);
        self.link.0.flush();
    }

    fn get(&mut self, handle: SocketHandle) -> &mut Socket<'static> {
        self.sockets.get_mut(handle)
    }
}

pub(crate) fn round_trip(idle: usize, round_trips: u32) -> Duration {
    let (left, right) = pair(MACS, PairConfig::default());
    let (mut client, mut server) = (End::new(left, 1), End::new(right, 2));
    let mut now = Instant::from_secs(1);
    let mut handles = None;
    for number in 0..=idle {
        let (one, other) = (client.socket(), server.socket());
        server.get(other).listen(7).unwrap();
        let local = 10_000 + number as u16;
        let remote = (IpAddress::v4(10, 0, 0, 2), 7);
        let socket: &mut Socket<'_> = client.sockets.get_mut(one);
        socket
            .connect(client.interface.context(), remote, local)
            .unwrap();
        while server.get(other).state() != State::Established {
            now += smoltcp::time::Duration::from_millis(20);
            client.poll(now);
            server.poll(now);
        }
        handles = Some((one, other));
    }
    let (one, other) = handles.unwrap();
    let mut buf = [0; 100];
    let start = Wall::now();
    for _ in 0..round_trips {
        client.get(one).send_slice(&[1; 100]).unwrap();
        while server.get(other).recv_queue() < 100 {
            client.poll(now);
            server.poll(now);
        }
        server.get(other).recv_slice(&mut buf).unwrap();
        server.get(other).send_slice(&[2; 100]).unwrap();
        while client.get(one).recv_queue() < 100 {
            server.poll(now);
            client.poll(now);
        }
        client.get(one).recv_slice(&mut buf).unwrap();
        now += smoltcp::time::Duration::from_micros(100);
    }
    start.elapsed() / round_trips
}
