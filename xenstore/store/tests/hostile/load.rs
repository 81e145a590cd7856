//! Any bytes as the state that another program hands over: they make a store or an error, and what was made is made again by its own stream.

use std::collections::BTreeMap;

use morgana_hal::DomId;
use morgana_xenstore_store::{Loaded, Quota, Store};
use morgana_xenstore_wire::{Header, Operation, Packet, RequestId, TransactionId};

/// Checks one input.
pub(crate) fn check(input: &[u8]) {
    let Ok(loaded) = Store::load(input, Quota::default()) else {
        return;
    };
    let links: BTreeMap<_, _> = loaded.links.iter().cloned().collect();
    let stream = loaded.store.export(&loaded.left, &links);
    let stream = stream.expect("what came by a stream fits one");
    let again = Store::load(&stream, Quota::default()).expect("a stream of ours is one");
    assert_eq!(again.left, loaded.left);
    assert!(again.links.iter().map(|(_, link)| link).eq(links.values()));
    check_known(&loaded, &again);
    let mut store = again.store;
    for domain in store.known() {
        store.release(domain, &mut Vec::new());
    }
    check_books(&mut store);
}

/// A store that was loaded may know domains that nothing of it names: where the stream says something twice, or of a transaction that has lost its snapshot. All
/// others stay known however often it is handed over.
fn check_known(first: &Loaded, second: &Loaded) {
    let links: BTreeMap<_, _> = second.links.iter().cloned().collect();
    let stream = second.store.export(&second.left, &links);
    let third = Store::load(
        &stream.expect("what came by a stream fits one"),
        Quota::default(),
    );
    let third = third.expect("a stream of ours is one");
    assert_eq!(second.store.known(), third.store.known());
    assert!(first.store.introduced().eq(second.store.introduced()));
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
