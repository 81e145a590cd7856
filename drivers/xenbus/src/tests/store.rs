//! A store that knows what xenbus needs: nodes, watches, and transactions that never conflict.

use super::std;
use std::collections::BTreeMap;
use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use alloc::rc::Rc;
use core::cell::RefCell;
use core::future::poll_fn;

use morgana_exec::{Duplex, Handle, Notify, duplex, select};
use morgana_hal::{ByteStream, DomId};
use morgana_xenstore_client::{Client, Errno, Path};
use morgana_xenstore_wire::{
    Commit, Decoder, Operation, Request, RequestId, TransactionId, WatchEvent, encode,
};

#[derive(Clone)]
pub(crate) struct Store {
    inner: Rc<RefCell<Inner>>,
    handle: Handle,
}

#[derive(Default)]
struct Inner {
    nodes: BTreeMap<String, Vec<u8>>,
    watches: Vec<Watched>,
}

struct Watched {
    path: String,
    /// As the client wrote it.
    written: String,
    token: String,
    connection: Rc<Connection>,
}

struct Connection {
    home: String,
    outgoing: RefCell<Vec<u8>>,
    more: Notify,
    /// What is written in the one transaction that a client has open.
    uncommitted: RefCell<Vec<(String, Vec<u8>)>>,
}

impl Store {
    pub(crate) fn new(handle: &Handle) -> Self {
        Self {
            inner: Rc::default(),
            handle: handle.clone(),
        }
    }

    /// A client of this domain.
    pub(crate) fn client(&self, domain: DomId) -> Client {
        let (ours, theirs) = duplex(1024);
        let connection = Rc::new(Connection {
            home: format!("/local/domain/{}", domain.number()),
            outgoing: RefCell::default(),
            more: Notify::new(),
            uncommitted: RefCell::default(),
        });
        let inner = self.inner.clone();
        self.handle
            .spawn(async move {
                let sending = send(&theirs, &connection);
                select(receive(&theirs, &connection, &inner), sending).await;
            })
            .unwrap();
        Client::start(ours, &self.handle).unwrap()
    }

    pub(crate) fn put(&self, path: &str, value: &str) {
        self.inner.borrow_mut().write(path, value.as_bytes());
    }

    pub(crate) fn text(&self, path: &str) -> Option<String> {
        let value = self.inner.borrow().nodes.get(path).cloned();
        value.map(|value| String::from_utf8(value).unwrap())
    }

    pub(crate) fn remove(&self, path: &str) {
        self.inner.borrow_mut().remove(path);
    }
}

async fn send(stream: &Duplex, connection: &Connection) {
    loop {
        let seen = connection.more.count();
        let bytes = connection.outgoing.take();
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            match poll_fn(|cx| stream.poll_write(cx, rest)).await {
                Ok(len) => rest = &rest[len..],
                Err(_) => return,
            }
        }
        connection.more.after(seen).await;
    }
}

async fn receive(stream: &Duplex, connection: &Rc<Connection>, inner: &RefCell<Inner>) {
    let mut decoder = Decoder::new();
    loop {
        while let Some(packet) = decoder.next().unwrap() {
            let operation = packet.header.operation().unwrap();
            let request = Request::parse(operation, packet.payload).unwrap();
            let answer = match request {
                Request::Write { path, value }
                    if packet.header.transaction != TransactionId::NONE =>
                {
                    let write = (connection.absolute(path), value.to_vec());
                    connection.uncommitted.borrow_mut().push(write);
                    Ok(b"OK\0".to_vec())
                }
                _ => inner.borrow_mut().answer(request, connection),
            };
            let (code, payload) = match answer {
                Ok(payload) => (packet.header.code, payload),
                Err(errno) => {
                    let name = format!("{errno}\0");
                    (Operation::Error.code(), name.into_bytes())
                }
            };
            let (id, transaction) = (packet.header.request, packet.header.transaction);
            connection.put(code, id, transaction, &payload);
        }
        let space = decoder.space();
        match poll_fn(|cx| stream.poll_read(cx, space)).await {
            Ok(len) => decoder.filled(len),
            Err(_) => return,
        }
    }
}

