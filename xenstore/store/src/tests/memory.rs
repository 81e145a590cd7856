//! How much memory a guest can use up, and what the log hears of it.

use super::{Bench, commit, directory, exists, list, mkdir, read, rm, watch, write};
use crate::{ConnectionId, Contention, Host, MemoryLeft, Notice, Outgoing, Quota, Resource};
use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::cell::Cell;
use morgana_hal::DomId;
use morgana_xenstore_wire::Request;

const D1: DomId = DomId::new(1);

fn small() -> Quota {
    Quota {
        memory_bytes: 8000,
        soft_memory_bytes: 4000,
        ..Quota::default()
    }
}

fn told(bench: &mut Bench) -> Vec<String> {
    let notices = bench.store.take_notices();
    notices.iter().map(Notice::to_string).collect()
}

/// Asks until it is refused; returns how often it was not.
fn until_refused(
    bench: &mut Bench,
    error: &str,
    mut ask: impl FnMut(&mut Bench, usize) -> String,
) -> usize {
    for round in 0..1000 {
        let answer = ask(bench, round);
        if answer == error {
            return round;
        }
        assert!(answer.ends_with('|'), "{answer}");
    }
    panic!("there is no limit");
}

#[test]
fn xsa_326_nodes_watches_and_transactions_share_the_memory() {
    let mut bench = Bench::with(small());
    let value = "v".repeat(1000);
    let nodes = until_refused(&mut bench, "ENOMEM", |bench, round| {
        bench.ask(1, 0, write(&format!("n{round}"), &value))
    });
    assert_eq!(nodes, 7);
    // There is little left for anything else.
    let token = "t".repeat(600);
    let watches = until_refused(&mut bench, "ENOMEM", |bench, round| {
        bench.ask(1, 0, watch(&format!("n{round}"), &token))
    });
    assert_eq!(watches, 0);
    bench.check(&[
        (1, 0, write("n0", "short"), "OK|"),
        (1, 0, watch("n0", &token), "OK|"),
        (1, 0, Request::TransactionStart, "1|"),
        // A longer value no, a shorter one yes.
        (1, 0, write("n0", &value), "ENOMEM"),
        (1, 0, write("n1", "short"), "OK|"),
        (1, 0, rm("n2"), "OK|"),
        (1, 0, write("n0", &value), "OK|"),
        // Others have their own.
        (2, 0, write("n0", &value), "OK|"),
    ]);
    assert_eq!(
        told(&mut bench)[..2],
        [
            "d1 is over its quota of soft-memory (4000)",
            "d1 is over its quota of memory (8000)"
        ]
    );
}

#[test]
fn xsa_326_what_a_transaction_keeps_counts() {
    let mut bench = Bench::with(small());
    let id = bench.start(1);
    // Paths that it has looked at, though nothing is there.
    let looked = (0..1000)
        .map(|round| bench.ask(1, id, read(&format!("{}-{round}", "p".repeat(200)))))
        .take_while(|answer| answer == "ENOENT")
        .count();
    assert!((10..60).contains(&looked), "{looked}");
    bench.check(&[
        (1, 0, Request::TransactionStart, "ENOMEM"),
        (1, id, commit(), "OK|"),
        (1, 0, Request::TransactionStart, "2|"),
    ]);
    let id = 2;
    // Values that it has written over and over.
    let value = "v".repeat(1000);
    let written = until_refused(&mut bench, "ENOMEM", |bench, _| {
        bench.ask(1, id, write("a", &value))
    });
    assert!((3..10).contains(&written), "{written}");
}

#[test]
fn permissions_take_memory_too() {
    let mut bench = Bench::with(small());
    until_refused(&mut bench, "ENOMEM", |bench, round| {
        bench.ask(1, 0, mkdir(&format!("n{round}")))
    });
    let permissions = &list("n1 r0 w0 r2 w2")[..];
    let set = until_refused(&mut bench, "ENOMEM", |bench, round| {
        let path = &format!("n{round}");
        bench.ask(1, 0, Request::SetPerms { path, permissions })
    });
    assert!(set < 10, "{set}");
    let path = &format!("n{set}");
    bench.check(&[(1, 0, Request::GetPerms { path }, "n1|")]);
}

/// A path of many parts is short, and makes many nodes.
#[test]
fn what_a_commit_makes_counts_beside_what_was_taken_since() {
    let mut bench = Bench::with(small());
    let id = bench.start(1);
    let deep = format!("d{}", "/d".repeat(20));
    bench.check(&[(1, id, mkdir(&deep), "OK|")]);
    until_refused(&mut bench, "ENOMEM", |bench, round| {
        bench.ask(1, 0, watch("a", &format!("{round}")))
    });
    bench.check(&[
        // So that the changes have to be repeated.
        (2, 0, write("other", "1"), "OK|"),
        (1, id, commit(), "ENOMEM"),
        (1, 0, directory("d"), "ENOENT"),
    ]);
}

