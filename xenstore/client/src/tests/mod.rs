//! The client against a server that each test scripts, packet by packet.

extern crate std;

mod answers;
mod breaches;
mod limits;
mod transactions;
mod watches;

use std::boxed::Box;
use std::string::String;
use std::vec::Vec;

use core::future::poll_fn;
use morgana_exec::{Duplex, Executor, Handle, ManualClock, duplex, join};
use morgana_hal::ByteStream;
use morgana_xenstore_wire::{Decoder, Header, Operation, Request, RequestId, TransactionId};

use crate::{Client, Config};

/// What the server has received.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    header: Header,
    payload: Vec<u8>,
}

impl Received {
    /// The request, which must be valid.
    fn request(&self) -> Request<'_> {
        let operation = self
            .header
            .operation()
            .expect("the client knows its operations");
        Request::parse(operation, &self.payload).expect("the client sends valid requests")
    }
}

pub(crate) struct Server {
    /// `None` once it has hung up.
    stream: Option<Duplex>,
    decoder: Decoder,
}

impl Server {
    /// The next request.
    async fn receive(&mut self) -> Received {
        loop {
            if let Some(packet) = self.decoder.next().unwrap() {
                return Received {
                    header: packet.header,
                    payload: packet.payload.to_vec(),
                };
            }
            let stream = self.stream.as_ref().unwrap();
            let space = self.decoder.space();
            let len = poll_fn(|cx| stream.poll_read(cx, space)).await.unwrap();
            self.decoder.filled(len);
        }
    }

    /// The next request, which must be this one.
    async fn expect(&mut self, request: Request<'_>) -> Received {
        let received = self.receive().await;
        assert_eq!(received.request(), request);
        received
    }

    async fn send(&self, mut bytes: &[u8]) {
        let stream = self.stream.as_ref().unwrap();
        while !bytes.is_empty() {
            match poll_fn(|cx| stream.poll_write(cx, bytes)).await {
                Ok(len) => bytes = &bytes[len..],
                // The client has hung up, as some tests want it to.
                Err(_) => return,
            }
        }
    }

    async fn packet(&self, code: u32, request: u32, transaction: u32, payload: &[u8]) {
        let header = Header {
            code,
            request: RequestId(request),
            transaction: TransactionId(transaction),
            len: payload.len() as u32,
        };
        self.send(&[&header.to_bytes(), payload].concat()).await;
    }

    /// The right answer to `received`.
    async fn answer(&self, received: &Received, payload: &[u8]) {
        let header = received.header;
        self.packet(header.code, header.request.0, header.transaction.0, payload)
            .await;
    }

    async fn refuse(&self, received: &Received, error: &[u8]) {
        let header = received.header;
        let code = Operation::Error.code();
        self.packet(code, header.request.0, header.transaction.0, error)
            .await;
    }

    async fn event(&self, path: &str, token: &str) {
        let payload = [path.as_bytes(), b"\0", token.as_bytes(), b"\0"].concat();
        self.packet(Operation::WatchEvent.code(), 0, 0, &payload)
            .await;
    }
}

/// Runs a client's and a server's script to their ends. Waiting for what never comes panics (see `ManualIdle`), but for time-outs.
fn script<C: Future<Output = ()> + 'static>(
    client: impl FnOnce(Client, Handle) -> C + 'static,
    server: impl AsyncFnOnce(&mut Server) + 'static,
) {
    script_with(Config::default(), client, server);
}

/// As [`script`], with a client so configured.
fn script_with<C: Future<Output = ()> + 'static>(
    config: Config,
    client: impl FnOnce(Client, Handle) -> C + 'static,
    server: impl AsyncFnOnce(&mut Server) + 'static,
) {
    // 7 bytes of room: everything goes in pieces.
    let (ours, theirs) = duplex(7);
    let clock = ManualClock::default();
    let mut executor = Executor::new();
    let handle = executor.handle();
    let started = Client::with_config(ours, &handle, config).unwrap();
    let mut theirs = Server {
        stream: Some(theirs),
        decoder: Decoder::new(),
    };
    let both = Box::pin(async move {
        join(client(started, handle), server(&mut theirs)).await;
    });
    executor.block_on(both, &mut clock.idle(), &clock);
}
