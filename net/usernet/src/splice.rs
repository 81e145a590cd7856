//! Two connections as one: what comes out of either goes into the other.

use core::cell::RefCell;
use core::future::poll_fn;
use core::task::{Context, Poll, ready};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::rc::Rc;

use morgana_net_stack::TcpStream as GuestStream;

use crate::readiness::{Direction, Source};

/// Bytes moved at a time. A direction that has to wait keeps at most so many.
const CHUNK: usize = 16 * 1024;

/// Memory for the bytes on their way, which all connections use in turn.
#[derive(Clone, Debug)]
pub(crate) struct Scratch(Rc<RefCell<Box<[u8]>>>);

impl Scratch {
    pub(crate) fn new() -> Self {
        Self(Rc::new(RefCell::new(vec![0; CHUNK].into())))
    }
}

/// How one direction stands.
#[derive(Debug, Default)]
struct Flow {
    /// Taken from one side, and not yet given to the other. Nothing more is taken meanwhile.
    pending: Vec<u8>,
    is_over: bool,
}

impl Flow {
    /// Gives what is pending; ready when nothing is.
    fn poll_give<E>(
        &mut self,
        mut give: impl FnMut(&[u8]) -> Poll<Result<usize, E>>,
    ) -> Poll<Result<(), E>> {
        let mut given = 0;
        let result = loop {
            if given == self.pending.len() {
                break Poll::Ready(Ok(()));
            }
            match give(&self.pending[given..]) {
                Poll::Ready(Ok(count)) => given += count,
                Poll::Ready(Err(error)) => break Poll::Ready(Err(error)),
                Poll::Pending => break Poll::Pending,
            }
        };
        self.pending.drain(..given);
        result
    }
}

/// Which side broke its connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Broken {
    Host,
    Guest,
}

/// A connection on either side.
#[derive(Debug)]
pub(crate) struct Splice<S> {
    host: S,
    guest: GuestStream,
    scratch: Scratch,
    to_guest: Flow,
    to_host: Flow,
}

impl<S: Source<TcpStream>> Splice<S> {
    pub(crate) fn new(host: S, guest: GuestStream, scratch: Scratch) -> Self {
        Self {
            host,
            guest,
            scratch,
            to_guest: Flow::default(),
            to_host: Flow::default(),
        }
    }

    /// Ready when both directions have ended, or one side has broken. The end of one direction is passed on as such.
    pub(crate) async fn run(&mut self) -> Result<(), Broken> {
        poll_fn(|cx| {
            let to_guest = self.poll_to_guest(cx)?;
            let to_host = self.poll_to_host(cx)?;
            match (to_guest, to_host) {
                (Poll::Ready(()), Poll::Ready(())) => Poll::Ready(Ok(())),
                _ => Poll::Pending,
            }
        })
        .await
    }

    /// Lets both sides know that it broke.
    pub(crate) fn abort(self) {
        crate::listener::reset(self.host.io());
        self.guest.abort();
    }

    fn poll_to_guest(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        let Self { host, guest, .. } = self;
        let flow = &mut self.to_guest;
        while !flow.is_over {
            let given = flow.poll_give(|bytes| guest.poll_write(cx, bytes));
            ready!(given).map_err(|_| Broken::Guest)?;
            let scratch = &mut self.scratch.0.borrow_mut();
            let taken = host.poll_io(Direction::Read, cx, |mut io| io.read(scratch));
            let taken = ready!(taken).map_err(|_| Broken::Host)?;
            flow.pending.extend_from_slice(&scratch[..taken]);
            if taken == 0 {
                guest.shutdown();
                flow.is_over = true;
                flow.pending = Vec::new();
            }
        }
        Poll::Ready(Ok(()))
    }

    fn poll_to_host(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        let Self { host, guest, .. } = self;
        let flow = &mut self.to_host;
        while !flow.is_over {
            let given = flow
                .poll_give(|bytes| host.poll_io(Direction::Write, cx, |mut io| io.write(bytes)));
            ready!(given).map_err(|_| Broken::Host)?;
            let scratch = &mut self.scratch.0.borrow_mut();
            let taken = ready!(guest.poll_read(cx, scratch)).map_err(|_| Broken::Guest)?;
            flow.pending.extend_from_slice(&scratch[..taken]);
            if taken == 0 {
                // A client that is gone already does not need to be told.
                let _ = host.io().shutdown(Shutdown::Write);
                flow.is_over = true;
                flow.pending = Vec::new();
            }
        }
        Poll::Ready(Ok(()))
    }
}