#[test]
fn a_refusal_is_told_of_ever_more_rarely() {
    let quota = Quota {
        watches: 1,
        ..Quota::default()
    };
    let mut bench = Bench::with(quota);
    bench.check(&[(1, 0, watch("a", "t"), "OK|")]);
    for _ in 0..1000 {
        bench.check(&[(1, 0, watch("b", "t"), "ENOSPC")]);
    }
    let told = told(&mut bench);
    assert_eq!(told.len(), 10);
    assert_eq!(told[0], "d1 is over its quota of watches (1)");
    assert_eq!(
        told[9],
        "d1 is over its quota of watches (1), for the 512th time"
    );
    // A domain of the same number that comes later begins anew.
    bench.store.release(D1, &mut Vec::new());
    assert_eq!(bench.store.take_notices(), []);
}

#[test]
fn xsa_326_replies_that_nobody_takes_are_counted_too() {
    let mut bench = Bench::new();
    let [control, guest]: [ConnectionId; 2] = bench.connections[..2].try_into().unwrap();
    assert!(bench.store.may_ask(guest, 19));
    assert!(!bench.store.may_ask(guest, 20));
    assert!(bench.store.may_ask(control, 1 << 20));
    assert!(matches!(
        bench.store.take_notices()[..],
        [Notice::Refused {
            domain: D1,
            resource: Resource::Outstanding,
            limit: 20,
            times: 1
        }]
    ));
}

/// A snapshot keeps what has changed since; that must have an end.
#[test]
fn a_transaction_that_is_open_for_too_long_loses_its_snapshot() {
    let mut bench = Bench::new();
    let old = bench.start(1);
    bench.check(&[(1, old, write("a", "1"), "OK|")]);
    let value = "v".repeat(2000);
    let mut young = None;
    for round in 0..20_000 {
        bench.check(&[(2, 0, write("b", &value), "OK|")]);
        if round == 10_000 {
            young = Some(bench.start(1));
        }
    }
    let young = young.unwrap();
    bench.check(&[
        (1, old, read("a"), "EAGAIN"),
        (1, old, write("a", "1"), "EAGAIN"),
        (1, young, write("a", "2"), "OK|"),
        (1, young, commit(), "OK|"),
        (1, old, commit(), "EAGAIN"),
        (1, 0, read("a"), "2"),
    ]);
    assert_eq!(bench.store.take_notices(), [Notice::Stale { domain: D1 }]);
}

#[test]
fn contention_is_a_change_while_others_have_transactions() {
    let mut bench = Bench::new();
    let contention = |bench: &mut Bench, who, id, request| {
        bench.ask(who, id, request);
        bench.store.contention()
    };
    assert_eq!(
        contention(&mut bench, 1, 0, write("a", "1")),
        Contention::None
    );
    let own = bench.start(1);
    assert_eq!(
        contention(&mut bench, 1, 0, write("a", "1")),
        Contention::None
    );
    assert_eq!(
        contention(&mut bench, 2, 0, write("a", "1")),
        Contention::Others
    );
    assert_eq!(contention(&mut bench, 2, 0, read("a")), Contention::None);
    assert_eq!(
        contention(&mut bench, 1, own, write("b", "1")),
        Contention::None
    );
    bench.start(2);
    assert_eq!(contention(&mut bench, 1, own, commit()), Contention::Others);
}

/// For a client that left too many events unread.
#[test]
fn all_watches_can_be_heard_of_anew() {
    let mut bench = Bench::new();
    bench.check(&[
        (1, 0, watch("a", "relative"), "OK|"),
        (1, 0, watch("/b", "absolute"), "OK|"),
        (1, 0, watch("@releaseDomain", "special"), "OK|"),
        (2, 0, watch("/b", "other"), "OK|"),
    ]);
    bench.events();
    let to = bench.connections[1];
    let reminders = bench.store.reminders(to);
    let out = reminders.map(|content| Outgoing { to, content }).collect();
    bench.keep_events(out);
    assert_eq!(
        bench.events(),
        ["1 /b absolute", "1 a relative", "1 @releaseDomain special"]
    );
}

/// A daemon whose memory is what a test says.
struct Machine(MemoryLeft);

impl Host for Machine {
    fn exists(&self, domain: DomId) -> bool {
        exists(domain)
    }

    fn memory_left(&self) -> MemoryLeft {
        self.0
    }
}

/// What comes back, in a machine with so much memory left.
fn ask_in(
    bench: &mut Bench,
    memory: MemoryLeft,
    who: usize,
    id: u32,
    request: Request<'_>,
) -> String {
    bench.host = Box::new(Machine(memory));
    let answer = bench.ask(who, id, request);
    bench.host = Box::new(exists);
    answer
}

