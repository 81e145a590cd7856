//! One connection.

use alloc::vec;
use alloc::vec::Vec;
use core::task::Waker;
use core::time::Duration;

use morgana_hal::Instant;
use smoltcp::iface::{SocketHandle, SocketSet};
use smoltcp::socket::tcp::{Socket, SocketBuffer, State};

use super::TcpError;
use super::options::{Coalesce, TcpOptions};
use super::wire::Wire;
use crate::flow::FlowKey;
use crate::time::to_smoltcp;

/// How long a peer may take for its part of the handshake.
pub(crate) const HANDSHAKE: Duration = Duration::from_secs(10);

/// Who a connection belongs to.
///
/// ```text
///   SYN ─► Opening ─► Queued ─► Open ─► Orphan ─► gone
///          connect ─► Connecting ─┘
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Stage {
    /// In the handshake that a peer began with the listener on the connection's port.
    Opening { until: Instant },
    /// Waiting to be accepted.
    Queued,
    /// In the handshake that `connect` began.
    Connecting,
    /// A stream stands for it.
    Open,
    /// Its stream has been dropped: it delivers what is left.
    Orphan { until: Instant },
}

/// What a connection has.
#[derive(Debug)]
pub(crate) enum Body {
    /// A smoltcp socket, alone in its set, so that polling the set costs the same however many connections there are.
    Live(SocketSet<'static>),
    /// Only what [`Wire`] remembers.
    Parked,
    /// Nothing: it is over, and only its stream does not know yet.
    Ended(End),
}

/// How a connection ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum End {
    /// Both sides closed it.
    Finished,
    /// The peer refused it.
    Refused,
    /// It broke.
    Broken(TcpError),
}

/// The buffers of a connection, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Lease {
    pub(crate) receive: usize,
    pub(crate) transmit: usize,
}

impl Lease {
    pub(crate) const NONE: Self = Self {
        receive: 0,
        transmit: 0,
    };

    pub(crate) const fn bytes(self) -> usize {
        self.receive + self.transmit
    }
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) flow: FlowKey,
    pub(crate) stage: Stage,
    pub(crate) body: Body,
    pub(crate) wire: Wire,
    pub(crate) lease: Lease,
    pub(crate) options: TcpOptions,
    /// Whether this side has ended its half.
    pub(crate) closing: bool,
    /// Why it is about to end, once that is known.
    pub(crate) broken: Option<TcpError>,
    pub(crate) reader: Option<Waker>,
    pub(crate) writer: Option<Waker>,
    /// Whether it stands in the queue of those that may have something to send.
    pub(crate) queued: bool,
    /// Its entry in the queue of deadlines.
    pub(crate) deadline: Option<Instant>,
    /// Whether its last attempt to send waits for a neighbour's Ethernet address.
    pub(crate) blocked: bool,
    /// Whether anything happened since the hand of [`super::park`] passed by.
    pub(crate) touched: bool,
    /// When something was sent that the peer must answer, if nothing was heard from it since.
    pub(crate) asked: Option<Instant>,
    /// Since when it has something to send that cannot leave: the device has no room, or a neighbour does not tell its address.
    pub(crate) stuck: Option<Instant>,
}

// A thousand of them idle: what the README promises includes the entry in the table of flows.
const _: () = assert!(size_of::<Connection>() <= 320);

impl Connection {
    pub(crate) fn new(
        flow: FlowKey,
        stage: Stage,
        body: Body,
        wire: Wire,
        lease: Lease,
        options: TcpOptions,
    ) -> Self {
        Self {
            flow,
            stage,
            body,
            wire,
            lease,
            options,
            closing: false,
            broken: None,
            reader: None,
            writer: None,
            queued: false,
            deadline: None,
            blocked: false,
            touched: true,
            asked: None,
            stuck: None,
        }
    }

    /// The handle of the socket in a set that has only one.
    pub(crate) fn handle() -> SocketHandle {
        SocketHandle::default()
    }

    pub(crate) fn socket(&mut self) -> Option<&mut Socket<'static>> {
        match &mut self.body {
            Body::Live(set) => Some(set.get_mut(Self::handle())),
            Body::Parked | Body::Ended(_) => None,
        }
    }

    pub(crate) fn wake(&mut self) {
        for waker in [&mut self.reader, &mut self.writer] {
            if let Some(waker) = waker.take() {
                waker.wake();
            }
        }
    }

    /// Whether the peer has not acknowledged everything yet: the handshake, bytes, or the end of our half.
    pub(crate) fn is_owed(&mut self) -> bool {
        self.socket().is_some_and(|socket| {
            socket.send_queue() > 0
                || matches!(
                    socket.state(),
                    State::SynSent
                        | State::SynReceived
                        | State::FinWait1
                        | State::Closing
                        | State::LastAck
                )
        })
    }

    /// When it is given up, if the peer stays silent.
    pub(crate) fn gives_up_at(&self) -> Option<Instant> {
        let silence = [self.asked, self.stuck]
            .into_iter()
            .flatten()
            .min()
            .map(|since| since + self.options.give_up_after);
        let stage = match self.stage {
            Stage::Opening { until } | Stage::Orphan { until } => Some(until),
            _ => None,
        };
        [silence, stage].into_iter().flatten().min()
    }
}

/// A set with one new socket in it.
pub(crate) fn new_socket(lease: Lease, options: &TcpOptions) -> SocketSet<'static> {
    let mut socket = Socket::new(
        SocketBuffer::new(vec![0; lease.receive]),
        SocketBuffer::new(vec![0; lease.transmit]),
    );
    socket.set_nagle_enabled(options.coalesce == Coalesce::UntilAcknowledged);
    socket.set_keep_alive(options.keep_alive.map(to_smoltcp));
    let mut set = SocketSet::new(Vec::with_capacity(1));
    set.add(socket);
    set
}
