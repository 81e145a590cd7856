//! Whether an app answers, and what its user then types.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;

use crate::cli::PortPair;
use crate::testbed::Protocol;

/// A DNS query for the root's SOA (RFC 1035 section 4.1): number 0x4d6f, one question, the empty name, type 6, class 1. A server that does not have that zone refuses, which is an
/// answer.
const QUERY: &[u8] = &[0x4d, 0x6f, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 6, 0, 1];
/// An empty ClientHello in a record of its own (RFC 8446 section 5.1), to which every server's answer is an alert.
const EMPTY_HELLO: &[u8] = &[22, 3, 1, 0, 4, 1, 0, 0, 0];
/// The type of a record with an alert in it.
const ALERT: u8 = 21;

/// The line that says where the app is.
pub(super) fn announcement(forward: PortPair) -> String {
    let PortPair {
        protocol,
        host,
        guest,
    } = forward;
    match (protocol, guest) {
        (Protocol::Tcp, 80) => format!("http://127.0.0.1:{host}/"),
        (Protocol::Tcp, 443) => format!("https://127.0.0.1:{host}/"),
        (Protocol::Udp, 53) => format!("dig @127.0.0.1 -p {host} NAME"),
        (Protocol::Tcp, 53) => format!("dig @127.0.0.1 -p {host} +tcp NAME"),
        (Protocol::Tcp, _) => format!("127.0.0.1:{host} leads to port {guest}"),
        (Protocol::Udp, _) => format!("127.0.0.1:{host} leads to UDP port {guest}"),
    }
}

/// Asks once; true if something that speaks the port's protocol answers within `patience`. What other protocols say first is not known
/// here: they are not asked.
pub(super) fn answers(forward: PortPair, patience: Duration) -> bool {
    let PortPair {
        protocol,
        host,
        guest,
    } = forward;
    let answer = match (protocol, guest) {
        (Protocol::Tcp, 80) => {
            let request = b"HEAD / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";
            over_tcp::<5>(host, request, patience).map(|start| &start == b"HTTP/")
        }
        (Protocol::Tcp, 443) => {
            over_tcp::<1>(host, EMPTY_HELLO, patience).map(|[kind]| kind == ALERT)
        }
        (Protocol::Tcp, 53) => {
            let mut message = vec![0, QUERY.len() as u8];
            message.extend_from_slice(QUERY);
            over_tcp::<5>(host, &message, patience).map(|[_, _, start @ ..]| is_answer(start))
        }
        (Protocol::Udp, 53) => over_udp(host, QUERY, patience).map(is_answer),
        _ => Ok(true),
    };
    answer.unwrap_or(false)
}

/// Whether a DNS message begins so: the number of the query, and the bit that makes it an answer.
fn is_answer([high, low, flags]: [u8; 3]) -> bool {
    [high, low] == QUERY[..2] && flags & 0x80 != 0
}

/// Sends `request` and reads the beginning of the answer; zeros if that ends too soon.
fn over_tcp<const N: usize>(port: u16, request: &[u8], patience: Duration) -> io::Result<[u8; N]> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, patience)?;
    stream.set_read_timeout(Some(patience))?;
    stream.write_all(request)?;
    let mut start = [0; N];
    match stream.read_exact(&mut start) {
        Ok(()) => Ok(start),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok([0; N]),
        Err(error) => Err(error),
    }
}

fn over_udp(port: u16, request: &[u8], patience: Duration) -> io::Result<[u8; 3]> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    socket.connect((Ipv4Addr::LOCALHOST, port))?;
    socket.set_read_timeout(Some(patience))?;
    socket.send(request)?;
    let mut answer = [0; 512];
    socket.recv(&mut answer)?;
    Ok([answer[0], answer[1], answer[2]])
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, UdpSocket};
    use std::time::Duration;

    use super::{QUERY, announcement, answers};

    #[test]
    fn says_what_to_type() {
        for (forward, expected) in [
            ("8080:80", "http://127.0.0.1:8080/"),
            ("8443:443/tcp", "https://127.0.0.1:8443/"),
            ("5353:53/udp", "dig @127.0.0.1 -p 5353 NAME"),
            ("5353:53", "dig @127.0.0.1 -p 5353 +tcp NAME"),
            ("9:9/udp", "127.0.0.1:9 leads to UDP port 9"),
            ("9:9", "127.0.0.1:9 leads to port 9"),
        ] {
            assert_eq!(announcement(forward.parse().unwrap()), expected);
        }
    }

    #[test]
    fn only_an_answer_is_one() {
        const PATIENCE: Duration = Duration::from_secs(10);
        let server = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = server.local_addr().unwrap().port();
        let forward = format!("{port}:53/udp").parse().unwrap();
        for (flags, expected) in [(0x80, true), (0, false)] {
            std::thread::scope(|scope| {
                let asked = scope.spawn(move || answers(forward, PATIENCE));
                let mut message = [0; 64];
                let (len, client) = server.recv_from(&mut message).unwrap();
                assert_eq!(&message[..len], QUERY);
                message[2] |= flags;
                server.send_to(&message[..len], client).unwrap();
                assert_eq!(asked.join().unwrap(), expected);
            });
        }
    }
}
