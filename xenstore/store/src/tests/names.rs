//! Permissions that name domains: such as are not there, such as will be gone, and all.

use super::{Bench, commit, list, mkdir, read, watch, write};
use crate::Rights;
use alloc::vec::Vec;
use morgana_hal::DomId;
use morgana_xenstore_wire::Request;

const D3: DomId = DomId::new(3);

fn set<'a>(path: &'a str, permissions: &'a [u8]) -> Request<'a> {
    Request::SetPerms { path, permissions }
}

/// Lets domain 3, which is there, be served.
fn come(bench: &mut Bench) {
    let mut out = Vec::new();
    let connection = bench.store.introduce(D3, Rights::Guest, &mut out);
    bench.connections.truncate(3);
    bench.connections.push(connection);
}

#[test]
fn an_entry_for_a_domain_that_is_not_there_is_shown_and_void() {
    let mut bench = Bench::new();
    let (early, owner) = (list("n0 r1 b9"), list("n9"));
    bench.check(&[
        (0, 0, write("/a", "1"), "OK|"),
        (0, 0, set("/a", &early), "OK|"),
        (0, 0, Request::GetPerms { path: "/a" }, "n0|r1|b9|"),
        (0, 0, set("/a", &owner), "ENOENT"),
        (1, 0, read("/a"), "1"),
    ]);
    assert!(!bench.store.known().contains(&DomId::new(9)));
    // A domain with that number comes.
    let mut out = Vec::new();
    let late = bench
        .store
        .introduce(DomId::new(9), Rights::Guest, &mut out);
    bench.connections.push(late);
    bench.check(&[
        (3, 0, read("/a"), "EACCES"),
        (0, 0, set("/a", &early), "OK|"),
        (3, 0, read("/a"), "1"),
    ]);
}

#[test]
fn a_domain_that_was_never_introduced_leaves_nothing_either() {
    let mut bench = Bench::new();
    let (own, shared) = (list("n3"), list("n0 r3"));
    bench.check(&[
        (0, 0, mkdir("/local/domain/3"), "OK|"),
        (0, 0, set("/local/domain/3", &own), "OK|"),
        (0, 0, write("/a", "1"), "OK|"),
        (0, 0, set("/a", &shared), "OK|"),
    ]);
    assert!(bench.store.known().contains(&D3));
    assert!(!bench.store.release(D3, &mut Vec::new()));
    assert!(!bench.store.known().contains(&D3));
    bench.check(&[
        (0, 0, read("/local/domain/3"), "ENOENT"),
        (0, 0, Request::GetPerms { path: "/a" }, "n0|"),
    ]);
}

#[test]
fn a_transaction_does_not_permit_what_is_gone_by_its_commit() {
    let mut bench = Bench::new();
    let (own, path) = (list("n3"), "/local/domain/3");
    let id = bench.start(0);
    bench.check(&[(0, id, mkdir(path), "OK|"), (0, id, set(path, &own), "OK|")]);
    bench.store.release(D3, &mut Vec::new());
    come(&mut bench);
    bench.check(&[
        (0, id, read(path), "EAGAIN"),
        (0, id, commit(), "EAGAIN"),
        (0, 0, read(path), "ENOENT"),
        (0, id, commit(), "ENOENT"),
    ]);
}

#[test]
fn an_entry_for_all_domains() {
    let mut bench = Bench::new();
    let (all, own, special) = (list("n0 r32757"), list("n32757"), "@releaseDomain");
    come(&mut bench);
    bench.check(&[
        (0, 0, write("/a", "1"), "OK|"),
        (0, 0, set("/a", &own), "ENOENT"),
        (0, 0, set("/a", &all), "OK|"),
        (0, 0, set(special, &all), "OK|"),
        (1, 0, read("/a"), "1"),
        (3, 0, read("/a"), "1"),
        (3, 0, write("/a", "2"), "EACCES"),
        (1, 0, watch(special, "w"), "OK|"),
    ]);
    bench.events();
    let mut out = Vec::new();
    bench.store.release(D3, &mut out);
    bench.keep_events(out);
    assert_eq!(bench.events(), ["1 @releaseDomain w"]);
    // Nobody is to find out that there is no domain of this number, and take its entries away.
    assert!(!bench.store.known().contains(&crate::entry::ANY));
}

#[test]
fn an_entry_for_all_domains_means_nothing_from_one_that_is_not_told_of_it() {
    let mut bench = Bench::new();
    let features = 7;
    let domain = D3;
    let permissions = list("n3 r32757");
    bench.check(&[
        (0, 0, Request::SetFeature { domain, features }, "OK|"),
        (0, 0, mkdir("/local/domain/3"), "OK|"),
        (0, 0, set("/local/domain/3", &list("n3")), "OK|"),
    ]);
    come(&mut bench);
    bench.check(&[
        (3, 0, write("a", "1"), "OK|"),
        (3, 0, set("a", &permissions), "OK|"),
        (1, 0, read("/local/domain/3/a"), "EACCES"),
    ]);
}

#[test]
fn the_root_of_a_domain_that_is_gone_is_domain_0s() {
    let mut bench = Bench::new();
    let all = list("n1 r2");
    bench.check(&[(0, 0, set("/", &all), "OK|"), (1, 0, mkdir("/a"), "OK|")]);
    bench.store.release(DomId::new(1), &mut Vec::new());
    assert_eq!(bench.store.nodes_of(DomId::new(1)), 0);
    bench.check(&[
        (0, 0, Request::GetPerms { path: "/" }, "n0|r2|"),
        (0, 0, read("/a"), "ENOENT"),
        (0, 0, read("/local"), ""),
    ]);
}

#[test]
fn orphans_may_be_kept() {
    let mut bench = Bench::new();
    bench.store.set_orphans(crate::Orphans::Keep);
    bench.check(&[(1, 0, write("a", "1"), "OK|")]);
    bench.store.release(DomId::new(1), &mut Vec::new());
    let path = "/local/domain/1/a";
    bench.check(&[
        (0, 0, read(path), "1"),
        (0, 0, Request::GetPerms { path }, "n0|"),
    ]);
    assert_eq!(bench.store.nodes_of(DomId::new(1)), 0);
}
