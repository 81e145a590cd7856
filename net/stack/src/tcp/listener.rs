//! Listening, and accepting.

use alloc::collections::VecDeque;
use alloc::rc::Rc;
use core::fmt;
use core::future::poll_fn;
use core::task::{Context, Poll};

use morgana_exec::Waiters;

use super::ListenError;
use super::connection::Stage;
use super::options::ListenOptions;
use super::stream::TcpStream;
use super::table::ConnectionId;
use crate::stack::{Shared, Stack};

/// A port that is listened on.
#[derive(Debug)]
pub(crate) struct Listening {
    pub(crate) options: ListenOptions,
    /// How many connections are in their handshake.
    pub(crate) opening: usize,
    queue: VecDeque<ConnectionId>,
    acceptors: Waiters,
}

impl Listening {
    /// Whether no further connection may wait to be accepted.
    pub(crate) fn is_full(&self) -> bool {
        self.queue.len() >= self.options.backlog
    }

    /// Whether no further handshake may take memory.
    pub(crate) fn is_busy(&self) -> bool {
        self.opening + self.queue.len() >= self.options.backlog
    }

    /// A handshake that took memory is over.
    pub(crate) fn opened(&mut self, id: ConnectionId) {
        self.opening -= 1;
        self.enqueue(id);
    }

    /// A connection waits to be accepted.
    pub(crate) fn enqueue(&mut self, id: ConnectionId) {
        self.queue.push_back(id);
        self.acceptors.wake_all();
    }

    /// A connection ended before it was accepted.
    pub(crate) fn forget(&mut self, id: ConnectionId, stage: Stage) {
        match stage {
            Stage::Opening { .. } => self.opening -= 1,
            Stage::Queued => self.queue.retain(|queued| *queued != id),
            Stage::Connecting | Stage::Open | Stage::Orphan { .. } => {}
        }
    }
}

/// Accepts connections to one port, on all addresses. Dropping it resets those that have not been accepted.
pub struct TcpListener {
    shared: Rc<Shared>,
    port: u16,
}

impl fmt::Debug for TcpListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TcpListener")
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

impl TcpListener {
    /// Listens on a port.
    ///
    /// # Errors
    ///
    /// See [`ListenError`].
    pub fn bind(stack: &Stack, port: u16, options: ListenOptions) -> Result<Self, ListenError> {
        let mut engine = stack.shared.engine.borrow_mut();
        if port == 0 {
            return Err(ListenError::BadPort);
        }
        if engine.tcp.listeners.contains_key(&port) {
            return Err(ListenError::PortInUse);
        }
        if engine.tcp.listeners.len() >= engine.limits.listeners {
            return Err(ListenError::TooManyListeners);
        }
        let listening = Listening {
            options,
            opening: 0,
            queue: VecDeque::new(),
            acceptors: Waiters::new(),
        };
        engine.tcp.listeners.insert(port, listening);
        drop(engine);
        Ok(Self {
            shared: stack.shared.clone(),
            port,
        })
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Waits for a connection.
    pub async fn accept(&self) -> TcpStream {
        poll_fn(|cx| self.poll_accept(cx)).await
    }

    /// As [`accept`](Self::accept).
    pub fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<TcpStream> {
        let mut engine = self.shared.engine.borrow_mut();
        let tcp = &mut engine.tcp;
        // This listener made the entry, and only its end removes it.
        let Some(listening) = tcp.listeners.get_mut(&self.port) else {
            return Poll::Pending;
        };
        let Some(id) = listening.queue.pop_front() else {
            listening.acceptors.register(cx.waker());
            return Poll::Pending;
        };
        if let Some(connection) = tcp.get(id) {
            connection.stage = Stage::Open;
        }
        Poll::Ready(TcpStream::new(self.shared.clone(), id))
    }
}

impl Drop for TcpListener {
    fn drop(&mut self) {
        let mut engine = self.shared.engine.borrow_mut();
        engine.tcp.listeners.remove(&self.port);
        for index in 0..engine.tcp.places() {
            let port = self.port;
            if let Some((id, connection)) = engine.tcp.at(index)
                && connection.flow.local.port() == port
                && matches!(connection.stage, Stage::Opening { .. } | Stage::Queued)
            {
                engine.abort(id, self.shared.now());
            }
        }
        drop(engine);
        self.shared.work.notify();
    }
}
