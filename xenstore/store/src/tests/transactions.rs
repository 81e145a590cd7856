//! Isolation, and conflicts where there are some.

use super::{Bench, abort, commit, directory, list, mkdir, read, rm, watch, write};
use morgana_xenstore_wire::Request;

#[test]
fn others_see_nothing_before_the_commit_and_all_after() {
    let mut bench = Bench::new();
    bench.check(&[(0, 0, write("/a/x", "old"), "OK|")]);
    let id = bench.start(0);
    bench.check(&[
        (0, id, write("/a/x", "new"), "OK|"),
        (0, id, write("/a/y", "2"), "OK|"),
        (0, id, rm("/local/domain/2"), "OK|"),
        (0, id, read("/a/x"), "new"),
        (0, id, directory("/local/domain"), "1|"),
        (0, 0, read("/a/x"), "old"),
        (0, 0, read("/a/y"), "ENOENT"),
        (0, 0, directory("/local/domain"), "1|2|"),
        (0, id, commit(), "OK|"),
        (0, 0, read("/a/x"), "new"),
        (0, 0, read("/a/y"), "2"),
        (0, 0, directory("/local/domain"), "1|"),
        (0, id, read("/a/x"), "ENOENT"),
        (0, id, commit(), "ENOENT"),
    ]);
}

#[test]
fn an_aborted_transaction_has_not_been() {
    let mut bench = Bench::new();
    let id = bench.start(1);
    bench.check(&[
        (1, id, write("x", "1"), "OK|"),
        (1, id, abort(), "OK|"),
        (1, 0, read("x"), "ENOENT"),
    ]);
    assert_eq!(bench.store.nodes_of(morgana_hal::DomId::new(1)), 1);
    assert!(bench.events().is_empty());
}

#[test]
fn ids_belong_to_their_connection() {
    let mut bench = Bench::new();
    let id = bench.start(1);
    bench.check(&[
        (2, id, write("x", "1"), "ENOENT"),
        (2, id, commit(), "ENOENT"),
        (1, 0, commit(), "ENOENT"),
        (1, id, Request::TransactionStart, "EBUSY"),
        (1, id, commit(), "OK|"),
    ]);
}

#[test]
fn nobody_hears_of_what_is_made_in_it_and_taken_out_again() {
    let mut bench = Bench::new();
    bench.check(&[
        (0, 0, write("/a/x", "old"), "OK|"),
        (0, 0, watch("/", "root"), "OK|"),
        (0, 0, watch("/a/x/none", "none"), "OK|"),
        (0, 0, watch("/a/x", "x"), "OK|"),
    ]);
    for outside in [None, Some(write("/b", ""))] {
        let id = bench.start(0);
        if let Some(request) = outside {
            bench.ask(0, 0, request);
        }
        bench.events();
        bench.check(&[
            (0, id, write("/new/one", "1"), "OK|"),
            (0, id, rm("/new"), "OK|"),
            (0, id, write("/new", "2"), "OK|"),
            (0, id, rm("/new"), "OK|"),
            (0, id, write("/a/x/none", "1"), "OK|"),
            (0, id, rm("/a"), "OK|"),
            (0, id, write("/a/x", "old"), "OK|"),
            (0, id, commit(), "OK|"),
        ]);
        let heard = ["0 /a root", "0 /a/x x", "0 /a/x root", "0 /a/x x"];
        assert_eq!(bench.events(), heard, "{outside:?}");
    }
}

