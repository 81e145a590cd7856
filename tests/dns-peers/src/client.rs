//! Many queries at once, and their answers.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use morgana_dns::Notification;
use rustix::net::sockopt::set_tcp_quickack;

use crate::name;
use crate::queries::{Case, Transport};
use crate::reply::Reply;
use crate::world::Zone;

/// How long a server may take. It has failed then.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Queries that are under way at once: the answers to all of them fit into a socket's buffer.
const WINDOW: usize = 12;

/// The id of a query behind others: its answer tells that no more of theirs come.
const LAST: u16 = 0xffff;

/// A client of a server, with its sockets.
#[derive(Debug)]
pub struct Client {
    address: SocketAddr,
    udp: UdpSocket,
}

impl Client {
    /// A client of the server at an address.
    ///
    /// # Errors
    ///
    /// Those of the sockets.
    pub fn new(address: SocketAddr) -> io::Result<Self> {
        let udp = UdpSocket::bind((address.ip(), 0))?;
        udp.connect(address)?;
        Ok(Self { address, udp })
    }

    /// Whether the server answers for all zones, with this serial number if there is one.
    pub(crate) fn serves(&self, zones: &[Zone], serial: Option<u32>) -> io::Result<bool> {
        self.udp
            .set_read_timeout(Some(Duration::from_millis(200)))?;
        let mut buffer = vec![0; 65_535];
        for zone in zones {
            // One that came too late for its query may still be there: they all ask the same.
            let sent = self.udp.send(&start_of_authority(zone.origin(), LAST));
            match sent.and_then(|_| self.udp.recv(&mut buffer)) {
                Ok(length) if length >= 12 && buffer[3] & 0x0f == 0 && buffer[7] == 1 => {
                    if serial.is_some() && serial_of(&buffer[..length]) != serial {
                        return Ok(false);
                    }
                }
                Ok(_) => return Ok(false),
                Err(error) if is_not_there(&error) => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// Whether a notification is answered, without an error.
    ///
    /// # Errors
    ///
    /// Those of the socket; `TimedOut` or `WouldBlock` where there is no answer.
    pub fn takes(&self, notification: &Notification) -> io::Result<bool> {
        self.udp.set_read_timeout(Some(PATIENCE))?;
        self.udp.send(notification.message())?;
        let mut buffer = [0; 512];
        let length = self.udp.recv(&mut buffer)?;
        Ok(notification.is_answered_by(&buffer[..length]) && buffer[3] & 0x0f == 0)
    }

    /// Asks all cases, each by its own transport. The answers are in the order of the cases; `None` where there was none.
    ///
    /// # Errors
    ///
    /// Those of the sockets; `TimedOut` or `WouldBlock` where the server does not answer at all.
    pub fn ask(&self, cases: &[Case]) -> io::Result<Vec<Option<Vec<u8>>>> {
        let mut answers = vec![None; cases.len()];
        for transport in [Transport::Udp, Transport::Tcp] {
            let places = (0..cases.len()).filter(|place| cases[*place].transport == transport);
            let places: Vec<usize> = places.collect();
            for window in places.chunks(WINDOW) {
                let messages = window.iter().enumerate().map(|(id, place)| {
                    let mut message = cases[*place].message.clone();
                    for (octet, value) in message.iter_mut().zip((id as u16).to_be_bytes()) {
                        *octet = value;
                    }
                    message
                });
                let messages: Vec<Vec<u8>> = messages.collect();
                let answered = match transport {
                    Transport::Udp => self.by_udp(&messages)?,
                    Transport::Tcp => self.by_tcp(&messages)?,
                };
                for (place, answer) in window.iter().zip(answered) {
                    answers[*place] = answer;
                }
            }
        }
        Ok(answers)
    }

    /// Asks a window of queries, whose ids are their places.
    fn by_udp(&self, queries: &[Vec<u8>]) -> io::Result<Vec<Option<Vec<u8>>>> {
        self.udp.set_read_timeout(Some(PATIENCE))?;
        let mut answers = vec![None; queries.len()];
        let mut buffer = vec![0; 65_535];
        for query in queries {
            self.udp.send(query)?;
        }
        self.udp.send(&start_of_authority(".", LAST))?;
        loop {
            let length = self.udp.recv(&mut buffer)?;
            match id(&buffer[..length]) {
                Some(LAST) => return Ok(answers),
                id => keep(&mut answers, id, &buffer[..length]),
            }
        }
    }

    /// Asks a window of queries on one connection. A server that closes it is asked each of them on one of its own.
    fn by_tcp(&self, queries: &[Vec<u8>]) -> io::Result<Vec<Option<Vec<u8>>>> {
        let (answers, end) = self.on_connection(queries)?;
        if end == Connection::Open || queries.len() == 1 {
            return Ok(answers);
        }
        let alone = (0..queries.len()).map(|place| {
            // Its id is 0 there.
            let mut query = queries[place].clone();
            query.iter_mut().take(2).for_each(|octet| *octet = 0);
            let (mut answers, _) = self.on_connection(&[query])?;
            Ok(answers.remove(0))
        });
        alone.collect()
    }

    fn on_connection(&self, queries: &[Vec<u8>]) -> io::Result<(Vec<Option<Vec<u8>>>, Connection)> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut answers = vec![None; queries.len()];
        let mut all = Vec::new();
        for query in queries {
            all.extend(framed(query)?);
        }
        all.extend(framed(&start_of_authority(".", LAST))?);
        if let Err(error) = stream.write_all(&all)
            && !is_closed(&error)
        {
            return Err(error);
        }
        loop {
            match receive(&mut stream)? {
                None => return Ok((answers, Connection::Closed)),
                Some(message) => match id(&message) {
                    Some(LAST) => return Ok((answers, Connection::Open)),
                    id => keep(&mut answers, id, &message),
                },
            }
        }
    }

    /// Asks for a whole zone by TCP (RFC 5936): all messages up to that which ends with the second SOA, or that tells an error.
    ///
    /// # Errors
    ///
    /// Those of the socket.
    pub fn transfer(
        &self,
        query: &[u8],
        mut is_last: impl FnMut(&[u8]) -> bool,
    ) -> io::Result<Vec<Vec<u8>>> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(&framed(query)?)?;
        let (began, mut messages) = (Instant::now(), Vec::new());
        while let Some(message) = receive(&mut stream)? {
            let last = is_last(&message);
            messages.push(message);
            if last || began.elapsed() > PATIENCE {
                break;
            }
        }
        Ok(messages)
    }
}

/// What became of a connection.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Connection {
    Open,
    Closed,
}

