//! Xen's advisories about xenstored, each by its number (xenbits.xen.org/xsa): what a guest did there must fail here. Those that are
//! about rings and packets are in the tests of `xenstored` and of the wire format; docs/xenstore.md lists all.

use super::{Bench, abort, commit, directory, list, mkdir, read, rm, watch, write};
use crate::{Quota, Rights};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use morgana_hal::DomId;
use morgana_xenstore_wire::{PAYLOAD_MAX, Request};

const D1: DomId = DomId::new(1);
const NONE: [String; 0] = [];

fn set<'a>(path: &'a str, permissions: &'a [u8]) -> Request<'a> {
    Request::SetPerms { path, permissions }
}

/// The books agree with a count of all nodes and watches.
#[track_caller]
fn check_books(bench: &mut Bench) {
    let payload = b"check\0";
    bench.check(&[(0, 0, Request::Control { payload }, "OK|")]);
}

/// A reply that was too long ended the daemon.
#[test]
fn xsa_72_a_reply_that_is_too_long_is_an_error() {
    let mut bench = Bench::new();
    for number in 0..300 {
        let path = format!("many/{number:020}");
        bench.check(&[(1, 0, mkdir(&path), "OK|")]);
    }
    bench.check(&[(1, 0, directory("many"), "E2BIG"), (1, 0, read("many"), "")]);
}

/// Watch events told of nodes that the watcher may not read.
#[test]
fn xsa_115_nobody_hears_of_what_it_may_not_read() {
    let mut bench = Bench::new();
    bench.check(&[
        (2, 0, watch("/", "all"), "OK|"),
        (2, 0, watch("/local/domain/1/secret", "one"), "OK|"),
    ]);
    bench.events();
    let id = bench.start(1);
    bench.check(&[
        (1, 0, write("secret/a", "1"), "OK|"),
        (1, 0, set("secret/a", &list("n1")), "OK|"),
        (1, 0, rm("secret"), "OK|"),
        (1, id, write("other", "1"), "OK|"),
        (1, id, commit(), "OK|"),
    ]);
    let mut out = Vec::new();
    bench.store.release(D1, &mut out);
    bench.keep_events(out);
    assert_eq!(bench.events(), NONE);
}

/// Writes without end kept the toolstack's transactions from ever succeeding. Here only such as it depends on do (and those cost the
/// guest credit, which is `xenstored`'s to count).
#[test]
fn xsa_206_writes_of_others_do_not_fail_a_transaction() {
    let mut bench = Bench::new();
    let id = bench.start(0);
    bench.check(&[
        (0, id, write("/local/domain/1/control", "x"), "OK|"),
        (0, id, write("/tool/a", "1"), "OK|"),
    ]);
    for number in 0..100 {
        let path = format!("data/{number}");
        bench.check(&[(1, 0, write(&path, "1"), "OK|")]);
        assert_eq!(bench.store.contention(), crate::Contention::Others);
    }
    bench.check(&[(0, id, commit(), "OK|")]);
}

/// A new domain inherited permissions of an older one with its number.
#[test]
fn xsa_322_a_new_domain_inherits_nothing() {
    let mut bench = Bench::new();
    bench.check(&[
        (0, 0, write("/shared", "1"), "OK|"),
        (0, 0, set("/shared", &list("n0 b1")), "OK|"),
        (0, 0, set("@releaseDomain", &list("n0 r1")), "OK|"),
        (1, 0, write("own", "1"), "OK|"),
        (1, 0, write("/shared/own", "1"), "OK|"),
    ]);
    bench.store.release(D1, &mut Vec::new());
    let mut out = Vec::new();
    bench.connections[1] = bench.store.introduce(D1, Rights::Guest, &mut out);
    bench.check(&[
        (1, 0, read("/shared"), "EACCES"),
        (1, 0, read("/shared/own"), "EACCES"),
        (1, 0, read("own"), "EACCES"),
        (1, 0, watch("@releaseDomain", "w"), "OK|"),
    ]);
    bench.events();
    bench.store.release(DomId::new(2), &mut out);
    bench.keep_events(out);
    assert_eq!(bench.events(), ["1 @introduceDomain w"; 0]);
}

