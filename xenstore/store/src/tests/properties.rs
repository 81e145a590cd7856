//! Random requests against a model, and random bytes against nothing but survival.

use super::{Bench, abort, commit, directory, mkdir, read, rm, write};
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use morgana_hal::DomId;
use morgana_xenstore_wire::{Header, Operation, Packet, Request, RequestId, TransactionId};
use proptest::prelude::*;

/// A store as simple as can be: the values of all nodes, by path.
#[derive(Clone, Default, PartialEq, Debug)]
struct Model(BTreeMap<String, String>);

#[derive(Clone, Debug)]
enum Act {
    Write(usize, u8),
    Mkdir(usize),
    Rm(usize),
}

const PATHS: [&str; 7] = [
    "/t", "/t/a", "/t/a/b", "/t/a/b/c", "/t/d", "/t/d/e", "/t/ab",
];

impl Model {
    fn apply(&mut self, act: &Act) {
        match act {
            Act::Write(path, value) => {
                self.make(PATHS[*path]);
                self.0
                    .insert(PATHS[*path].into(), alloc::format!("{value}"));
            }
            Act::Mkdir(path) => self.make(PATHS[*path]),
            Act::Rm(path) => {
                let below = String::from(PATHS[*path]) + "/";
                self.0
                    .retain(|other, _| other != PATHS[*path] && !other.starts_with(&below));
            }
        }
    }

    fn make(&mut self, path: &str) {
        for (at, _) in path.match_indices('/').skip(1).chain([(path.len(), "")]) {
            self.0.entry(path[..at].into()).or_default();
        }
    }
}

fn request<'a>(act: &Act, value: &'a mut String) -> Request<'a> {
    match act {
        Act::Write(path, number) => {
            *value = alloc::format!("{number}");
            write(PATHS[*path], value)
        }
        Act::Mkdir(path) => mkdir(PATHS[*path]),
        Act::Rm(path) => rm(PATHS[*path]),
    }
}

fn observe(bench: &mut Bench) -> Model {
    let mut found = Model::default();
    for path in PATHS {
        if !matches!(bench.ask(0, 0, directory(path)).as_str(), "ENOENT") {
            found.0.insert(path.into(), bench.ask(0, 0, read(path)));
        }
    }
    found
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        (0..PATHS.len(), any::<u8>()).prop_map(|(path, value)| Act::Write(path, value)),
        (0..PATHS.len()).prop_map(Act::Mkdir),
        (0..PATHS.len()).prop_map(Act::Rm),
    ]
}

proptest! {
    /// Acts in and outside a transaction, mixed: if it commits, the outcome is that of the inner acts after the outer ones.
    #[test]
    fn transactions_are_serial(
        before in prop::collection::vec(act(), 0..8),
        mixed in prop::collection::vec((act(), any::<bool>()), 0..12),
        is_committed in any::<bool>(),
    ) {
        let mut bench = Bench::new();
        let mut model = Model::default();
        let mut text = String::new();
        for act in &before {
            bench.ask(0, 0, request(act, &mut text));
            model.apply(act);
        }
        let id = bench.start(0);
        for (act, is_inside) in &mixed {
            bench.ask(0, if *is_inside { id } else { 0 }, request(act, &mut text));
            if !is_inside {
                model.apply(act);
            }
        }
        prop_assert_eq!(&observe(&mut bench), &model);
        let end = if is_committed { commit() } else { abort() };
        if bench.ask(0, id, end) == "OK|" && is_committed {
            for (act, _) in mixed.iter().filter(|(_, is_inside)| *is_inside) {
                model.apply(act);
            }
        }
        let found = observe(&mut bench);
        // The books agree with the tree: the root, /local, /local/domain and what was found belong to domain 0.
        prop_assert_eq!(bench.store.nodes_of(DomId::DOM0), 3 + found.0.len());
        prop_assert_eq!(found, model);
    }

    #[test]
    fn any_bytes_get_one_reply(
        packets in prop::collection::vec(
            (0u32..30, 0u32..3, prop::collection::vec(prop_oneof![Just(0u8), Just(b'/'), b'0'..=b'9', any::<u8>()], 0..30)),
            1..20,
        ),
    ) {
        let mut bench = Bench::new();
        for (code, transaction, payload) in packets {
            let header = Header {
                code,
                request: RequestId(1),
                transaction: TransactionId(transaction),
                len: payload.len() as u32,
            };
            let mut out = Vec::new();
            let effect = bench.store.handle(bench.connections[1], Packet { header, payload: &payload }, &super::exists, &mut out);
            prop_assert_eq!(effect, crate::Effect::None, "a guest has no effects");
            prop_assert!(!out.is_empty());
            let is_event = |packet: &crate::Outgoing| matches!(packet.content, crate::Content::Event(_));
            prop_assert!(!is_event(&out[0]) && out[1..].iter().all(is_event));
            prop_assert!(code != Operation::Error.code() || out.len() == 1);
        }
    }
}