impl Connection {
    fn put(&self, code: u32, id: RequestId, transaction: TransactionId, payload: &[u8]) {
        let mut outgoing = self.outgoing.borrow_mut();
        encode(code, id, transaction, &mut outgoing, |out| {
            out.extend(payload)
        })
        .unwrap();
        self.more.notify();
    }

    fn absolute(&self, path: &str) -> String {
        if path.starts_with('/') {
            return path.to_string();
        }
        format!("{}/{path}", self.home)
    }
}

impl Watched {
    fn fire(&self, changed: &str) {
        let relative = changed.strip_prefix(&self.path).unwrap_or("");
        let path = format!("{}{relative}", self.written);
        let event = WatchEvent {
            path: &path,
            token: &self.token,
        };
        let mut payload = Vec::new();
        event.emit(&mut payload);
        let code = Operation::WatchEvent.code();
        self.connection
            .put(code, RequestId(0), TransactionId::NONE, &payload);
    }
}

impl Inner {
    fn answer(
        &mut self,
        request: Request<'_>,
        connection: &Rc<Connection>,
    ) -> Result<Vec<u8>, Errno> {
        let ok = Ok(b"OK\0".to_vec());
        match request {
            Request::Read { path } => {
                let path = connection.absolute(path);
                self.nodes.get(&path).cloned().ok_or(Errno::NotFound)
            }
            Request::Write { path, value } => {
                self.write(&connection.absolute(path), value);
                ok
            }
            Request::Directory { path } => {
                let prefix = connection.absolute(path) + "/";
                let mut names: Vec<&str> = self
                    .nodes
                    .keys()
                    .filter_map(|node| node.strip_prefix(&prefix)?.split('/').next())
                    .collect();
                names.dedup();
                if names.is_empty() {
                    return Err(Errno::NotFound);
                }
                Ok((names.join("\0") + "\0").into_bytes())
            }
            Request::Watch { path, token, .. } => {
                let watched = Watched {
                    path: connection.absolute(path),
                    written: path.to_string(),
                    token: token.to_string(),
                    connection: connection.clone(),
                };
                watched.fire(&watched.path);
                self.watches.push(watched);
                ok
            }
            Request::Unwatch { token, .. } => {
                self.watches.retain(|watched| {
                    watched.token != token || !Rc::ptr_eq(&watched.connection, connection)
                });
                ok
            }
            Request::TransactionStart => Ok(b"1\0".to_vec()),
            Request::TransactionEnd { commit } => {
                let writes = connection.uncommitted.take();
                if commit == Commit::Yes {
                    for (path, value) in &writes {
                        self.write(path, value);
                    }
                }
                ok
            }
            other => panic!("the store does not know {other:?}"),
        }
    }

    fn write(&mut self, path: &str, value: &[u8]) {
        self.nodes.insert(path.to_string(), value.to_vec());
        self.fire(path);
    }

    fn remove(&mut self, path: &str) {
        let root = Path::parse(path).unwrap();
        self.nodes
            .retain(|node, _| !Path::parse(node).unwrap().is_at_or_below(root));
        self.fire(path);
        // A watch below what was removed is told its own path.
        for watched in &self.watches {
            let below = Path::parse(&watched.path).is_ok_and(|w| w.is_at_or_below(root));
            if below && watched.path != path {
                watched.fire(&watched.path);
            }
        }
    }

    fn fire(&self, changed: &str) {
        let changed = Path::parse(changed).unwrap();
        for watched in &self.watches {
            if changed.is_at_or_below(Path::parse(&watched.path).unwrap()) {
                watched.fire(changed.as_str());
            }
        }
    }
}
