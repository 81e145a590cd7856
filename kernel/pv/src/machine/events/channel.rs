//! Channels as `kernel/hal` wants them.

use core::marker::PhantomData;
use core::task::{Context, Poll};

use morgana_abi::errno;
use morgana_hal::{Channel, DomId, EventError, Events, Port, Virq};

use super::ports;
use crate::machine::hypercall::{self, Errno};

/// Makes channels.
#[derive(Debug, Clone, Copy)]
pub struct PvEvents {
    /// Made at boot only, and not to leave its thread.
    pub(in crate::machine) only_here: PhantomData<*const ()>,
}

/// An open port. Dropping it closes the port, if it is ours to close.
///
/// Invariant: the port is bound in Xen and in the table, and no other value stands for it.
#[derive(Debug)]
pub struct PvChannel {
    port: Port,
    origin: Origin,
    only_here: PhantomData<*const ()>,
}

/// Who made a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::machine) enum Origin {
    /// This domain.
    Ours,
    /// The toolstack, before the domain started. It stays open as long as the domain lives: a console daemon that has not come to it yet
    /// could not connect any more, and the domain's last words would be lost.
    Toolstack,
}

impl PvChannel {
    /// Takes over a port that is bound.
    pub(in crate::machine) fn adopt(port: Port, origin: Origin) -> Self {
        ports::open(port);
        Self {
            port,
            origin,
            only_here: PhantomData,
        }
    }
}

impl Events for PvEvents {
    type Channel = PvChannel;

    fn listen(&self, peer: DomId) -> Result<PvChannel, EventError> {
        Ok(PvChannel::adopt(
            hypercall::alloc_unbound(peer).map_err(error)?,
            Origin::Ours,
        ))
    }

    fn connect(&self, peer: DomId, remote: Port) -> Result<PvChannel, EventError> {
        Ok(PvChannel::adopt(
            hypercall::bind_interdomain(peer, remote).map_err(error)?,
            Origin::Ours,
        ))
    }

    fn virq(&self, virq: Virq) -> Result<PvChannel, EventError> {
        match hypercall::bind_virq(virq as u32) {
            Ok(port) => Ok(PvChannel::adopt(port, Origin::Ours)),
            Err(Errno(errno::ENOSPC)) => Err(EventError::NoFreePort),
            Err(_) => Err(EventError::Denied),
        }
    }
}

impl Channel for PvChannel {
    fn port(&self) -> Port {
        self.port
    }

    fn notify(&self) {
        // Fails only where the peer is gone, which the trait asks us to bear.
        let _ = hypercall::send(self.port);
    }

    fn count(&self) -> u64 {
        ports::count(self.port)
    }

    fn poll_after(&self, seen: u64, cx: &mut Context<'_>) -> Poll<u64> {
        ports::poll_after(self.port, seen, cx)
    }
}

impl Drop for PvChannel {
    fn drop(&mut self) {
        ports::forget(self.port);
        if self.origin == Origin::Toolstack {
            return;
        }
        // Fails only for a port that is not ours, and this one is.
        let _ = hypercall::close_port(self.port);
        ports::clear_pending(self.port);
    }
}

/// Our own domain id. Nothing tells a PV guest directly; but a port that is opened "for ourselves" knows for whom it is.
pub(in crate::machine) fn own_id() -> Option<DomId> {
    let port = hypercall::alloc_unbound(DomId::SELF).ok()?;
    let id = hypercall::unbound_peer(port);
    // Fails only for a port that is not ours, and this one is.
    let _ = hypercall::close_port(port);
    id.ok()
}

/// What the errors of `EVTCHNOP_alloc_unbound` and `EVTCHNOP_bind_interdomain` mean.
fn error(Errno(number): Errno) -> EventError {
    match number {
        errno::ENOSPC | errno::ENOMEM => EventError::NoFreePort,
        errno::ESRCH => EventError::NoSuchDomain,
        errno::EINVAL => EventError::Refused,
        _ => EventError::Denied,
    }
}
