//! What the tests share: certificates, a clock, and streams in memory.
#![allow(dead_code)]

use std::cell::RefCell;
use std::convert::Infallible;
use std::future::poll_fn;
use std::rc::Rc;
use std::time::Duration;

use embedded_io_async::{ErrorType, Read, Write};
use morgana_exec::{Duplex, Executor, Handle, ManualClock, duplex};
use morgana_hal::{ByteStream, WallTime};
use morgana_tls::{Acceptor, Certificates, Connector, Identity, Limits, Roots};

pub(crate) const CA: &[u8] = include_bytes!("../certs/ca.pem");
pub(crate) const P256: [&[u8]; 2] = [
    include_bytes!("../certs/p256.cert.pem"),
    include_bytes!("../certs/p256.key.pem"),
];
pub(crate) const ED25519: [&[u8]; 2] = [
    include_bytes!("../certs/ed25519.cert.pem"),
    include_bytes!("../certs/ed25519.key.pem"),
];
pub(crate) const RSA: [&[u8]; 2] = [
    include_bytes!("../certs/rsa.cert.pem"),
    include_bytes!("../certs/rsa.key.pem"),
];
pub(crate) const WILD: [&[u8]; 2] = [
    include_bytes!("../certs/wild.cert.pem"),
    include_bytes!("../certs/wild.key.pem"),
];

pub(crate) fn identity([chain, key]: [&[u8]; 2]) -> Identity {
    Identity::from_pem(chain, key).unwrap()
}

/// All certificates, of which that on P-256 is for everybody else.
pub(crate) fn certificates() -> Certificates {
    let mut certificates = Certificates::new().or_else(identity(P256));
    certificates.add("ed.test", identity(ED25519)).unwrap();
    certificates.add("rsa.test", identity(RSA)).unwrap();
    certificates.add("*.wild.test", identity(WILD)).unwrap();
    certificates
}

/// A day in 2030.
fn now() -> WallTime {
    WallTime::from_unix_nanos(1_900_000_000_000_000_000)
}

pub(crate) fn acceptor(tasks: &Handle, limits: Limits) -> Acceptor {
    let protocols: &[&[u8]] = &[b"http/1.1"];
    Acceptor::new(now, tasks.timers(), certificates(), protocols, limits).unwrap()
}

pub(crate) fn connector(tasks: &Handle) -> Connector {
    let (roots, time) = (Roots::from_pem(CA).unwrap(), Duration::from_secs(10));
    Connector::new(now, tasks.timers(), roots, &[b"http/1.1"], time)
}

/// One end of a stream in memory that gives pieces of at most `piece` bytes, and notes what was written.
pub(crate) struct Memory {
    stream: Duplex,
    piece: usize,
    pub(crate) written: Rc<RefCell<Vec<u8>>>,
}

impl ErrorType for Memory {
    type Error = Infallible;
}

impl Read for Memory {
    async fn read(&mut self, into: &mut [u8]) -> Result<usize, Infallible> {
        let count = into.len().min(self.piece);
        let read = poll_fn(|cx| self.stream.poll_read(cx, &mut into[..count])).await;
        // The other end is dropped.
        Ok(read.unwrap_or(0))
    }
}

impl Write for Memory {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        let bytes = &bytes[..bytes.len().min(self.piece)];
        let count = poll_fn(|cx| self.stream.poll_write(cx, bytes)).await;
        let count = count.unwrap_or(0);
        self.written.borrow_mut().extend(&bytes[..count]);
        Ok(count)
    }

    async fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

/// Two ends of a stream in memory.
pub(crate) fn pair(piece: usize) -> (Memory, Memory) {
    let (ours, theirs) = duplex(4096);
    let end = |stream| Memory {
        stream,
        piece,
        written: Rc::default(),
    };
    (end(ours), end(theirs))
}

/// Runs a test in virtual time.
pub(crate) fn run<T: 'static, F: Future<Output = T> + 'static>(
    test: impl FnOnce(Handle) -> F,
) -> T {
    let clock = ManualClock::default();
    let mut executor = Executor::new();
    let test = test(executor.handle());
    executor.block_on(test, &mut clock.idle(), &clock)
}
