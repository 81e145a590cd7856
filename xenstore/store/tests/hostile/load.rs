//! Any bytes as the state that another program hands over: they make a store or an error, and what was made is made again by its own stream.

use std::collections::BTreeMap;

use morgana_hal::DomId;
use morgana_xenstore_store::{Quota, Store};
use morgana_xenstore_wire::{Header, Operation, Packet, RequestId, TransactionId};

/// Checks one input.
pub(crate) fn check(input: &[u8]) {
    let Ok(loaded) = Store::load(input, Quota::default()) else {
        return;
    };
    let links: BTreeMap<_, _> = loaded.links.into_iter().collect();
    let stream = loaded.store.export(&loaded.left, &links);
    let stream = stream.expect("what came by a stream fits one");
    let again = Store::load(&stream, Quota::default()).expect("a stream of ours is one");
    assert_eq!(again.left, loaded.left);
    assert!(again.links.iter().map(|(_, link)| link).eq(links.values()));
    assert!(again.store.known().is_superset(&loaded.store.known()));
    let mut store = again.store;
    for domain in store.known() {
        store.release(domain, &mut Vec::new());
    }
    check_books(&mut store);
}

/// The store's own check of its books.
fn check_books(store: &mut Store) {
    let asker = store.connect(DomId::DOM0, morgana_xenstore_store::Rights::Control);
    let payload = b"check\0";
    let header = Header {
        code: Operation::Control.code(),
        request: RequestId(0),
        transaction: TransactionId::NONE,
        len: payload.len() as u32,
    };
    let mut out = Vec::new();
    let _ = store.handle(asker, Packet { header, payload }, &|_| true, &mut out);
    assert!(out[0].content.bytes().ends_with(b"OK\0"), "{out:?}");
}
