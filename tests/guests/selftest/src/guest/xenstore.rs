//! The ring to xenstored: one request, by hand.

use core::task::{Context, Poll, Waker};
use core::time::Duration;

use alloc::vec::Vec;

use morgana_hal::{ByteStream, Clock, Idle, Platform};

use super::{Guest, Outcome, ensure};

/// `XS_READ` of io/xs_wire.h.
const READ: u32 = 2;

pub(super) fn answers(guest: &Guest) -> Outcome {
    let Some(stream) = guest.pv.xenstore() else {
        ensure!(guest.pv.is_dom0(), "no xenstore");
        return Ok(());
    };
    ensure!(guest.pv.xenstore().is_none(), "the ring was given twice");
    let mut request = Vec::new();
    for word in [READ, 77, 0, 6] {
        request.extend_from_slice(&u32::to_le_bytes(word));
    }
    request.extend_from_slice(b"domid\0");
    let mut cx = Context::from_waker(Waker::noop());
    let written = stream.poll_write(&mut cx, &request);
    ensure!(written == Poll::Ready(Ok(request.len())), "{written:?}");
    let mut reply = Vec::new();
    let deadline = guest.pv.clock().now() + Duration::from_secs(10);
    while reply.len() < 17 && guest.pv.clock().now() < deadline {
        let mut buffer = [0; 64];
        match stream.poll_read(&mut cx, &mut buffer) {
            Poll::Ready(Ok(count)) => reply.extend_from_slice(&buffer[..count]),
            Poll::Ready(Err(error)) => return Err(alloc::format!("{error}")),
            Poll::Pending => {
                let mut idle = guest.idle.borrow_mut();
                idle.wait(Some(deadline));
                idle.dispatch();
            }
        }
    }
    ensure!(reply.len() > 16, "{} bytes of a reply", reply.len());
    ensure!(
        reply[..8] == request[..8],
        "the reply is to something else: {reply:?}"
    );
    let told = core::str::from_utf8(&reply[16..]).unwrap_or("");
    ensure!(
        told.parse() == Ok(guest.own.number()),
        "xenstored says domain {told}, Xen says {}",
        guest.own
    );
    Ok(())
}
