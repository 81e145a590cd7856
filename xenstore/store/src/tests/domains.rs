//! Introducing and releasing domains.

use super::{Bench, exists, list, read, watch, write};
use crate::{Effect, Rights};
use alloc::string::String;
use alloc::vec::Vec;
use morgana_hal::DomId;
use morgana_xenstore_wire::{Errno, Header, Operation, Packet, Request, RequestId, TransactionId};

const D1: DomId = DomId::new(1);
const D3: DomId = DomId::new(3);
const NONE: [String; 0] = [];

/// Sends a request that has an effect; the reply, if there is one at once, is dropped.
fn effect(bench: &mut Bench, operation: Operation, payload: &[u8]) -> (Effect, usize) {
    let header = Header {
        code: operation.code(),
        request: RequestId(5),
        transaction: TransactionId::NONE,
        len: payload.len() as u32,
    };
    let mut out = Vec::new();
    let packet = Packet { header, payload };
    let from = bench.connections[0];
    let effect = bench.store.handle(from, packet, &exists, &mut out);
    let replies = out.len();
    let events = out.split_off(replies.min(1));
    bench.keep_events(events);
    (effect, replies)
}

#[test]
fn domains_come() {
    let mut bench = Bench::new();
    let introduced = |domain| Request::IsDomainIntroduced { domain };
    bench.check(&[
        (0, 0, watch("@introduceDomain", "i"), "OK|"),
        (1, 0, watch("@introduceDomain", "i"), "OK|"),
        (0, 0, introduced(D1), "T|"),
        (0, 0, introduced(D3), "F|"),
        (1, 0, introduced(D1), "EACCES"),
        (
            1,
            0,
            Request::GetDomainPath { domain: D3 },
            "/local/domain/3|",
        ),
    ]);
    bench.events();
    let (pending, replies) = effect(&mut bench, Operation::Introduce, b"3\x001234\x007\0");
    let Effect::Introduce(pending) = pending else {
        panic!("{pending:?}");
    };
    assert_eq!(replies, 0);
    assert_eq!((pending.domain, pending.frame, pending.port), (D3, 1234, 7));
    bench.check(&[(0, 0, introduced(D3), "F|")]);

    let mut out = Vec::new();
    let refused = bench
        .store
        .finish_introduce(pending, Err(Errno::Invalid), &mut out);
    assert_eq!((refused, out.len()), (None, 1));
    out.clear();
    let connection = bench.store.finish_introduce(pending, Ok(()), &mut out);
    assert_eq!(connection, bench.store.connection_of(D3));
    assert_eq!(super::decode(&out.remove(0).content.bytes()).1, "OK|");
    bench.keep_events(out);
    assert_eq!(bench.events(), ["0 @introduceDomain i"]);
    bench.check(&[(0, 0, introduced(D3), "T|")]);
    // A second time it begins anew, over another port; to others that is no news.
    bench.connections.extend(connection);
    bench.check(&[(3, 0, watch("a", "t"), "OK|")]);
    bench.events();
    let (again, replies) = effect(&mut bench, Operation::Introduce, b"3\x001234\x008\0");
    let Effect::Introduce(again) = again else {
        panic!("{again:?}");
    };
    assert_eq!((again.port, replies), (8, 0));
    let mut out = Vec::new();
    let same = bench.store.finish_introduce(again, Ok(()), &mut out);
    assert_eq!((same, out.len()), (connection, 1));
    bench.check(&[(0, 0, write("/local/domain/3/a", "1"), "OK|")]);
    assert_eq!(bench.events(), NONE);
    let again = |domain, port| Request::Introduce {
        domain,
        frame: 1,
        port,
    };
    bench.check(&[
        (1, 0, again(D3, 7), "EACCES"),
        (0, 0, again(D3, 0), "EINVAL"),
        (0, 0, again(DomId::DOM0, 7), "EINVAL"),
        (0, 0, again(DomId::new(0x7ff0), 7), "EINVAL"),
    ]);
}