/// Relative paths were measured without what comes before them, so there were nodes that nobody could name.
#[test]
fn xsa_323_a_path_is_measured_as_a_whole() {
    let quota = Quota {
        path_bytes: 100,
        ..Quota::default()
    };
    let mut bench = Bench::with(quota);
    let home = "/local/domain/1/";
    let longest = "p".repeat(100 - home.len());
    let longer = "p".repeat(101 - home.len());
    bench.check(&[
        (1, 0, write(&longer, "1"), "EINVAL"),
        (1, 0, write(&format!("{home}{longer}"), "1"), "EINVAL"),
        (1, 0, watch(&longer, "t"), "EINVAL"),
        (1, 0, write(&longest, "1"), "OK|"),
        (1, 0, read(&format!("{home}{longest}")), "1"),
        (1, 0, rm(&format!("{home}{longest}")), "OK|"),
    ]);
}

/// A watch with a very long token made events that no packet holds.
#[test]
fn xsa_324_every_event_of_a_watch_fits_a_packet() {
    let mut bench = Bench::new();
    let deep = "/a".repeat(1536);
    let token = "t".repeat(PAYLOAD_MAX - deep.len() - 2);
    bench.check(&[
        (1, 0, watch("/", &"t".repeat(4000)), "EINVAL"),
        (1, 0, watch("a", &format!("{token}t")), "EINVAL"),
        (0, 0, watch("/", &token), "OK|"),
        (0, 0, write(&deep, "1"), "OK|"),
    ]);
    assert_eq!(bench.events().last(), Some(&format!("0 {deep} {token}")));
}

/// A domain whose connection was broken was forgotten, and nobody heard of its end.
#[test]
fn xsa_325_the_end_of_a_domain_without_connection_is_told_of() {
    let mut bench = Bench::new();
    bench.check(&[
        (0, 0, watch("@releaseDomain", "w"), "OK|"),
        (1, 0, write("a", "1"), "OK|"),
    ]);
    bench.events();
    bench.store.disconnect(bench.connections[1]);
    assert_eq!(bench.events(), NONE);
    let mut out = Vec::new();
    bench.store.shut_down(D1, &mut out);
    bench.store.release(D1, &mut out);
    bench.keep_events(out);
    assert_eq!(bench.events(), ["0 @releaseDomain w"; 2]);
    bench.check(&[(0, 0, read("/local/domain/1/a"), "ENOENT")]);
}

/// Watches that were reset stayed in a second table, beyond the quota.
#[test]
fn xsa_330_watches_that_are_reset_are_gone() {
    let mut bench = Bench::new();
    for _ in 0..100 {
        for number in 0..128 {
            let token = format!("{number}");
            bench.check(&[(1, 0, watch("a", &token), "OK|")]);
        }
        bench.check(&[
            (1, 0, watch("a", "more"), "ENOSPC"),
            (1, 0, Request::ResetWatches, "OK|"),
        ]);
    }
    bench.events();
    assert_eq!(bench.store.watches.len(), 0);
    bench.check(&[(1, 0, write("a", "1"), "OK|")]);
    assert_eq!(bench.events(), NONE);
    check_books(&mut bench);
}

/// Guests gave their nodes to others, and so got around the quota.
#[test]
fn xsa_352_only_the_control_domain_changes_owners() {
    let mut bench = Bench::new();
    let id = bench.start(1);
    bench.check(&[
        (1, 0, write("a", "1"), "OK|"),
        (1, 0, set("a", &list("n2")), "EPERM"),
        (1, 0, set("a", &list("n0")), "EPERM"),
        (1, id, write("b", "1"), "OK|"),
        (1, id, set("b", &list("n2")), "EPERM"),
        (1, id, abort(), "OK|"),
        (0, 0, set("/local/domain/1/a", &list("n2")), "OK|"),
    ]);
}

/// The root was not protected.
#[test]
fn xsa_353_the_root_has_permissions_too() {
    let mut bench = Bench::new();
    for id in [0, bench.start(1)] {
        bench.check(&[
            (1, id, read("/"), "EACCES"),
            (1, id, directory("/"), "EACCES"),
            (
                1,
                id,
                Request::DirectoryPart {
                    path: "/",
                    offset: 0,
                },
                "EACCES",
            ),
            (1, id, Request::GetPerms { path: "/" }, "EACCES"),
            (1, id, set("/", &list("b1")), "EACCES"),
            (1, id, write("/", "1"), "EACCES"),
            (1, id, rm("/"), "EACCES"),
            (1, id, mkdir("/new"), "EACCES"),
            (1, id, rm("/local"), "EACCES"),
        ]);
    }
}

