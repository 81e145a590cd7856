//! UDP, from the host's sockets to a guest's, and back.

mod common;

use std::net::{Ipv4Addr, UdpSocket};
use std::time::Duration;

use common::machine;
use morgana_emul::DomainThread;
use morgana_exec::Handle;
use morgana_net_stack::{Stack, UdpOptions, UdpSocket as GuestSocket};
use morgana_usernet::{Config, Forward};

/// The longest datagram on an ordinary link: 1,500 bytes without the headers of IPv4 and UDP.
const LONGEST: usize = 1472;

/// Answers with the port that a datagram came from, two bytes, and what was in it as far as there is room; until it is told to stop.
async fn answer(stack: Stack, _: Handle) {
    let socket = GuestSocket::bind(&stack, 53, UdpOptions::default()).unwrap();
    let mut buffer = [0; 2048];
    loop {
        let received = socket.recv_from(&mut buffer).await;
        let bytes = &buffer[..received.len];
        if bytes == b"stop" {
            return;
        }
        let mut answer = received.remote.port().to_be_bytes().to_vec();
        answer.extend_from_slice(bytes);
        answer.truncate(LONGEST);
        socket.reply(&answer, &received).await.unwrap();
    }
}

fn start(config: Config) -> (u16, DomainThread) {
    machine(
        config,
        Forward::udp(0, 53),
        "ip=10.0.2.15/24 ip6=off",
        answer,
    )
}

/// A client of the host.
struct Client(UdpSocket);

impl Client {
    fn new(port: u16) -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        socket.connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        // Only a lost datagram would make it wait so long.
        socket
            .set_read_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        Self(socket)
    }

    fn send(&self, bytes: &[u8]) {
        self.0.send(bytes).unwrap();
    }

    /// The next answer: the port towards the guest, and the rest.
    fn hear(&self) -> (u16, Vec<u8>) {
        let mut buffer = [0; 2048];
        let len = self.0.recv(&mut buffer).unwrap();
        let (port, rest) = buffer[..len].split_first_chunk().unwrap();
        (u16::from_be_bytes(*port), rest.to_vec())
    }

    fn ask(&self, bytes: &[u8]) -> u16 {
        self.send(bytes);
        let (port, rest) = self.hear();
        assert_eq!(rest, bytes);
        port
    }
}

/// The guest may not listen yet; what it does not hear is asked again.
fn first(port: u16) -> Client {
    let client = Client::new(port);
    client
        .0
        .set_read_timeout(Some(Duration::from_millis(50)))
        .unwrap();
    let mut buffer = [0; 16];
    while {
        client.send(b"?");
        client.0.recv(&mut buffer).is_err()
    } {}
    client
}

fn stop(port: u16, guest: DomainThread) {
    Client::new(port).send(b"stop");
    guest.join();
}

#[test]
fn each_client_hears_its_own_answers() {
    let (port, guest) = start(Config::default());
    first(port);
    // Not more than fit into the queue of the guest's socket.
    let clients: Vec<Client> = (0..40).map(|_| Client::new(port)).collect();
    for round in 0..3u8 {
        for (number, client) in (0u8..).zip(&clients) {
            client.send(&[round, number]);
        }
        for (number, client) in (0u8..).zip(&clients) {
            assert_eq!(client.hear().1, [round, number]);
        }
    }
    stop(port, guest);
}

#[test]
fn a_client_is_forgotten_when_there_are_too_many() {
    let config = Config {
        udp_flows: 2,
        ..Config::default()
    };
    let (port, guest) = start(config);
    first(port);
    let [a, b, c] = [(); 3].map(|()| Client::new(port));
    let (flow_of_a, flow_of_b) = (a.ask(b"a"), b.ask(b"b"));
    assert_ne!(flow_of_a, flow_of_b);
    assert_eq!(a.ask(b"again"), flow_of_a);
    // The one that was silent for the longest goes; the others stay, and it can come again.
    let flow_of_c = c.ask(b"c");
    assert_eq!(a.ask(b"still there"), flow_of_a);
    assert_ne!(b.ask(b"back again"), flow_of_b);
    assert_ne!(c.ask(b"and I"), flow_of_c);
    stop(port, guest);
}

#[test]
fn a_silent_client_is_forgotten() {
    let config = Config {
        udp_idle: Duration::from_millis(1),
        ..Config::default()
    };
    let (port, guest) = start(config);
    let client = first(port);
    client.0.set_read_timeout(None).unwrap();
    // What was asked more than once in the beginning may be answered more than once.
    client.send(b"known");
    let flow = loop {
        let (flow, rest) = client.hear();
        if rest == b"known" {
            break flow;
        }
    };
    let mut pause = Duration::from_millis(1);
    while {
        std::thread::sleep(pause);
        client.ask(b"and now?") == flow
    } {
        pause *= 2;
    }
    stop(port, guest);
}

#[test]
fn what_is_too_long_is_lost_and_nothing_else() {
    let (port, guest) = start(Config::default());
    first(port);
    let client = Client::new(port);
    let bytes: Vec<u8> = (0..LONGEST + 1).map(|at| ((at * 31) >> 3) as u8).collect();
    client.send(&bytes);
    client.send(&bytes[..LONGEST]);
    // The answer is as long, with two bytes more in front.
    let (_, heard) = client.hear();
    assert_eq!(heard, bytes[..LONGEST - 2]);
    client.send(b"");
    assert_eq!(client.hear().1, b"");
    stop(port, guest);
}
