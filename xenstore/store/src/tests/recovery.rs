//! What a journal makes again. That the tree, the watches and the settings come back is what the fuzz target compares (`tests/hostile/journal.rs`); here is
//! what clients notice besides.

use super::{Bench, commit, directory, exists, list, mkdir, read, watch, write};
use crate::{Orphans, Quota, Store};
use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use morgana_hal::DomId;
use morgana_xenstore_migration::{BootId, Journal, head};
use morgana_xenstore_wire::Request;

/// Keeps a journal while something is done, and goes on from it as the next daemon does.
fn crash_after(work: impl FnOnce(&mut Bench)) -> Bench {
    let mut bench = Bench::new();
    let state = bench.store.lasting().unwrap();
    let mut journal = [&head(BootId([1; 16]), 1, &state)[..], &state].concat();
    bench.store.keep_changes();
    work(&mut bench);
    bench
        .store
        .take_changes(|frame| journal.extend_from_slice(frame));
    let kept = Journal::new(&journal).unwrap();
    let recovered = Store::recover(kept, Quota::default()).unwrap();
    Bench {
        connections: recovered.rings.iter().map(|ring| ring.0).collect(),
        store: recovered.store,
        host: Box::new(exists),
        events: Vec::new(),
    }
}

#[test]
fn open_transactions_have_to_be_tried_again_and_others_are_over() {
    let mut bench = crash_after(|bench| {
        let ended = bench.start(1);
        bench.start(1);
        bench.check(&[(1, ended, commit(), "OK|")]);
    });
    bench.check(&[
        (1, 1, commit(), "ENOENT"),
        (1, 2, read("a"), "EAGAIN"),
        (1, 2, write("a", "1"), "EAGAIN"),
        (1, 2, commit(), "EAGAIN"),
        (1, 2, commit(), "ENOENT"),
        (1, 0, Request::TransactionStart, "3|"),
    ]);
}

#[test]
fn a_commit_that_was_refused_has_not_been() {
    let mut bench = crash_after(|bench| {
        let id = bench.start(1);
        bench.check(&[
            (1, id, write("a", "1"), "OK|"),
            (1, id, write("b", "1"), "OK|"),
            (1, 0, write("b", "2"), "OK|"),
            (1, id, commit(), "EAGAIN"),
        ]);
    });
    bench.check(&[
        (1, 0, directory("/local/domain/1"), "b|"),
        (1, 0, read("b"), "2"),
    ]);
}

#[test]
fn nodes_are_whose_they_were_and_targets_go_on_lending_their_rights() {
    let shared = list("n1 b2");
    let made = "/local/domain/1/shared/made";
    let mut bench = crash_after(|bench| {
        let set = Request::SetPerms {
            path: "shared",
            permissions: &shared,
        };
        let target = Request::SetTarget {
            domain: DomId::new(2),
            target: DomId::new(1),
        };
        bench.check(&[
            (1, 0, mkdir("shared"), "OK|"),
            (1, 0, set, "OK|"),
            (2, 0, write(made, "1"), "OK|"),
            (2, 0, read("/local/domain/1"), "EACCES"),
            (0, 0, target, "OK|"),
            (2, 0, read("/local/domain/1"), ""),
        ]);
    });
    bench.check(&[
        (0, 0, Request::GetPerms { path: made }, "n2|b2|"),
        (2, 0, read("/local/domain/1"), ""),
    ]);
    assert_eq!(bench.store.nodes_of(DomId::new(2)), 2);
}

/// A client that reads a long list in parts tells by its generation whether two parts are of the same list.
#[test]
fn no_list_of_children_looks_as_another_did_before() {
    let generation = |bench: &mut Bench| -> String {
        let part = Request::DirectoryPart {
            path: "/a",
            offset: 0,
        };
        let told = bench.ask(0, 0, part);
        told.split('|').next().unwrap_or_default().to_string()
    };
    let mut seen = Vec::new();
    let mut bench = crash_after(|bench| {
        // What a transaction makes that does not commit has a place in the order, too.
        let id = bench.start(1);
        for number in 0..30 {
            bench.check(&[(1, id, mkdir(&format!("{number}")), "OK|")]);
        }
        for path in ["/a/1", "/a/2", "/a/3"] {
            bench.check(&[(0, 0, mkdir(path), "OK|")]);
            seen.push(generation(bench));
        }
    });
    for number in 4..60 {
        let path = format!("/a/{number}");
        bench.check(&[(0, 0, mkdir(&path), "OK|")]);
        assert!(!seen.contains(&generation(&mut bench)), "{path}");
    }
}

#[test]
fn whether_those_who_watch_know_of_a_shutdown_is_known() {
    let heard = |work: fn(&mut Bench)| {
        let mut bench = crash_after(work);
        bench.check(&[(0, 0, watch("@releaseDomain", "w"), "OK|")]);
        bench.events();
        let mut out = Vec::new();
        bench.store.shut_down(DomId::new(1), &mut out);
        bench.keep_events(out);
        bench.events().len()
    };
    fn shut_down(bench: &mut Bench) {
        bench.store.shut_down(DomId::new(1), &mut Vec::new());
    }
    let resume = |bench: &mut Bench| {
        shut_down(bench);
        let domain = DomId::new(1);
        bench.check(&[(0, 0, Request::Resume { domain }, "OK|")]);
    };
    assert_eq!([heard(|_| ()), heard(shut_down), heard(resume)], [1, 0, 1]);
}

#[test]
fn watches_look_as_deep_as_they_did_and_who_may_see_special_events_stays() {
    let readable = list("n0 r1");
    let mut bench = crash_after(|bench| {
        let set = Request::SetPerms {
            path: "@releaseDomain",
            permissions: &readable,
        };
        let watch_to = |token, depth| Request::Watch {
            path: "a",
            token,
            depth,
        };
        bench.check(&[
            (0, 0, set, "OK|"),
            (1, 0, watch_to("all", None), "OK|"),
            (1, 0, watch_to("near", Some(1)), "OK|"),
        ]);
    });
    let path = "@releaseDomain";
    bench.check(&[
        (0, 0, Request::GetPerms { path }, "n0|r1|"),
        (1, 0, write("a/b", "1"), "OK|"),
        (1, 0, write("a/b/c", "1"), "OK|"),
    ]);
    assert_eq!(bench.events(), ["1 a/b all", "1 a/b near", "1 a/b/c all"]);
}

#[test]
fn what_a_domain_left_that_is_gone_stays_where_it_is_to_be_kept() {
    let domain = DomId::new(1);
    let mut bench = crash_after(|bench| {
        bench.check(&[(1, 0, write("a", "1"), "OK|")]);
        bench.store.set_orphans(Orphans::Keep);
        bench.store.release(domain, &mut Vec::new());
    });
    assert_eq!(bench.store.nodes_of(domain), 0);
    bench.connections.truncate(1);
    bench.check(&[(0, 0, read("/local/domain/1/a"), "1")]);
}

/// A domain that was never introduced and that permissions name: once it is gone, somebody has to find out (XSA-417).
#[test]
fn domains_that_permissions_name_are_known() {
    let shared = list("n0 r3");
    let bench = crash_after(|bench| {
        let set = Request::SetPerms {
            path: "/a",
            permissions: &shared,
        };
        bench.check(&[(0, 0, mkdir("/a"), "OK|"), (0, 0, set, "OK|")]);
    });
    assert!(bench.store.known().contains(&DomId::new(3)));
}