/// A node that could not be made, in the midst of several, left wrong books and a dangling pointer.
#[test]
fn xsa_414_what_cannot_be_made_leaves_no_trace() {
    let quota = Quota {
        nodes: 4,
        ..Quota::default()
    };
    let mut bench = Bench::with(quota);
    bench.check(&[
        (1, 0, write("a/b/c/d", "1"), "ENOSPC"),
        (1, 0, read("a"), "ENOENT"),
        (1, 0, write("a/b/c", "1"), "OK|"),
        (1, 0, directory(""), "EINVAL"),
        (0, 0, directory("/local/domain/1"), "a|"),
    ]);
    assert_eq!(bench.store.nodes_of(D1), 4);
    check_books(&mut bench);
}

/// The same in a transaction left nodes that hung on nothing.
#[test]
fn xsa_415_nor_does_it_in_a_transaction() {
    let quota = Quota {
        nodes: 4,
        ..Quota::default()
    };
    let mut bench = Bench::with(quota);
    let id = bench.start(1);
    bench.check(&[
        (1, id, write("a/b/c/d", "1"), "ENOSPC"),
        (1, id, write("b", "1"), "OK|"),
        (1, id, commit(), "OK|"),
        (0, 0, directory("/local/domain/1"), "b|"),
        (0, 0, read("/local/domain/1/a/b/c/d"), "ENOENT"),
    ]);
    assert_eq!(bench.store.nodes_of(D1), 2);
    check_books(&mut bench);
}

/// Permissions of a domain that is gone counted for a later one, as long as that was not introduced.
#[test]
fn xsa_417_permissions_end_with_a_domain_that_was_never_introduced() {
    let mut bench = Bench::new();
    let d3 = DomId::new(3);
    bench.check(&[
        (0, 0, write("/a", "1"), "OK|"),
        (0, 0, set("/a", &list("n0 r3 r9")), "OK|"),
    ]);
    // Domain 3 is gone; whoever asks Xen about all that are known finds out.
    assert!(bench.store.known().contains(&d3));
    bench.store.release(d3, &mut Vec::new());
    let mut out = Vec::new();
    for domain in [d3, DomId::new(9)] {
        let connection = bench.store.introduce(domain, Rights::Guest, &mut out);
        bench.connections.push(connection);
    }
    bench.check(&[(3, 0, read("/a"), "EACCES"), (4, 0, read("/a"), "EACCES")]);
}

/// To remove a deep tree took a stack as deep.
#[test]
fn xsa_418_a_deep_tree_needs_no_deep_stack() {
    extern crate std;
    let work = || {
        let quota = Quota {
            nodes: 0,
            ..Quota::default()
        };
        let mut bench = Bench::with(quota);
        let deep = format!("d{}", "/d".repeat(1000));
        let id = bench.start(1);
        bench.check(&[
            (1, 0, watch(&deep, "w"), "OK|"),
            (1, 0, write(&deep, "1"), "OK|"),
            (1, id, write(&format!("e{deep}"), "1"), "OK|"),
            (1, id, rm("ed"), "OK|"),
            (1, id, commit(), "OK|"),
            (1, 0, rm("d"), "OK|"),
            (1, 0, write(&deep, "1"), "OK|"),
        ]);
        check_books(&mut bench);
        bench.store.release(D1, &mut Vec::new());
        check_books(&mut bench);
    };
    let thread = std::thread::Builder::new().stack_size(128 * 1024);
    thread.spawn(work).unwrap().join().unwrap();
}

/// Guests that worked together made nodes that were nobody's in the end, or domain 0's.
#[test]
fn xsa_419_nodes_of_a_domain_that_is_gone_are_nobodys_and_gone() {
    let mut bench = Bench::new();
    bench.check(&[
        (2, 0, write("inbox", "1"), "OK|"),
        (2, 0, set("inbox", &list("n2 b1")), "OK|"),
    ]);
    let control = bench.store.nodes_of(DomId::DOM0);
    for _ in 0..10 {
        for number in 0..50 {
            let path = format!("/local/domain/2/inbox/{number}/a/b");
            bench.check(&[(1, 0, write(&path, "1"), "OK|")]);
        }
        bench.store.release(D1, &mut Vec::new());
        assert_eq!(bench.store.nodes_of(D1), 0);
        assert_eq!(bench.store.nodes_of(DomId::DOM0), control);
        assert_eq!(bench.store.nodes_of(DomId::new(2)), 2);
        let mut out = Vec::new();
        bench.connections[1] = bench.store.introduce(D1, Rights::Guest, &mut out);
        // What it may do in the inbox is the owner's to say anew.
        bench.check(&[(2, 0, set("inbox", &list("n2 b1")), "OK|")]);
    }
    check_books(&mut bench);
}

