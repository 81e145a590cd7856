//! A xenstored without a machine: a real tree, and back ends that take whatever is theirs.

use core::cell::{Cell, RefCell};
use core::future::poll_fn;
use std::rc::Rc;

use morgana_exec::{Duplex, Handle, duplex};
use morgana_hal::{ByteStream, DomId};
use morgana_xenstore_store::{ConnectionId, Effect, Quota, Rights, Store};
use morgana_xenstore_wire::{Decoder, Request, RequestId, TransactionId};

/// The tree, for a test to look at.
pub(crate) struct Tree(Rc<Server>);

struct Server {
    store: RefCell<Store>,
    /// Who looks.
    looker: ConnectionId,
    /// Requests of the client.
    heard: Cell<u32>,
    /// The state that a back end answers a new device with, if it sees any.
    answer: Cell<Option<&'static [u8]>>,
}

/// Serves a tree with what there is in dom0.
pub(crate) fn serve(handle: &Handle) -> (Duplex, Tree) {
    let mut store = Store::new(Quota::default());
    let mut out = Vec::new();
    let client = store.introduce(DomId::DOM0, Rights::Control, &mut out);
    let looker = store.connect(DomId::DOM0, Rights::Control);
    for path in ["/local/domain/0/name", "/vm", "/libxl", "/tool/morgana"] {
        store.make(path);
    }
    let server = Rc::new(Server {
        store: RefCell::new(store),
        looker,
        heard: Cell::new(0),
        answer: Cell::new(Some(b"2")),
    });
    let (ours, theirs) = duplex(1 << 16);
    handle.spawn(run(server.clone(), theirs, client)).unwrap();
    (ours, Tree(server))
}

async fn run(server: Rc<Server>, stream: Duplex, client: ConnectionId) {
    let mut decoder = Decoder::new();
    loop {
        let mut out = Vec::new();
        while let Ok(Some(packet)) = decoder.next() {
            server.heard.set(server.heard.get() + 1);
            let mut store = server.store.borrow_mut();
            let effect = store.handle(client, packet, &|_| true, &mut out);
            if let Effect::Introduce(pending) = effect {
                store.finish_introduce(pending, Ok(()), &mut out);
            }
        }
        if let Some(answer) = server.answer.get() {
            server.take_devices(answer, &mut out);
        }
        let bytes: Vec<u8> = out
            .into_iter()
            .filter(|packet| packet.to == client)
            .flat_map(|packet| packet.content.into_bytes())
            .collect();
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let Ok(len) = poll_fn(|cx| stream.poll_write(cx, rest)).await else {
                return;
            };
            rest = &rest[len..];
        }
        let space = decoder.space();
        let Ok(len) = poll_fn(|cx| stream.poll_read(cx, space)).await else {
            return;
        };
        if len == 0 {
            return;
        }
        decoder.filled(len);
    }
}

impl Server {
    /// The answer's payload, if it is no error. `out` has what others are to hear of it.
    fn ask(
        &self,
        request: &Request<'_>,
        out: &mut Vec<morgana_xenstore_store::Outgoing>,
    ) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        request
            .encode(RequestId(1), TransactionId::NONE, &mut bytes)
            .unwrap();
        let mut decoder = Decoder::new();
        decoder.space()[..bytes.len()].copy_from_slice(&bytes);
        decoder.filled(bytes.len());
        let packet = decoder.next().unwrap().unwrap();
        let mut told = Vec::new();
        let mut store = self.store.borrow_mut();
        let _ = store.handle(self.looker, packet, &|_| true, &mut told);
        let reply = told.remove(0).content.into_bytes();
        out.append(&mut told);
        let is_error = reply[0] == 16;
        (!is_error).then(|| reply[16..].to_vec())
    }

    fn children(&self, path: &str) -> Vec<String> {
        let names = self.ask(&Request::Directory { path }, &mut Vec::new());
        let names = String::from_utf8(names.unwrap_or_default()).unwrap();
        names.split_terminator('\0').map(str::to_owned).collect()
    }

    /// Every device that begins is waited for by its back end.
    fn take_devices(&self, value: &[u8], out: &mut Vec<morgana_xenstore_store::Outgoing>) {
        let root = "/local/domain/0/backend";
        for kind in ["vif", "vbd"] {
            for number in self.children(&format!("{root}/{kind}/7")) {
                let path = &*format!("{root}/{kind}/7/{number}/state");
                let begins = self.ask(&Request::Read { path }, &mut Vec::new());
                if begins.as_deref() == Some(b"1") {
                    self.ask(&Request::Write { path, value }, out);
                }
            }
        }
    }
}

impl Tree {
    /// How many requests there were.
    pub(crate) fn heard(&self) -> u32 {
        self.0.heard.get()
    }

    /// Back ends put new devices into this state from now on; or see none any longer.
    pub(crate) fn let_back_ends_answer(&self, state: Option<&'static [u8]>) {
        self.0.answer.set(state);
    }

    pub(crate) fn read(&self, path: &str) -> Option<String> {
        let value = self.0.ask(&Request::Read { path }, &mut Vec::new())?;
        Some(String::from_utf8(value).unwrap())
    }

    pub(crate) fn permissions(&self, path: &str) -> String {
        let list = self.0.ask(&Request::GetPerms { path }, &mut Vec::new());
        let list = String::from_utf8(list.unwrap()).unwrap();
        list.split_terminator('\0').collect::<Vec<_>>().join(" ")
    }

    /// The paths of all nodes.
    pub(crate) fn nodes(&self) -> Vec<String> {
        let mut nodes = Vec::new();
        let mut left = vec![String::new()];
        while let Some(path) = left.pop() {
            let shown = if path.is_empty() { "/" } else { &path };
            for name in self.0.children(shown) {
                left.push(format!("{path}/{name}"));
            }
            nodes.push(path);
        }
        nodes.sort();
        nodes
    }
}
