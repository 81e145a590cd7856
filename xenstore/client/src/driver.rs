//! The task that moves bytes between the connection and its stream.

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::future::poll_fn;
use core::task::{Context, Poll, ready};

use morgana_hal::ByteStream;
use morgana_xenstore_wire::Decoder;

use crate::connection::Connection;
use crate::{Breach, Closed};

/// Packets and reads in one turn; then other tasks have theirs.
const BUDGET: usize = 64;

struct Driver<S> {
    stream: S,
    connection: Rc<Connection>,
    decoder: Decoder,
    sending: Vec<u8>,
    /// How much of `sending` is sent.
    sent: usize,
}

/// Runs until the connection has ended.
pub(crate) async fn drive<S: ByteStream>(stream: S, connection: Rc<Connection>) {
    let mut driver = Driver {
        stream,
        connection,
        decoder: Decoder::new(),
        sending: Vec::new(),
        sent: 0,
    };
    let why = poll_fn(|cx| driver.poll(cx)).await;
    driver.connection.close(why);
}

impl<S: ByteStream> Driver<S> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Closed> {
        if let Some(why) = self.connection.state.borrow().closed {
            return Poll::Ready(why);
        }
        // Receiving first: what is dispatched may have something to send.
        if let Poll::Ready(why) = self.poll_receive(cx) {
            return Poll::Ready(why);
        }
        self.poll_send(cx)
    }

    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<Closed> {
        for _ in 0..BUDGET {
            let packet = match self.decoder.next() {
                Ok(packet) => packet,
                Err(_) => return Poll::Ready(Closed::Protocol(Breach::PayloadTooLong)),
            };
            if let Some(packet) = packet {
                let dispatched = self.connection.state.borrow_mut().dispatch(packet);
                if let Err(breach) = dispatched {
                    return Poll::Ready(Closed::Protocol(breach));
                }
                continue;
            }
            match ready!(self.stream.poll_read(cx, self.decoder.space())) {
                Ok(len) => self.decoder.filled(len),
                Err(error) => return Poll::Ready(Closed::Stream(error)),
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<Closed> {
        loop {
            if self.sent == self.sending.len() {
                self.sending.clear();
                self.sent = 0;
                let mut state = self.connection.state.borrow_mut();
                core::mem::swap(&mut state.outgoing, &mut self.sending);
                // Registered in any case: there will be more to send some day.
                state.driver.register(cx.waker());
                if self.sending.is_empty() {
                    return Poll::Pending;
                }
            }
            match ready!(self.stream.poll_write(cx, &self.sending[self.sent..])) {
                Ok(len) => self.sent += len,
                Err(error) => return Poll::Ready(Closed::Stream(error)),
            }
        }
    }
}