/// Nodes made and removed in transactions, beside others', were counted wrongly.
#[test]
fn xsa_421_transactions_do_not_get_around_the_quota() {
    let quota = Quota {
        nodes: 6,
        ..Quota::default()
    };
    let mut bench = Bench::with(quota);
    for _ in 0..20 {
        let (first, second) = (bench.start(1), bench.start(1));
        bench.check(&[
            (1, first, write("a", "1"), "OK|"),
            (1, first, rm("a"), "OK|"),
            (1, first, write("b/c/d", "1"), "OK|"),
            (1, second, write("e/f/g/h", "1"), "OK|"),
            (1, first, commit(), "OK|"),
            (1, second, commit(), "ENOSPC"),
        ]);
        // Gone outside in the meantime, and removed inside.
        let third = bench.start(1);
        bench.check(&[
            (1, third, rm("b"), "OK|"),
            (1, 0, rm("b"), "OK|"),
            (1, third, commit(), "EAGAIN"),
        ]);
        assert_eq!(bench.store.nodes_of(D1), 1);
    }
    bench.check(&[
        (1, 0, write("a/b/c/d/e", "1"), "OK|"),
        (1, 0, write("f", "1"), "ENOSPC"),
    ]);
    check_books(&mut bench);
}

/// A domain that was released and introduced again in one go (a soft reset) ended the daemon.
#[test]
fn xsa_425_a_domain_comes_back_at_once() {
    let mut bench = Bench::new();
    for _ in 0..10 {
        bench.start(1);
        bench.check(&[
            (1, 0, watch("a", "t"), "OK|"),
            (
                0,
                0,
                Request::SetTarget {
                    domain: DomId::new(2),
                    target: D1,
                },
                "OK|",
            ),
        ]);
        let old = bench.connections[1];
        let mut out = Vec::new();
        assert!(bench.store.release(D1, &mut out));
        bench.connections[1] = bench.store.introduce(D1, Rights::Guest, &mut out);
        assert_ne!(bench.connections[1], old);
        bench.store.disconnect(old);
        bench.check(&[(1, 0, Request::TransactionStart, "1|")]);
    }
    check_books(&mut bench);
}

/// This path, which is not one, ended the daemon.
#[test]
fn xsa_481_a_slash_at_the_end() {
    let mut bench = Bench::new();
    let path = "/local/domain/";
    let id = bench.start(1);
    for id in [0, id] {
        bench.check(&[
            (1, id, read(path), "EINVAL"),
            (1, id, directory(path), "EINVAL"),
            (1, id, write(path, "1"), "EINVAL"),
            (1, id, mkdir(path), "EINVAL"),
            (1, id, rm(path), "EINVAL"),
            (1, id, Request::GetPerms { path }, "EINVAL"),
            (1, id, set(path, &list("n1")), "EINVAL"),
            (1, id, watch(path, "t"), "EINVAL"),
            (1, id, Request::Unwatch { path, token: "t" }, "EINVAL"),
        ]);
    }
}

/// What a domain had used up was counted for later ones with its number.
#[test]
fn xsa_483_a_later_domain_has_its_whole_quota() {
    let mut bench = Bench::new();
    for _ in 0..3 {
        for number in 0..998 {
            bench.check(&[(
                1,
                0,
                write(&format!("/local/domain/1/{number}"), "1"),
                "OK|",
            )]);
        }
        for number in 0..128 {
            bench.check(&[(1, 0, watch("a", &format!("{number}")), "OK|")]);
        }
        for _ in 0..10 {
            bench.start(1);
        }
        let mut out = Vec::new();
        bench.store.release(D1, &mut out);
        bench.connections[1] = bench.store.introduce(D1, Rights::Guest, &mut out);
        bench.check(&[
            (0, 0, mkdir("/local/domain/1"), "OK|"),
            (0, 0, set("/local/domain/1", &list("n1")), "OK|"),
        ]);
    }
}

/// RESET_WATCHES inside of a transaction ended the daemon.
#[test]
fn xsa_484_a_transaction_resets_itself() {
    let mut bench = Bench::new();
    let (id, other) = (bench.start(1), bench.start(1));
    bench.check(&[
        (1, id, write("a", "1"), "OK|"),
        (1, id, Request::ResetWatches, "OK|"),
        (1, id, read("a"), "ENOENT"),
        (1, other, commit(), "ENOENT"),
        (1, 0, read("a"), "ENOENT"),
    ]);
    assert_eq!(bench.start(1), 3);
    check_books(&mut bench);
}
