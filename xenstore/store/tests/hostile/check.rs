//! What several clients may do to the store, among them domains that come and go in the middle.
//!
//! A script is a row of steps: who, what, in which transaction, how long the payload is, the payload. The same check is run by the fuzz
//! target.

use std::collections::BTreeMap;

use crate::journal::Kept;

use morgana_hal::DomId;
use morgana_xenstore_store::{ConnectionId, Content, Effect, Outgoing, Quota, Rights, Store};
use morgana_xenstore_wire::{
    Decoder, Errno, Header, Operation, PAYLOAD_MAX, Packet, RequestId, TransactionId, WatchEvent,
};

/// Domain 0 and two guests by their rings, and a program of domain 0 by a socket.
const CLIENTS: u8 = 4;
/// Behind the operations' numbers: to shut down, to die, to come, to break the connection, and two that mean nothing.
const BEYOND: u8 = Operation::SetQuota.code() as u8 + 1;
const CODES: u8 = BEYOND + 6;

/// Runs the script; panics if the store breaks a rule of its own.
pub(crate) fn check(script: &[u8]) {
    run(script);
}

/// Runs the script, and returns the journal.
pub(crate) fn run(script: &[u8]) -> Kept {
    let quota = Quota {
        nodes: 16,
        transaction_nodes: 16,
        watches: 8,
        transactions: 4,
        ..Quota::default()
    };
    let mut bench = Bench::new(quota);
    let mut rest = script;
    let mut journal = Kept::new(&mut bench.store);
    for number in 1.. {
        let [who, code, transaction, len, tail @ ..] = rest else {
            break;
        };
        let (payload, tail) = tail.split_at((*len as usize).min(tail.len()));
        rest = tail;
        bench.step(who % CLIENTS, code % CODES, *transaction, payload);
        if number % RENEWED == 0 {
            journal = Kept::new(&mut bench.store);
        } else {
            journal.keep(&mut bench.store);
        }
    }
    journal.check(&bench.store);
    bench.end();
    journal
}

/// After so many steps the journal begins anew.
const RENEWED: usize = 24;

struct Bench {
    store: Store,
    clients: BTreeMap<u8, ConnectionId>,
    /// The transactions that were started, by whoever.
    started: Vec<TransactionId>,
}

impl Bench {
    fn new(quota: Quota) -> Self {
        let mut bench = Self {
            store: Store::new(quota),
            clients: BTreeMap::new(),
            started: Vec::new(),
        };
        for who in 0..CLIENTS {
            bench.come(who);
        }
        bench
    }

    fn come(&mut self, who: u8) {
        let mut out = Vec::new();
        let domain = DomId::new(who.into());
        let id = match who {
            0 => self.store.introduce(domain, Rights::Control, &mut out),
            3 => self.store.connect(DomId::DOM0, Rights::Control),
            _ => self.store.introduce(domain, Rights::Guest, &mut out),
        };
        self.clients.insert(who, id);
        events(&out);
    }

    fn step(&mut self, who: u8, code: u8, transaction: u8, payload: &[u8]) {
        let domain = DomId::new(who.into());
        let is_guest = who == 1 || who == 2;
        let mut out = Vec::new();
        match code.checked_sub(BEYOND) {
            None => return self.ask(who, code, transaction, payload),
            Some(0) => self.store.shut_down(domain, &mut out),
            Some(1) if is_guest => {
                self.store.release(domain, &mut out);
                assert_eq!(self.store.nodes_of(domain), 0);
            }
            Some(2) => self.come(who),
            Some(3) => self.store.disconnect(self.clients[&who]),
            // Codes that no operation has.
            Some(_) => return self.ask(who, code, transaction, payload),
        }
        events(&out);
    }

    fn ask(&mut self, who: u8, code: u8, transaction: u8, payload: &[u8]) {
        let transaction = match transaction {
            0 => TransactionId::NONE,
            n => {
                let known = self.started.get(usize::from(n - 1));
                known.copied().unwrap_or(TransactionId(n.into()))
            }
        };
        let header = Header {
            code: code.into(),
            request: RequestId(7),
            transaction,
            len: payload.len() as u32,
        };
        let packet = Packet { header, payload };
        let from = self.clients[&who];
        let mut out = Vec::new();
        let effect = self.store.handle(from, packet, &exists, &mut out);
        if let Effect::Introduce(pending) = effect {
            assert!(out.is_empty(), "the reply comes when the ring is mapped");
            let mapped = if pending.port % 2 == 0 {
                Ok(())
            } else {
                Err(Errno::Invalid)
            };
            self.store.finish_introduce(pending, mapped, &mut out);
        }
        let is_guest = who == 1 || who == 2;
        assert!(
            !is_guest || effect == Effect::None,
            "a guest has no effects"
        );
        let Some((reply, others)) = out.split_first() else {
            // Nobody is there any more to be answered.
            return;
        };
        assert_eq!(reply.to, from);
        let Content::Reply(bytes) = &reply.content else {
            panic!("no reply first: {reply:?}");
        };
        events(others);
        self.note(bytes, header);
    }

    fn note(&mut self, reply: &[u8], asked: Header) {
        let (header, payload) = decode(reply);
        assert_eq!(header.request, asked.request);
        assert_eq!(header.transaction, asked.transaction);
        match header.operation() {
            Some(Operation::Error) => {
                let name = payload.strip_suffix(b"\0").expect("a NUL at the end");
                let errno = Errno::from_name(name);
                assert!(errno.is_some_and(|errno| errno != Errno::Io), "{errno:?}");
            }
            Some(Operation::TransactionStart) if self.started.len() < 250 => {
                let text = core::str::from_utf8(&payload).expect("digits");
                let id = text.trim_end_matches('\0').parse().expect("a number");
                self.started.push(TransactionId(id));
            }
            _ => assert_eq!(header.code, asked.code),
        }
    }

    /// The books agree with the tree.
    fn end(mut self) {
        self.come(3);
        let payload = b"check\0";
        let header = Header {
            code: Operation::Control.code(),
            request: RequestId(1),
            transaction: TransactionId::NONE,
            len: payload.len() as u32,
        };
        let mut out = Vec::new();
        let packet = Packet { header, payload };
        let effect = self
            .store
            .handle(self.clients[&3], packet, &exists, &mut out);
        assert_eq!(effect, Effect::None);
        assert_eq!(decode(&out[0].content.bytes()).1, b"OK\0");
    }
}

/// The domains that there are: those that may be clients, and a few more.
fn exists(domain: DomId) -> bool {
    domain.number() < 8
}

/// All are events, and whole.
fn events(packets: &[Outgoing]) {
    for packet in packets {
        assert!(matches!(packet.content, Content::Event(_)), "{packet:?}");
        let (header, payload) = decode(&packet.content.bytes());
        assert_eq!(header.operation(), Some(Operation::WatchEvent));
        assert!(WatchEvent::parse(&payload).is_ok());
    }
}

fn decode(bytes: &[u8]) -> (Header, Vec<u8>) {
    let mut decoder = Decoder::new();
    decoder.space()[..bytes.len()].copy_from_slice(bytes);
    decoder.filled(bytes.len());
    let packet = decoder.next().expect("not too long").expect("whole");
    assert!(packet.payload.len() <= PAYLOAD_MAX);
    (packet.header, packet.payload.to_vec())
}
