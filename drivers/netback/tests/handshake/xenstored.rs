//! The xenstore of a test: the real store, and streams in memory instead of rings.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::rc::Rc;

use morgana_exec::{Duplex, Handle, Notify, duplex, select};
use morgana_hal::{ByteStream, DomId};
use morgana_xenstore_client::Client;
use morgana_xenstore_store::{ConnectionId, Outgoing, Quota, Rights, Store};
use morgana_xenstore_wire::Decoder;

pub(crate) struct Xenstored {
    store: RefCell<Store>,
    outboxes: RefCell<BTreeMap<ConnectionId, Rc<Outbox>>>,
}

#[derive(Default)]
struct Outbox {
    bytes: RefCell<Vec<u8>>,
    more: Notify,
}

impl Xenstored {
    pub(crate) fn new() -> Rc<Self> {
        Rc::new(Self {
            store: RefCell::new(Store::new(Quota::default())),
            outboxes: RefCell::default(),
        })
    }

    /// A client of `domain`, whose tasks run on `handle`.
    pub(crate) fn client(self: &Rc<Self>, domain: DomId, handle: &Handle) -> Client {
        let rights = if domain == DomId::DOM0 {
            Rights::Control
        } else {
            Rights::Guest
        };
        let mut out = Vec::new();
        let id = self.store.borrow_mut().introduce(domain, rights, &mut out);
        self.deliver(out);
        let outbox = Rc::new(Outbox::default());
        self.outboxes.borrow_mut().insert(id, outbox.clone());
        let (ours, theirs) = duplex(1024);
        let server = self.clone();
        handle
            .spawn(async move {
                select(server.receive(id, &theirs), send(&theirs, &outbox)).await;
            })
            .unwrap();
        Client::start(ours, handle).unwrap()
    }

    async fn receive(&self, id: ConnectionId, stream: &Duplex) {
        let mut decoder = Decoder::new();
        loop {
            while let Some(packet) = decoder.next().unwrap() {
                let mut out = Vec::new();
                let _ = self
                    .store
                    .borrow_mut()
                    .handle(id, packet, &|_| true, &mut out);
                self.deliver(out);
            }
            let space = decoder.space();
            match poll_fn(|cx| stream.poll_read(cx, space)).await {
                Ok(len) => decoder.filled(len),
                Err(_) => return,
            }
        }
    }

    fn deliver(&self, out: Vec<Outgoing>) {
        for packet in out {
            if let Some(outbox) = self.outboxes.borrow().get(&packet.to) {
                outbox
                    .bytes
                    .borrow_mut()
                    .extend(packet.content.into_bytes());
                outbox.more.notify();
            }
        }
    }
}

async fn send(stream: &Duplex, outbox: &Outbox) {
    loop {
        let seen = outbox.more.count();
        let bytes = outbox.bytes.take();
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            match poll_fn(|cx| stream.poll_write(cx, rest)).await {
                Ok(len) => rest = &rest[len..],
                Err(_) => return,
            }
        }
        outbox.more.after(seen).await;
    }
}
