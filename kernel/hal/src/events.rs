//! Event channels: how domains wake each other.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use crate::{DomId, Port};

/// Makes channels.
pub trait Events {
    /// An open channel.
    type Channel: Channel;

    /// Opens a port that `peer` may connect to (`EVTCHNOP_alloc_unbound`). Its number goes to the peer, mostly by xenstore.
    fn listen(&self, peer: DomId) -> Result<Self::Channel, EventError>;

    /// Connects to the port `remote`, which `peer` has opened for us (`EVTCHNOP_bind_interdomain`).
    fn connect(&self, peer: DomId, remote: Port) -> Result<Self::Channel, EventError>;

    /// Binds a virtual interrupt of the hypervisor to a port (`EVTCHNOP_bind_virq`, on vCPU 0).
    fn virq(&self, virq: Virq) -> Result<Self::Channel, EventError>;
}

/// One end of an event channel. Dropping it closes the port.
///
/// An arrival is a step of a counter, so it cannot be lost: read [`count`](Channel::count), look at the shared state, and if there is
/// nothing to do wait for a count that is newer than the one read.
pub trait Channel: 'static {
    /// The own port.
    fn port(&self) -> Port;

    /// Wakes the peer. Cheap, but a hypercall: once a pass, not once an item. A peer that is gone is not an error here.
    fn notify(&self);

    /// How many arrivals there have been. The platform may count several that came close together as one.
    fn count(&self) -> u64;

    /// Ready with the count once it differs from `seen`. Else every waker given since is kept and woken at the next arrival; the
    /// wakers kept are bounded by the tasks that wait.
    fn poll_after(&self, seen: u64, cx: &mut Context<'_>) -> Poll<u64>;

    /// Tries `step` until it has an answer; in between, waits for an arrival. What the wait is for may have come while `step` looked, therefore
    /// the count is read first.
    fn poll_until<T>(&self, cx: &mut Context<'_>, mut step: impl FnMut() -> Option<T>) -> Poll<T>
    where
        Self: Sized,
    {
        // A second round finds out what came during the first. If it did not help, the task gets another turn after others.
        for _ in 0..2 {
            let seen = self.count();
            if let Some(answer) = step() {
                return Poll::Ready(answer);
            }
            if self.poll_after(seen, cx).is_pending() {
                return Poll::Pending;
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// [`poll_after`](Channel::poll_after) as a future.
    fn after(&self, seen: u64) -> After<'_, Self>
    where
        Self: Sized,
    {
        After {
            channel: self,
            seen,
        }
    }
}

/// A wait for arrivals newer than a count; see [`Channel::after`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct After<'a, C> {
    channel: &'a C,
    seen: u64,
}

impl<C: Channel> Future for After<'_, C> {
    type Output = u64;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<u64> {
        self.channel.poll_after(self.seen, cx)
    }
}

/// A virtual interrupt that portable code may bind (xen.h, `VIRQ_*`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum Virq {
    /// `VIRQ_TIMER`: the one-shot timer of a vCPU.
    Timer = 0,
    /// `VIRQ_DEBUG`: somebody asks for a state dump.
    Debug = 1,
    /// `VIRQ_DOM_EXC`: a domain has died or shut down; only one privileged domain has it.
    DomainException = 3,
    /// `VIRQ_CON_RING`: there is something new on Xen's own console; only the hardware domain has it.
    ConsoleRing = 8,
}

/// Why a channel could not be made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EventError {
    /// All ports of the own domain are in use (4,096 with two-level channels in a 64-bit domain).
    NoFreePort,
    /// The peer does not exist (any more).
    NoSuchDomain,
    /// The peer's port is not open for us, or is taken.
    Refused,
    /// The virtual interrupt is bound already, or this domain may not have it.
    Denied,
}

impl fmt::Display for EventError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoFreePort => "no event channel port is free",
            Self::NoSuchDomain => "the event channel's peer does not exist",
            Self::Refused => "the peer's event channel port is not open for this domain",
            Self::Denied => "the virtual interrupt is taken or not for this domain",
        })
    }
}

impl core::error::Error for EventError {}
