//! What a guest can use up, and what then happens.

use super::{Bench, commit, list, mkdir, read, rm, watch, write};
use crate::Quota;
use alloc::format;
use alloc::vec;
use morgana_hal::DomId;
use morgana_xenstore_wire::Request;

const D1: DomId = DomId::new(1);

fn small() -> Quota {
    Quota {
        nodes: 4,
        value_bytes: 8,
        watches: 2,
        transactions: 2,
        transaction_nodes: 6,
        permissions: 2,
        path_bytes: 64,
        ..Quota::default()
    }
}

#[test]
fn nodes() {
    let mut bench = Bench::with(small());
    bench.check(&[
        // The home is one.
        (1, 0, mkdir("a/b/c"), "OK|"),
        (1, 0, mkdir("d"), "ENOSPC"),
        (1, 0, mkdir("a/b/c"), "OK|"),
        (1, 0, write("a", "1"), "OK|"),
        (0, 0, mkdir("/local/domain/1/of-control"), "OK|"),
        (1, 0, rm("a/b"), "OK|"),
        (1, 0, mkdir("d"), "OK|"),
        (1, 0, mkdir("e"), "ENOSPC"),
        (2, 0, mkdir("d/e/f"), "OK|"),
    ]);
    assert_eq!(bench.store.nodes_of(D1), 4);
    let (to_2, path) = (list("n2"), "/local/domain/1/d");
    let permissions = &to_2[..];
    bench.check(&[(0, 0, Request::SetPerms { path, permissions }, "OK|")]);
    assert_eq!(bench.store.nodes_of(D1), 3);
    assert_eq!(bench.store.nodes_of(DomId::new(2)), 5);
}

#[test]
fn nodes_of_transactions_count_when_they_commit() {
    let mut bench = Bench::with(small());
    let (first, second) = (bench.start(1), bench.start(1));
    bench.check(&[
        (1, first, mkdir("a/b"), "OK|"),
        (1, first, mkdir("c/d"), "ENOSPC"),
        (1, second, mkdir("e/f"), "OK|"),
        (1, first, commit(), "OK|"),
        (1, second, commit(), "ENOSPC"),
        (1, 0, mkdir("g"), "OK|"),
    ]);
    assert_eq!(bench.store.nodes_of(D1), 4);
}

#[test]
fn values_permissions_and_paths() {
    let three = list("n1 r2 r3");
    let two = list("n1 r2");
    let set = |permissions| Request::SetPerms {
        path: "a",
        permissions,
    };
    let long = "x".repeat(64);
    Bench::with(small()).check(&[
        (1, 0, write("a", "12345678"), "OK|"),
        (1, 0, write("a", "123456789"), "ENOSPC"),
        (0, 0, write("/a", "123456789"), "OK|"),
        (1, 0, set(&two), "OK|"),
        (1, 0, set(&three), "ENOSPC"),
        (1, 0, write(&long, ""), "EINVAL"),
        (1, 0, watch(&long, ""), "EINVAL"),
    ]);
}

#[test]
fn a_node_that_is_written_anew_is_measured_anew() {
    let mut bench = Bench::with(small());
    let (fits, larger) = ("12345678", "123456789");
    bench.check(&[(1, 0, write("a", "1"), "OK|")]);
    let id = bench.start(1);
    for id in [id, 0] {
        bench.check(&[
            (1, id, write("a", larger), "ENOSPC"),
            (1, id, write("a", fits), "OK|"),
            (1, id, write("a", larger), "ENOSPC"),
            (1, id, read("a"), fits),
            // What the control domain writes there is its own affair.
            (0, 0, write("/local/domain/1/of-control", larger), "OK|"),
            (1, id, write("of-control", larger), "ENOSPC"),
        ]);
    }
    // By the commit less is allowed, and the changes have to be made once more since something else has changed.
    let id = bench.start(1);
    let lower = Request::SetQuota {
        domain: Some(D1),
        quota: "node-size",
        value: 4,
    };
    bench.check(&[
        (1, id, write("a", "8 bytes."), "OK|"),
        (0, 0, lower, "OK|"),
        (2, 0, write("b", "1"), "OK|"),
        (1, id, commit(), "ENOSPC"),
        (1, 0, read("a"), fits),
    ]);
}

#[test]
fn watches() {
    let mut bench = Bench::with(small());
    let unwatch = Request::Unwatch {
        path: "a",
        token: "1",
    };
    bench.check(&[
        (1, 0, watch("a", "1"), "OK|"),
        (1, 0, watch("a", "2"), "OK|"),
        (1, 0, watch("a", "3"), "ENOSPC"),
        (1, 0, unwatch, "OK|"),
        (1, 0, watch("a", "3"), "OK|"),
        (1, 0, Request::ResetWatches, "OK|"),
        (1, 0, watch("a", "1"), "OK|"),
        (0, 0, watch("a", "1"), "OK|"),
        (0, 0, watch("a", "2"), "OK|"),
        (0, 0, watch("a", "3"), "OK|"),
    ]);
}

#[test]
fn transactions() {
    let mut bench = Bench::with(small());
    let id = bench.start(1);
    bench.start(1);
    let start = Request::TransactionStart;
    bench.check(&[(1, 0, start, "ENOSPC"), (1, id, commit(), "OK|")]);
    let id = bench.start(1);
    let paths = vec!["a"; 6];
    for path in paths {
        bench.check(&[(1, id, write(path, "1"), "OK|")]);
    }
    bench.check(&[(1, id, write("a", "1"), "ENOSPC")]);
    bench.check(&[(1, 0, Request::ResetWatches, "OK|")]);
    let id = bench.start(1);
    for number in 0..5 {
        let path = format!("none-{number}");
        bench.ask(1, id, Request::Read { path: &path });
    }
    bench.check(&[(1, id, Request::Read { path: "one-more" }, "ENOSPC")]);
}