/// What a transaction did, what happened meanwhile outside, and whether the commit must meet a conflict.
#[test]
fn a_commit_fails_where_others_changed_what_it_depends_on_and_nowhere_else() {
    let readable = list("n0 r2");
    let set = |path| Request::SetPerms {
        path,
        permissions: &readable,
    };
    let get = |path| Request::GetPerms { path };
    let (again, fine) = ("EAGAIN", "OK|");
    let cases: &[(Request<'_>, Request<'_>, &str)] = &[
        // Reading.
        (read("/a/x"), write("/a/x", "2"), again),
        // Nothing is different.
        (read("/a/x"), write("/a/x", "1"), fine),
        (read("/a/x"), rm("/a"), again),
        (read("/a/x"), write("/a/y", "2"), fine),
        (read("/a/x"), write("/a/x/z", "2"), fine),
        (read("/a/x"), set("/a/x"), again),
        (read("/a/x"), set("/a"), fine),
        (read("/a/none"), write("/a/none", "2"), again),
        (read("/a/none"), write("/a/other", "2"), fine),
        (directory("/a"), write("/a/new", "2"), again),
        (directory("/a"), rm("/a/x"), again),
        (directory("/a"), write("/a/x", "2"), fine),
        (directory("/a"), write("/a/x/below", "2"), fine),
        (get("/a/x"), set("/a/x"), again),
        (get("/a/x"), write("/a/x", "2"), fine),
        (get("/"), set("/"), again),
        (get("/"), set("/a"), fine),
        // Writing.
        (write("/a/x", "3"), write("/a/x", "2"), again),
        (write("/a/x", "3"), write("/a/y", "2"), fine),
        (write("/a/x", "3"), rm("/a/x"), again),
        (write("/a/new", "3"), write("/a/new", "2"), again),
        (write("/a/new", "3"), write("/a/other", "2"), fine),
        (write("/a/new", "3"), write("/a", "2"), fine),
        (write("/a/new", "3"), rm("/a"), again),
        (write("/a/n/m", "3"), write("/a/n/o", "2"), again),
        (mkdir("/a/x"), write("/a/x", "2"), fine),
        (mkdir("/a/new"), mkdir("/a/new"), again),
        (mkdir("/a/new"), mkdir("/a/other"), fine),
        (set("/a/x"), write("/a/x", "2"), fine),
        (set("/a/x"), set("/a/x"), again),
        // Removing.
        (rm("/a"), write("/a/x", "2"), again),
        (rm("/a"), write("/a/x/below", "2"), again),
        (rm("/a"), write("/b", "2"), fine),
        (rm("/a/none"), write("/a/none", "2"), again),
        (rm("/a/none"), write("/a/x", "2"), fine),
        // Only where the node above is there it is no error that this one is not.
        (rm("/a/no/ne"), mkdir("/a/no"), again),
        (rm("/a/no/ne"), mkdir("/a/other"), fine),
    ];
    for &(inside, outside, expected) in cases {
        let mut bench = Bench::new();
        bench.check(&[
            (0, 0, write("/a/x", "1"), "OK|"),
            (0, 0, write("/b", "1"), "OK|"),
        ]);
        let id = bench.start(0);
        bench.ask(0, id, inside);
        bench.ask(0, 0, outside);
        let outcome = bench.ask(0, id, commit());
        assert_eq!(outcome, expected, "{inside:?} against {outside:?}");
        // The same, with a change by the transaction elsewhere, so that it cannot pass as read-only.
        let mut bench = Bench::new();
        bench.check(&[
            (0, 0, write("/a/x", "1"), "OK|"),
            (0, 0, write("/b", "1"), "OK|"),
        ]);
        let id = bench.start(0);
        bench.ask(0, id, inside);
        bench.check(&[(0, id, write("/own", "1"), "OK|")]);
        bench.ask(0, 0, outside);
        let outcome = bench.ask(0, id, commit());
        assert_eq!(outcome, expected, "{inside:?} against {outside:?}");
        let own = if expected == fine { "1" } else { "ENOENT" };
        bench.check(&[(0, 0, read("/own"), own)]);
    }
}

#[test]
fn a_list_of_as_many_other_children_is_another_list() {
    let mut bench = Bench::new();
    bench.check(&[(0, 0, write("/a/x", "1"), "OK|")]);
    let id = bench.start(0);
    bench.check(&[
        (0, id, directory("/a"), "x|"),
        (0, 0, rm("/a/x"), "OK|"),
        (0, 0, write("/a/y", "1"), "OK|"),
        (0, id, commit(), "EAGAIN"),
    ]);
}

#[test]
fn a_merge_keeps_both_sides() {
    let mut bench = Bench::new();
    bench.check(&[(0, 0, write("/a/x", "1"), "OK|")]);
    let id = bench.start(0);
    bench.check(&[
        (0, id, write("/a/z", "in"), "OK|"),
        (0, 0, write("/a/y", "out"), "OK|"),
        (0, id, read("/a/y"), "ENOENT"),
        (0, id, commit(), "EAGAIN"),
    ]);
    let id = bench.start(0);
    bench.check(&[
        (0, id, rm("/a/x"), "OK|"),
        (0, id, write("/a/z", "in"), "OK|"),
        (0, 0, write("/b", "out"), "OK|"),
        (0, id, commit(), "OK|"),
        (0, 0, directory("/a"), "y|z|"),
        (0, 0, read("/b"), "out"),
    ]);
}

#[test]
fn watches_hear_of_a_transaction_at_its_commit_and_once_a_node() {
    let mut bench = Bench::new();
    bench.check(&[(0, 0, watch("/a", "t"), "OK|")]);
    bench.events();
    for interfere in [false, true] {
        let id = bench.start(0);
        bench.check(&[
            (0, id, write("/a/x", "1"), "OK|"),
            (0, id, write("/a/y", "1"), "OK|"),
            (0, id, write("/a/x", "2"), "OK|"),
        ]);
        if interfere {
            bench.check(&[(0, 0, write("/b", "1"), "OK|")]);
        }
        assert!(bench.events().is_empty());
        bench.check(&[(0, id, commit(), "OK|")]);
        assert_eq!(bench.events(), ["0 /a/y t", "0 /a/x t"]);
    }
    let id = bench.start(0);
    bench.check(&[
        (0, id, write("/a/x", "3"), "OK|"),
        (0, 0, write("/a/x", "4"), "OK|"),
        (0, id, commit(), "EAGAIN"),
    ]);
    assert_eq!(bench.events(), ["0 /a/x t"]);
}

#[test]
fn whether_a_guest_may_know_that_a_node_is_missing_is_what_it_has_looked_at() {
    let (own, readable) = (list("n2"), list("n2 r1"));
    for (permissions, told, end) in [(&own, "EACCES", "OK|"), (&readable, "ENOENT", "EAGAIN")] {
        let mut bench = Bench::new();
        let id = bench.start(1);
        let set = Request::SetPerms {
            path: "/local/domain/2/d",
            permissions,
        };
        bench.check(&[
            (1, id, read("/local/domain/2/d/x"), "EACCES"),
            (2, 0, mkdir("d"), "OK|"),
            (2, 0, set, "OK|"),
            (1, 0, read("/local/domain/2/d/x"), told),
            (1, id, commit(), end),
        ]);
    }
}
