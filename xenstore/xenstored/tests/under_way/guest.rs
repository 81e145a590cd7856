//! A domain that uses its ring, whoever serves it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use morgana_hal::{ByteStream, Pages};
use morgana_xenstore_wire::{
    Commit, Decoder, HEADER_LEN, Header, Operation, Request, RequestId, TransactionId,
};

use crate::world::Ring;

/// Where the page has the state of the connection, and what the guest writes there to begin anew (io/xs_wire.h, `XENSTORE_RECONNECT`).
const CONNECTION: usize = 2068;
const RECONNECT: u32 = 1;

/// Where it has the reason why the domain is not served.
const ERROR: usize = 2072;

/// What is awaited of a guest is polled again and again, so nothing here waits for an event.
pub(crate) struct Guest {
    ring: Ring,
    decoder: RefCell<Decoder>,
    next: Cell<u32>,
    /// What was asked and not answered.
    asked: RefCell<BTreeMap<u32, Operation>>,
    replies: RefCell<BTreeMap<u32, String>>,
    events: RefCell<Vec<String>>,
}

impl Guest {
    pub(crate) fn new(ring: Ring) -> Rc<Self> {
        Rc::new(Self {
            ring,
            decoder: RefCell::default(),
            next: Cell::new(1),
            asked: RefCell::default(),
            replies: RefCell::default(),
            events: RefCell::default(),
        })
    }

    /// Puts requests into the ring, and takes nothing out of it meanwhile. Their numbers.
    pub(crate) async fn send(&self, transaction: u32, requests: &[Request<'_>]) -> Vec<u32> {
        let mut ids = Vec::new();
        let mut bytes = Vec::new();
        for request in requests {
            let id = self.next.replace(self.next.get() + 1);
            let begin = bytes.len();
            let transaction = TransactionId(transaction);
            request
                .encode(RequestId(id), transaction, &mut bytes)
                .unwrap();
            let header = bytes[begin..].first_chunk::<HEADER_LEN>().unwrap();
            let operation = Header::from_bytes(header).operation().unwrap();
            self.asked.borrow_mut().insert(id, operation);
            ids.push(id);
        }
        self.put(&bytes).await;
        ids
    }

    async fn put(&self, bytes: &[u8]) {
        let mut rest = bytes;
        poll_fn(|cx| {
            while !rest.is_empty() {
                match self.ring.poll_write(cx, rest) {
                    Poll::Ready(len) => rest = &rest[len.unwrap()..],
                    Poll::Pending => return Poll::Pending,
                }
            }
            Poll::Ready(())
        })
        .await;
    }

    /// Takes out what there is: every packet is an event, or the one reply to something that was asked.
    fn take(&self) {
        let decoder = &mut *self.decoder.borrow_mut();
        let cx = &mut std::task::Context::from_waker(std::task::Waker::noop());
        loop {
            while let Some(packet) = decoder.next().expect("the stream is in step") {
                let header = packet.header;
                let text = String::from_utf8_lossy(packet.payload).replace('\0', "|");
                let operation = header.operation().expect("the stream is in step");
                if operation == Operation::WatchEvent {
                    self.events.borrow_mut().push(text);
                    continue;
                }
                let id = header.request.0;
                let asked = self.asked.borrow_mut().remove(&id);
                let asked = asked.unwrap_or_else(|| panic!("a reply too many: {id} {text}"));
                assert!(operation == asked || operation == Operation::Error);
                self.replies.borrow_mut().insert(id, text);
            }
            match self.ring.poll_read(cx, decoder.space()) {
                Poll::Ready(len) => decoder.filled(len.unwrap()),
                Poll::Pending => return,
            }
        }
    }

    /// Waits for the replies to all that was asked.
    pub(crate) async fn replies(&self) {
        poll_fn(|_| {
            self.take();
            if self.asked.borrow().is_empty() {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }

    pub(crate) async fn ask(&self, transaction: u32, request: Request<'_>) -> String {
        let ids = self.send(transaction, &[request]).await;
        self.replies().await;
        self.replies.borrow_mut().remove(&ids[0]).unwrap()
    }

    /// Asks all at once, and takes the replies at the end only. Each is as expected.
    pub(crate) async fn check(&self, asked: &[(Request<'_>, &str)]) {
        let requests: Vec<Request<'_>> = asked.iter().map(|(request, _)| *request).collect();
        let ids = self.send(0, &requests).await;
        self.replies().await;
        for (id, (request, expected)) in ids.iter().zip(asked) {
            let reply = self.replies.borrow_mut().remove(id).unwrap();
            assert!(reply == *expected, "{request:?}: {reply:?}");
        }
    }

    /// Takes nothing for some time.
    pub(crate) async fn rest(&self) {
        let mut rounds = 40;
        poll_fn(|_| {
            rounds -= 1;
            if rounds == 0 {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }

    /// Waits for this event, and forgets all that came before.
    pub(crate) async fn event(&self, expected: &str) {
        poll_fn(|_| {
            self.take();
            let mut events = self.events.borrow_mut();
            if events.iter().any(|event| event == expected) {
                events.clear();
                return Poll::Ready(());
            }
            Poll::Pending
        })
        .await;
    }

    /// Writes two nodes in a transaction, which is begun anew as often as a daemon has ended meanwhile.
    pub(crate) async fn write_together(&self, value: &str) {
        loop {
            let id = self.ask(0, Request::TransactionStart).await;
            let id: u32 = id.trim_end_matches('|').parse().unwrap();
            let value = value.as_bytes();
            let writes = ["one", "two"].map(|path| Request::Write { path, value });
            let ids = self.send(id, &writes).await;
            let end = self.send(id, &[END]).await[0];
            self.replies().await;
            let mut replies = self.replies.borrow_mut();
            let mut reply = |id| replies.remove(id).unwrap();
            let written: Vec<String> = ids.iter().map(&mut reply).collect();
            match reply(&end).as_str() {
                "OK|" => {
                    assert_eq!(written, ["OK|", "OK|"]);
                    return;
                }
                "EAGAIN|" => {}
                other => panic!("{other}"),
            }
        }
    }

    /// Why the page says that it is not served; 0 if it is.
    pub(crate) fn error(&self) -> u32 {
        self.ring.pages().region().load_u32(ERROR)
    }

    /// Begins anew: what it has watched and asked is forgotten.
    pub(crate) async fn reconnect(&self) {
        let region = self.ring.pages().region();
        region.store_u32(CONNECTION, RECONNECT);
        morgana_hal::Channel::notify(self.ring.channel());
        poll_fn(|_| {
            if region.load_u32(CONNECTION) == 0 {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
        self.ring.reset();
        *self.decoder.borrow_mut() = Decoder::new();
        self.events.borrow_mut().clear();
        assert!(self.asked.borrow().is_empty());
    }
}

const END: Request<'static> = Request::TransactionEnd {
    commit: Commit::Yes,
};
