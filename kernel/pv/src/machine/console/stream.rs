//! The console as a stream of bytes.

use core::task::{Context, Poll};

use morgana_hal::{ByteStream, StreamError};
use morgana_ring::{ByteLayout, RingStream, Side};

use super::ring;
use crate::machine::events::{Origin, PvChannel};
use crate::machine::hypercall;
use crate::machine::page::RingPage;

/// The domain's console.
#[derive(Debug)]
pub struct PvConsole(Kind);

#[derive(Debug)]
enum Kind {
    /// The ring that xenconsoled serves.
    Ring(RingStream<RingPage, PvChannel>),
    /// Xen's own console, which dom0 has instead. It never has input for us.
    Xen,
}

/// The console: once, then `None`.
pub(in crate::machine) fn stream(is_dom0: bool) -> Option<PvConsole> {
    let Some((region, port)) = ring::hand_over() else {
        return is_dom0.then_some(PvConsole(Kind::Xen));
    };
    RingStream::attach(
        RingPage::new(region),
        PvChannel::adopt(port, Origin::Toolstack),
        ByteLayout::CONSOLE,
        Side::Guest,
    )
    .ok()
    .map(|stream| PvConsole(Kind::Ring(stream)))
}

impl ByteStream for PvConsole {
    fn poll_read(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<Result<usize, StreamError>> {
        match &self.0 {
            Kind::Ring(stream) => stream.poll_read(cx, buffer),
            Kind::Xen if buffer.is_empty() => Poll::Ready(Ok(0)),
            Kind::Xen => Poll::Pending,
        }
    }

    fn poll_write(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize, StreamError>> {
        match &self.0 {
            Kind::Ring(stream) => stream.poll_write(cx, bytes),
            Kind::Xen => {
                hypercall::console_write(bytes);
                Poll::Ready(Ok(bytes.len()))
            }
        }
    }
}