#[test]
fn where_memory_is_short_guests_get_no_more_and_where_it_is_out_nobody_does() {
    let list = list("n1");
    let set = Request::SetPerms {
        path: "/local/domain/1/a",
        permissions: &list,
    };
    let takes = [
        write("/local/domain/1/a", "2"),
        write("/local/domain/1/b", "2"),
        mkdir("/local/domain/1/c"),
        set,
        watch("/local/domain/1/a", "w"),
    ];
    let gives = [
        read("/local/domain/1/a"),
        directory("/local/domain/1"),
        rm("/local/domain/1/b"),
        Request::ResetWatches,
    ];
    for (memory, [guest, control]) in [
        (MemoryLeft::Enough, [true, true]),
        (MemoryLeft::Short, [false, true]),
        (MemoryLeft::Exhausted, [false, false]),
    ] {
        for (who, gets_more) in [(1, guest), (0, control)] {
            let mut bench = Bench::new();
            bench.check(&[(1, 0, write("a", "1"), "OK|"), (1, 0, mkdir("b"), "OK|")]);
            for request in takes {
                let answer = ask_in(&mut bench, memory, who, 0, request);
                assert_eq!(
                    answer != "ENOMEM",
                    gets_more,
                    "{memory:?} {who} {request:?}"
                );
                assert_eq!(answer.ends_with('|'), gets_more, "{answer}");
            }
            for request in gives {
                let answer = ask_in(&mut bench, memory, who, 0, request);
                assert!(
                    !answer.starts_with('E'),
                    "{memory:?} {who} {request:?}: {answer}"
                );
            }
            assert_eq!(told(&mut bench).is_empty(), gets_more);
        }
    }
}

/// Xen's tools take nodes away in a transaction.
#[test]
fn the_control_domain_can_take_things_away_where_no_memory_is_left() {
    let mut bench = Bench::new();
    bench.check(&[
        (1, 0, write("a", "1"), "OK|"),
        (1, 0, write("b", "1"), "OK|"),
    ]);
    let (guests, older) = (bench.start(1), bench.start(0));
    let out = MemoryLeft::Exhausted;
    let refused = ask_in(&mut bench, out, 1, 0, Request::TransactionStart);
    assert_eq!(refused, "ENOMEM");
    let mut ask = |id: u32, request: Request<'_>| ask_in(&mut bench, out, 0, id, request);
    let id = ask(0, Request::TransactionStart);
    let id = id.trim_end_matches('|').parse().unwrap();
    assert_eq!(ask(id, rm("/local/domain/1/a")), "OK|");
    assert_eq!(ask(id, write("/local/domain/1/b", "2")), "ENOMEM");
    assert_eq!(ask(id, commit()), "OK|");
    // One is enough for that.
    assert_eq!(ask(older, commit()), "EAGAIN");
    bench.check(&[
        (1, 0, directory("/local/domain/1"), "b|"),
        (1, guests, commit(), "EAGAIN"),
    ]);
}

/// A commit brings many changes at once, so each of them is looked at; the tree is as before if one is refused.
#[test]
fn a_commit_stops_where_memory_gets_short() {
    struct Shrinking(Cell<u32>);
    impl Host for Shrinking {
        fn exists(&self, domain: DomId) -> bool {
            exists(domain)
        }

        fn memory_left(&self) -> MemoryLeft {
            self.0.set(self.0.get().saturating_sub(1));
            match self.0.get() {
                0 => MemoryLeft::Short,
                _ => MemoryLeft::Enough,
            }
        }
    }
    let mut bench = Bench::new();
    let id = bench.start(1);
    for number in 0..10 {
        bench.check(&[(1, id, write(&format!("n{number}"), "1"), "OK|")]);
    }
    // So that the changes have to be repeated.
    bench.check(&[(2, 0, write("other", "1"), "OK|")]);
    bench.host = Box::new(Shrinking(Cell::new(6)));
    bench.check(&[(1, id, commit(), "ENOMEM")]);
    bench.host = Box::new(exists);
    bench.check(&[
        (1, 0, directory("/local/domain/1"), ""),
        (
            0,
            0,
            Request::Control {
                payload: b"check\0",
            },
            "OK|",
        ),
    ]);
}

/// What their snapshots keep is the first that goes.
#[test]
fn where_memory_is_short_guests_lose_their_snapshots_and_where_it_is_out_all_do_but_one() {
    let mut bench = Bench::new();
    for (memory, answers) in [
        (MemoryLeft::Enough, ["OK|", "OK|", "OK|"]),
        (MemoryLeft::Short, ["EAGAIN", "OK|", "OK|"]),
        (MemoryLeft::Exhausted, ["EAGAIN", "EAGAIN", "OK|"]),
    ] {
        let ids = [1, 0, 0].map(|who| (who, bench.start(who)));
        ask_in(&mut bench, memory, 2, 0, read("/"));
        for ((who, id), answer) in ids.into_iter().zip(answers) {
            bench.check(&[(who, id, commit(), answer)]);
        }
    }
}
