//! Connections: queries in any pieces, several at a time, and those that do not end.

use std::time::Duration;

use dns::{Loaded, Shared, StreamEnd, StreamLimits, ZoneFile, serve_stream};
use embedded_io_async::{ErrorType, Read, Write};
use morgana_dns::Config;
use morgana_emul::{DomainConfig, Hypervisor, Outcome};
use morgana_hal::Exit;

/// A client that sends pieces, then closes or says nothing more, and keeps what it gets.
struct Client {
    pieces: Vec<Vec<u8>>,
    then: Then,
    got: Vec<u8>,
}

#[derive(Clone, Copy)]
enum Then {
    Close,
    Silence,
}

impl ErrorType for Client {
    type Error = core::convert::Infallible;
}

impl Read for Client {
    async fn read(&mut self, room: &mut [u8]) -> Result<usize, Self::Error> {
        if self.pieces.is_empty() {
            return match self.then {
                Then::Close => Ok(0),
                Then::Silence => core::future::pending().await,
            };
        }
        let piece = self.pieces.remove(0);
        room[..piece.len()].copy_from_slice(&piece);
        Ok(piece.len())
    }
}

impl Write for Client {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, Self::Error> {
        // A few at a time, as a slow connection takes them.
        let count = bytes.len().min(7);
        self.got.extend_from_slice(&bytes[..count]);
        Ok(count)
    }

    async fn flush(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

/// What a server of one zone answers to a client, and how the connection ends.
fn serve(pieces: Vec<Vec<u8>>, then: Then) -> (Vec<u8>, StreamEnd) {
    let machine = Hypervisor::new();
    let domain = machine.create(DomainConfig::default()).unwrap();
    let (send, result) = std::sync::mpsc::channel();
    let outcome = domain.run(|platform, tasks, _reactor| async move {
        let shared = Shared::new(platform, tasks.timers(), Config::default());
        let mut loaded = Loaded::default();
        let text = b"@ 60 SOA ns h 1 1 1 1 1\n NS ns\nns A 192.0.2.1\n".to_vec();
        let path = "example.zone".to_owned();
        loaded.add(ZoneFile { path, text }).await;
        assert!(loaded.is_whole());
        shared.server().replace(loaded.zones());
        let mut client = Client {
            pieces,
            then,
            got: Vec::new(),
        };
        let limits = StreamLimits {
            idle: Duration::from_millis(20),
            ..StreamLimits::default()
        };
        let address = "192.0.2.9".parse().unwrap();
        let end = serve_stream(&shared, &tasks.timers(), &limits, address, &mut client).await;
        send.send((client.got, end)).unwrap();
        Exit::Poweroff
    });
    assert_eq!(outcome, Outcome::Exited(Exit::Poweroff));
    result.recv().unwrap()
}

fn query(id: u8) -> Vec<u8> {
    let message = b"\0\0\0\0\0\x01\0\0\0\0\0\0\x02ns\x07example\0\0\x01\0\x01";
    let mut framed = vec![0, message.len() as u8];
    framed.extend_from_slice(message);
    framed[2] = id;
    framed
}

/// The first octets of the ids of all answers in a stream.
fn ids(mut stream: &[u8]) -> Vec<u8> {
    let mut ids = Vec::new();
    while let [high, low, rest @ ..] = stream {
        let (message, after) = rest.split_at(usize::from(*high) << 8 | usize::from(*low));
        assert!(message.ends_with(&[192, 0, 2, 1]));
        ids.push(message[0]);
        stream = after;
    }
    ids
}

#[test]
fn queries_are_answered_in_their_order_however_they_come() {
    let all = [query(1), query(2), query(3)].concat();
    for len in [1, 2, 3, 11, all.len()] {
        let pieces = all.chunks(len).map(<[u8]>::to_vec).collect();
        let (got, end) = serve(pieces, Then::Close);
        assert_eq!(
            (ids(&got), end),
            (vec![1, 2, 3], StreamEnd::Closed),
            "{len}"
        );
    }
}

#[test]
fn connections_that_do_not_end_are_ended() {
    let (got, end) = serve(vec![query(1)], Then::Silence);
    assert_eq!((ids(&got), end), (vec![1], StreamEnd::Idle));
    let (got, end) = serve(vec![query(1)[..9].to_vec()], Then::Silence);
    assert_eq!((got, end), (vec![], StreamEnd::Idle));
    let (got, end) = serve(vec![vec![0xff, 0xff, 0, 0]], Then::Silence);
    assert_eq!((got, end), (vec![], StreamEnd::TooLong));
}
