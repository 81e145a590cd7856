//! xenstored in memory has domains whose rings nobody uses.

use std::convert::Infallible;
use std::task::{Context, Poll};

use morgana_hal::{ByteStream, DomId, Port, StreamError};
use morgana_xenstored::{Fault, Features, IntroduceError, Rings, Served};

/// Domains whose xenstore rings nobody uses.
pub(crate) struct NoRings;

/// A xenstore ring on which nothing comes.
pub(crate) struct Silence;

impl Rings for NoRings {
    type Stream = Silence;
    type Slot = Infallible;

    fn attach(&self, _: DomId, _: Port) -> Result<Silence, IntroduceError> {
        Ok(Silence)
    }
}

impl ByteStream for Silence {
    fn poll_read(&self, _: &mut Context<'_>, _: &mut [u8]) -> Poll<Result<usize, StreamError>> {
        Poll::Pending
    }

    fn poll_write(&self, _: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize, StreamError>> {
        Poll::Ready(Ok(bytes.len()))
    }
}

impl Served for Silence {
    fn advertise(&self, _: Features) {}

    fn give_up(&self, _: Fault) {}

    fn poll_reconnect(&self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }

    fn port(&self) -> Port {
        Port::new(0)
    }

    fn wake(&self) {}

    fn reset(&self) {}

    fn connect(&self) {}

    fn poll_take(&self, _: &mut Context<'_>, _: &mut [u8]) -> Poll<Result<usize, StreamError>> {
        Poll::Pending
    }

    fn release(&self) -> bool {
        false
    }

    fn taken(&self) -> u32 {
        0
    }

    fn written(&self) -> u32 {
        0
    }

    fn go_on_at(&self, _: u32) -> Result<(), StreamError> {
        Ok(())
    }
}