#[test]
fn domains_go() {
    let mut bench = Bench::new();
    let (readable, path) = (list("n0 r2"), "@releaseDomain");
    let permissions = &readable[..];
    bench.check(&[
        (0, 0, watch(path, "r"), "OK|"),
        (1, 0, watch("/local/domain/1", "w"), "OK|"),
        (2, 0, watch(path, "r"), "OK|"),
        (1, 0, Request::SetPerms { path, permissions }, "EACCES"),
        (0, 0, Request::SetPerms { path, permissions }, "OK|"),
        (0, 0, Request::GetPerms { path }, "n0|r2|"),
        (1, 0, Request::Release { domain: D1 }, "EACCES"),
        (0, 0, Request::Release { domain: D3 }, "ENOENT"),
        (0, 0, Request::Resume { domain: D1 }, "OK|"),
        (0, 0, Request::Resume { domain: D3 }, "ENOENT"),
        (1, 0, Request::Resume { domain: D1 }, "EACCES"),
        (
            0,
            0,
            Request::Resume {
                domain: DomId::DOM0,
            },
            "EINVAL",
        ),
        (
            0,
            0,
            Request::Release {
                domain: DomId::DOM0,
            },
            "EINVAL",
        ),
    ]);
    bench.events();
    let mut out = Vec::new();
    let heard = ["0 @releaseDomain r", "2 @releaseDomain r"];
    bench.store.shut_down(D1, &mut out);
    bench.keep_events(out.split_off(0));
    assert_eq!(bench.events(), heard);
    // Once is enough, until the domain runs again.
    bench.store.shut_down(D1, &mut out);
    bench.store.shut_down(D3, &mut out);
    assert!(out.is_empty());
    bench.check(&[(0, 0, Request::Resume { domain: D1 }, "OK|")]);
    bench.store.shut_down(D1, &mut out);
    bench.keep_events(out);
    assert_eq!(bench.events(), heard);
    let (released, replies) = effect(&mut bench, Operation::Release, b"1\0");
    assert_eq!(released, Effect::Release(D1));
    assert_eq!(replies, 3);
    assert_eq!(bench.events(), heard);
    // Its watches are gone, and its packets are nobody's.
    bench.check(&[(0, 0, write("/local/domain/1/x", "1"), "OK|")]);
    assert_eq!(bench.events(), NONE);
    let header = Header {
        code: Operation::Read.code(),
        request: RequestId(1),
        transaction: TransactionId::NONE,
        len: 2,
    };
    let mut out = Vec::new();
    let packet = Packet {
        header,
        payload: b"x\0",
    };
    let connection = bench.connections[1];
    assert_eq!(
        bench.store.handle(connection, packet, &exists, &mut out),
        Effect::None
    );
    assert!(out.is_empty());
    assert!(!bench.store.release(D1, &mut out));
}

/// XSA-322: a domain with the number of one that is gone must not come into its nodes, nor into what it was allowed.
#[test]
fn what_a_domain_owned_goes_with_it() {
    let mut bench = Bench::new();
    let (shared, both) = (list("n0 b2 r1"), list("n0 b1"));
    let set = |path, permissions| Request::SetPerms { path, permissions };
    let (special, open) = ("@releaseDomain", list("n0 r1"));
    bench.check(&[
        (1, 0, write("a/b", "1"), "OK|"),
        (0, 0, write("/shared", "1"), "OK|"),
        (0, 0, set("/shared", &shared), "OK|"),
        (0, 0, write("/inbox", "1"), "OK|"),
        (0, 0, set("/inbox", &both), "OK|"),
        (1, 0, write("/inbox/mine", "1"), "OK|"),
        (0, 0, set(special, &open), "OK|"),
        (0, 0, watch("/local/domain/1/a/b", "w"), "OK|"),
        (0, 0, watch("/inbox", "w"), "OK|"),
    ]);
    bench.events();
    let mut out = Vec::new();
    assert!(bench.store.release(D1, &mut out));
    bench.keep_events(out);
    let gone = ["0 /inbox/mine w", "0 /local/domain/1/a/b w"];
    assert_eq!(bench.events(), gone);
    assert_eq!(bench.store.nodes_of(D1), 0);
    bench.check(&[
        (0, 0, read("/local/domain/1"), "ENOENT"),
        (0, 0, read("/inbox/mine"), "ENOENT"),
        (0, 0, Request::GetPerms { path: "/inbox" }, "n0|"),
        (0, 0, Request::GetPerms { path: "/shared" }, "n0|b2|"),
        (0, 0, Request::GetPerms { path: special }, "n0|"),
    ]);
}

