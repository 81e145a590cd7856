//! The store by tables: who asks, in which transaction, what, and what comes back.

extern crate std;

mod advisories;
mod domains;
mod errors;
mod memory;
mod names;
mod permissions;
mod properties;
mod quotas;
mod recovery;
mod settings;
mod state;
mod transactions;
mod tree;
mod watches;

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use morgana_hal::DomId;
use morgana_xenstore_wire::{
    Decoder, Header, Operation, Packet, Permission, Request, RequestId, TransactionId,
};

use crate::{ConnectionId, Content, Effect, Host, Outgoing, Quota, Rights, Store};

/// A store with domain 0 in control and the guests 1 and 2, which have homes.
pub(crate) struct Bench {
    pub(crate) store: Store,
    pub(crate) connections: Vec<ConnectionId>,
    pub(crate) host: Box<dyn Host>,
    /// Since last asked: the domain, the path and the token.
    events: Vec<(usize, String)>,
}

/// The domains that there are: those of the bench, and one that may come.
pub(crate) fn exists(domain: DomId) -> bool {
    domain.number() < 4
}

/// Who (a domain's number), in which transaction, asks what; the reply's payload, with `|` for NUL, or the error's name.
pub(crate) type Row<'a> = (usize, u32, Request<'a>, &'a str);

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with(Quota::default())
    }

    pub(crate) fn with(quota: Quota) -> Self {
        let mut store = Store::new(quota);
        let mut out = Vec::new();
        let connections = (0..3)
            .map(|number| {
                let rights = if number == 0 {
                    Rights::Control
                } else {
                    Rights::Guest
                };
                store.introduce(DomId::new(number), rights, &mut out)
            })
            .collect();
        let mut bench = Self {
            store,
            connections,
            host: Box::new(exists),
            events: Vec::new(),
        };
        for number in 1..3 {
            let home = format!("/local/domain/{number}");
            let permissions = format!("n{number}\0").into_bytes();
            let path = &home;
            bench.check(&[
                (0, 0, Request::Mkdir { path }, "OK|"),
                (
                    0,
                    0,
                    Request::SetPerms {
                        path,
                        permissions: &permissions,
                    },
                    "OK|",
                ),
            ]);
        }
        bench
    }

    /// Asks, and returns the reply as rows have it.
    pub(crate) fn ask(&mut self, who: usize, transaction: u32, request: Request<'_>) -> String {
        let (code, payload) = split(request);
        self.ask_raw(who, transaction, code, &payload)
    }

    pub(crate) fn ask_raw(
        &mut self,
        who: usize,
        transaction: u32,
        code: u32,
        payload: &[u8],
    ) -> String {
        let header = Header {
            code,
            request: RequestId(77),
            transaction: TransactionId(transaction),
            len: payload.len() as u32,
        };
        let mut out = Vec::new();
        let packet = Packet { header, payload };
        let from = self.connections[who];
        let effect = self.store.handle(from, packet, &*self.host, &mut out);
        assert!(matches!(effect, Effect::None), "{effect:?}");
        let reply = out.remove(0);
        assert_eq!(reply.to, self.connections[who]);
        self.keep_events(out);
        let Content::Reply(bytes) = reply.content else {
            panic!("no reply first: {reply:?}");
        };
        let (answer, text) = decode(&bytes);
        assert_eq!(answer.request, header.request);
        assert_eq!(answer.transaction, header.transaction);
        assert!(answer.code == code || answer.operation() == Some(Operation::Error));
        if answer.operation() == Some(Operation::Error) {
            text.trim_end_matches('|').into()
        } else {
            text
        }
    }

    #[track_caller]
    pub(crate) fn check(&mut self, table: &[Row<'_>]) {
        for (row, &(who, transaction, request, expected)) in table.iter().enumerate() {
            let reply = self.ask(who, transaction, request);
            assert_eq!(reply, expected, "row {row}: domain {who}: {request:?}");
        }
    }

    pub(crate) fn keep_events(&mut self, out: Vec<Outgoing>) {
        for event in out {
            assert!(matches!(event.content, Content::Event(_)), "{event:?}");
            let known = self.connections.iter().position(|&known| known == event.to);
            let (header, text) = decode(&event.content.bytes());
            assert_eq!(header.operation(), Some(Operation::WatchEvent));
            let text = text.trim_end_matches('|').replace('|', " ");
            self.events.push((known.unwrap(), text));
        }
    }

    /// The events since the last call, as `domain path token`.
    pub(crate) fn events(&mut self) -> Vec<String> {
        let events = core::mem::take(&mut self.events);
        let lines = events.iter().map(|(who, text)| format!("{who} {text}"));
        lines.collect()
    }

    pub(crate) fn start(&mut self, who: usize) -> u32 {
        let id = self.ask(who, 0, Request::TransactionStart);
        id.trim_end_matches('|').parse().unwrap()
    }
}

fn split(request: Request<'_>) -> (u32, Vec<u8>) {
    let mut bytes = Vec::new();
    request
        .encode(RequestId(0), TransactionId::NONE, &mut bytes)
        .unwrap();
    let payload = bytes.split_off(morgana_xenstore_wire::HEADER_LEN);
    (request.operation().code(), payload)
}

fn decode(bytes: &[u8]) -> (Header, String) {
    let mut decoder = Decoder::new();
    decoder.space()[..bytes.len()].copy_from_slice(bytes);
    decoder.filled(bytes.len());
    let packet = decoder.next().unwrap().unwrap();
    let text = String::from_utf8_lossy(packet.payload).replace('\0', "|");
    (packet.header, text)
}

/// A permission list as it goes over the wire, from `n1 r2`.
pub(crate) fn list(text: &str) -> Vec<u8> {
    let mut bytes = text.replace(' ', "\0").into_bytes();
    bytes.push(0);
    let mut fields = morgana_xenstore_wire::Fields::new(&bytes);
    assert!(Permission::parse(&mut fields).is_ok(), "{text}");
    bytes
}

pub(crate) fn write<'a>(path: &'a str, value: &'a str) -> Request<'a> {
    let value = value.as_bytes();
    Request::Write { path, value }
}

pub(crate) fn read(path: &str) -> Request<'_> {
    Request::Read { path }
}

pub(crate) fn directory(path: &str) -> Request<'_> {
    Request::Directory { path }
}

pub(crate) fn rm(path: &str) -> Request<'_> {
    Request::Rm { path }
}

pub(crate) fn mkdir(path: &str) -> Request<'_> {
    Request::Mkdir { path }
}

pub(crate) fn watch<'a>(path: &'a str, token: &'a str) -> Request<'a> {
    let depth = None;
    Request::Watch { path, token, depth }
}

pub(crate) fn commit() -> Request<'static> {
    Request::TransactionEnd {
        commit: morgana_xenstore_wire::Commit::Yes,
    }
}

pub(crate) fn abort() -> Request<'static> {
    Request::TransactionEnd {
        commit: morgana_xenstore_wire::Commit::No,
    }
}
