//! A client's way to a daemon: packets out, packets in.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::FileExt;
use std::os::unix::net::UnixStream;

use morgana_hal::DomId;
use morgana_xenstore_wire::HEADER_LEN;

use crate::world::World;

/// More than any daemon sends at once. (oxenstored breaks the protocol's limit of 4,096.)
const PAYLOAD_MAX: usize = 1 << 20;

/// A packet that came.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Received {
    pub(crate) code: u32,
    pub(crate) request: u32,
    pub(crate) payload: Vec<u8>,
}

/// A way to the daemon.
#[derive(Debug)]
pub(crate) enum Link {
    Socket(UnixStream),
    Ring(Ring),
}

impl Link {
    pub(crate) fn send(&mut self, world: Option<&World>, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Socket(stream) => stream.write_all(bytes),
            Self::Ring(ring) => ring.write(needed(world)?, bytes),
        }
    }

    /// The next packet.
    pub(crate) fn receive(&mut self, world: Option<&World>) -> io::Result<Received> {
        let mut header = [0; HEADER_LEN];
        self.fill(world, &mut header)?;
        let word = |at: usize| {
            let bytes = [header[at], header[at + 1], header[at + 2], header[at + 3]];
            u32::from_le_bytes(bytes)
        };
        let len = word(12) as usize;
        if len > PAYLOAD_MAX {
            return Err(ErrorKind::InvalidData.into());
        }
        let mut payload = vec![0; len];
        self.fill(world, &mut payload)?;
        Ok(Received {
            code: word(0),
            request: word(4),
            payload,
        })
    }

    fn fill(&mut self, world: Option<&World>, buffer: &mut [u8]) -> io::Result<()> {
        match self {
            Self::Socket(stream) => stream.read_exact(buffer),
            Self::Ring(ring) => ring.read(needed(world)?, buffer),
        }
    }
}

fn needed(world: Option<&World>) -> io::Result<&World> {
    world.ok_or_else(|| ErrorKind::Unsupported.into())
}

/// A domain's end of its ring (io/xs_wire.h, `xenstore_domain_interface`). The page is a file, which the daemon has mapped.
#[derive(Debug)]
pub(crate) struct Ring {
    page: File,
    port: u32,
}

const RING_BYTES: u32 = 1024;
/// The offset of the bytes to the domain. Those from it are at 0.
const RESPONSES: u64 = 1024;
const REQUEST_CONSUMER: u64 = 2048;
const REQUEST_PRODUCER: u64 = 2052;
const RESPONSE_CONSUMER: u64 = 2056;
const RESPONSE_PRODUCER: u64 = 2060;

impl Ring {
    pub(crate) fn new(world: &World, domain: DomId) -> io::Result<Self> {
        Ok(Self {
            page: world.ring(domain)?,
            port: World::port(domain),
        })
    }

    fn index(&self, at: u64) -> io::Result<u32> {
        let mut bytes = [0; 4];
        self.page.read_exact_at(&mut bytes, at)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn set(&self, at: u64, index: u32) -> io::Result<()> {
        self.page.write_all_at(&index.to_le_bytes(), at)
    }

    fn write(&mut self, world: &World, mut bytes: &[u8]) -> io::Result<()> {
        let mut producer = self.index(REQUEST_PRODUCER)?;
        while !bytes.is_empty() {
            let consumer = self.index(REQUEST_CONSUMER)?;
            let (at, len) = room(producer, RING_BYTES - producer.wrapping_sub(consumer));
            let len = len.min(bytes.len());
            if len == 0 {
                world.raise(self.port)?;
                world.wait()?;
                continue;
            }
            self.page.write_all_at(&bytes[..len], at)?;
            bytes = &bytes[len..];
            producer = producer.wrapping_add(len as u32);
            self.set(REQUEST_PRODUCER, producer)?;
        }
        world.raise(self.port)
    }

    fn read(&mut self, world: &World, mut buffer: &mut [u8]) -> io::Result<()> {
        let mut consumer = self.index(RESPONSE_CONSUMER)?;
        while !buffer.is_empty() {
            let producer = self.index(RESPONSE_PRODUCER)?;
            let (at, len) = room(consumer, producer.wrapping_sub(consumer));
            let len = len.min(buffer.len());
            let was_full = producer.wrapping_sub(consumer) == RING_BYTES;
            if len == 0 {
                world.wait()?;
                continue;
            }
            self.page
                .read_exact_at(&mut buffer[..len], RESPONSES + at)?;
            buffer = &mut buffer[len..];
            consumer = consumer.wrapping_add(len as u32);
            self.set(RESPONSE_CONSUMER, consumer)?;
            // The daemon waits for nothing else.
            if was_full {
                world.raise(self.port)?;
            }
        }
        Ok(())
    }
}

/// Where the bytes from `index` on are, and how many of `count` are in one piece.
fn room(index: u32, count: u32) -> (u64, usize) {
    let at = index % RING_BYTES;
    (at.into(), count.min(RING_BYTES - at) as usize)
}