#[test]
fn a_domain_that_broke_its_connection_still_owns_its_nodes_until_it_goes() {
    let mut bench = Bench::new();
    bench.check(&[(1, 0, write("a", "1"), "OK|")]);
    bench.store.disconnect(bench.connections[1]);
    assert_eq!(bench.store.connection_of(D1), None);
    assert_eq!(bench.store.introduced().count(), 3);
    let introduced = Request::IsDomainIntroduced { domain: D1 };
    bench.check(&[
        (0, 0, introduced, "T|"),
        (0, 0, read("/local/domain/1/a"), "1"),
    ]);
    assert!(bench.store.release(D1, &mut Vec::new()));
    bench.check(&[
        (0, 0, introduced, "F|"),
        (0, 0, read("/local/domain/1/a"), "ENOENT"),
    ]);
}

/// docs/misc/xenstore.txt, WATCH: with a depth of 1 a special event says which domain it is of.
#[test]
fn who_wants_to_know_hears_which_domain_it_is() {
    let mut bench = Bench::new();
    let deep = |path, token, depth| Request::Watch {
        path,
        token,
        depth: Some(depth),
    };
    bench.check(&[
        (0, 0, watch("@releaseDomain", "all"), "OK|"),
        (0, 0, deep("@releaseDomain", "which", 1), "OK|"),
        (0, 0, deep("@releaseDomain", "none", 0), "OK|"),
        (0, 0, watch("@releaseDomain/1", "one"), "OK|"),
        (0, 0, watch("@releaseDomain/2", "other"), "OK|"),
        (0, 0, deep("@introduceDomain", "which", 1), "OK|"),
        (2, 0, watch("@releaseDomain/1", "forbidden"), "OK|"),
    ]);
    bench.events();
    let mut out = Vec::new();
    bench.store.release(D1, &mut out);
    bench.store.introduce(D3, Rights::Guest, &mut out);
    bench.keep_events(out);
    let heard = [
        "0 @releaseDomain all",
        "0 @releaseDomain/1 which",
        "0 @releaseDomain/1 one",
        "0 @introduceDomain/3 which",
    ];
    assert_eq!(bench.events(), heard);
}

#[test]
fn a_target_lends_its_rights() {
    let mut bench = Bench::new();
    let set = |domain, target| Request::SetTarget { domain, target };
    let d2 = DomId::new(2);
    let x = "/local/domain/1/x";
    bench.check(&[
        (1, 0, write("x", "1"), "OK|"),
        (2, 0, read(x), "EACCES"),
        (2, 0, set(d2, D1), "EACCES"),
        (0, 0, set(d2, D3), "ENOENT"),
        (0, 0, set(D3, D1), "ENOENT"),
        (0, 0, set(d2, D1), "OK|"),
        (2, 0, read(x), "1"),
    ]);
    bench.store.release(D1, &mut Vec::new());
    bench.check(&[(2, 0, read(x), "EACCES")]);
}

#[test]
fn a_domain_has_one_connection_by_its_ring() {
    let mut bench = Bench::new();
    let mut out = Vec::new();
    let known = bench.store.introduce(D1, Rights::Guest, &mut out);
    assert_eq!(known, bench.connections[1]);
    assert!(out.is_empty());
    let socket = bench.store.connect(DomId::DOM0, Rights::Control);
    assert_ne!(socket, bench.connections[0]);
}