/// Keeps an answer in its place.
fn keep(answers: &mut [Option<Vec<u8>>], id: Option<u16>, message: &[u8]) {
    let place = id.and_then(|id| answers.get_mut(usize::from(id)));
    if let Some(place) = place {
        *place = Some(message.to_vec());
    }
}

/// A message behind its length (RFC 1035, section 4.2.2).
fn framed(message: &[u8]) -> io::Result<Vec<u8>> {
    let length = u16::try_from(message.len()).map_err(io::Error::other)?;
    let mut framed = length.to_be_bytes().to_vec();
    framed.extend_from_slice(message);
    Ok(framed)
}

/// A message; `None` if the server has closed the connection.
fn receive(stream: &mut TcpStream) -> io::Result<Option<Vec<u8>>> {
    // Servers that wait for our acknowledgement before they send more would wait for the kernel's patience, too.
    set_tcp_quickack(&*stream, true)?;
    let mut length = [0; 2];
    if let Err(error) = stream.read_exact(&mut length) {
        return if is_closed(&error) {
            Ok(None)
        } else {
            Err(error)
        };
    }
    let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut message)?;
    Ok(Some(message))
}

fn is_closed(error: &io::Error) -> bool {
    use ErrorKind::{BrokenPipe, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), BrokenPipe | ConnectionReset | UnexpectedEof)
}

fn is_not_there(error: &io::Error) -> bool {
    use ErrorKind::{ConnectionRefused, TimedOut, WouldBlock};
    matches!(error.kind(), ConnectionRefused | TimedOut | WouldBlock)
}

/// The id of a message.
fn id(message: &[u8]) -> Option<u16> {
    let octets = message.first_chunk::<2>()?;
    Some(u16::from_be_bytes(*octets))
}

/// The serial number in an answer to a query for an SOA.
fn serial_of(message: &[u8]) -> Option<u32> {
    // Behind the two names (RFC 1035, section 3.3.13) are five numbers, of which it is the first.
    const NUMBERS: usize = 20;
    let reply = Reply::parse(message).ok()?;
    let set = reply.sections[0].iter().find(|(key, _)| key.2 == 6)?.1;
    let data = set.data.first()?;
    let numbers = data.get(data.len().checked_sub(NUMBERS)?..)?;
    Some(u32::from_be_bytes(*numbers.first_chunk()?))
}

/// A plain query.
fn start_of_authority(origin: &str, id: u16) -> Vec<u8> {
    let mut query = id.to_be_bytes().to_vec();
    query.extend_from_slice(&[0, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    query.extend(name::wire(&name::labels(origin)));
    query.extend_from_slice(&[0, 6, 0, 1]);
    query
}
