//! A store that went through a stream goes on as if nothing had been.

use super::{Bench, abort, commit, directory, list, mkdir, read, rm, watch, write};
use crate::{HandOver, Link, Loaded, Misfit, Quota, Reach, Service, Store, Trace};
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use morgana_hal::{DomId, Port};
use morgana_xenstore_migration::{
    Connection, Descriptor, Node, OwnGlobal, PermissionBytes, Permissions, Place, Record, Scope,
    StatedPermission, Transaction, Validity, Writer,
};
use morgana_xenstore_wire::{Access, Permission, Request};
use proptest::prelude::*;

impl Bench {
    fn links(&self) -> BTreeMap<crate::ConnectionId, Link> {
        let link = |number: u16| Link {
            reach: Reach::Ring(DomId::new(number), Port::new(number.into())),
            service: Service::Open,
            input: Vec::from([number as u8; 3]),
            output: Vec::from([9; 5]),
            partial: 2,
        };
        let numbered = (0..).zip(&self.connections);
        numbered
            .map(|(number, &connection)| (connection, link(number)))
            .collect()
    }

    /// Hands the store over to another one.
    fn update(&mut self) {
        let links = self.links();
        let stream = self.store.export(&HandOver::default(), &links).unwrap();
        let loaded = Store::load(&stream, Quota::default()).unwrap();
        let back: Vec<Link> = loaded.links.iter().map(|(_, link)| link.clone()).collect();
        assert_eq!(back, links.into_values().collect::<Vec<_>>());
        let again = loaded.store.export(
            &loaded.left,
            &loaded.links.iter().cloned().collect::<BTreeMap<_, _>>(),
        );
        self.connections = loaded.links.iter().map(|(id, _)| *id).collect();
        self.store = loaded.store;
        let check = Request::Control {
            payload: b"check\0",
        };
        assert_eq!(self.ask(0, 0, check), "OK|");
        // But for the count of changes, a second stream is the first one.
        let again = again.unwrap();
        assert_eq!(again.len(), stream.len());
    }
}

#[test]
fn the_tree_keeps_its_order_its_permissions_and_its_special_events() {
    let mut bench = Bench::new();
    let own = list("n1 r2 b3");
    bench.check(&[
        (0, 0, write("/z", "last"), "OK|"),
        (0, 0, write("/z/3", "c\0d"), "OK|"),
        (0, 0, mkdir("/z/1"), "OK|"),
        (0, 0, mkdir("/z/2"), "OK|"),
        (0, 0, rm("/z/1"), "OK|"),
        (0, 0, mkdir("/z/1"), "OK|"),
        (1, 0, write("a/b", "mine"), "OK|"),
        (
            1,
            0,
            Request::SetPerms {
                path: "a",
                permissions: &own,
            },
            "OK|",
        ),
        (
            0,
            0,
            // Domain 9 is not there: its entry is shown, and means nothing.
            Request::SetPerms {
                path: "@releaseDomain",
                permissions: &list("n0 r2 r9"),
            },
            "OK|",
        ),
    ]);
    bench.update();
    bench.check(&[
        (0, 0, directory("/"), "local|z|"),
        (0, 0, directory("/z"), "3|2|1|"),
        (0, 0, read("/z"), "last"),
        (0, 0, read("/z/3"), "c|d"),
        (2, 0, read("/local/domain/1/a"), ""),
        (2, 0, read("/local/domain/1/a/b"), "EACCES"),
        (2, 0, write("/local/domain/1/a", "x"), "EACCES"),
        (
            0,
            0,
            Request::GetPerms {
                path: "/local/domain/1/a",
            },
            "n1|r2|b3|",
        ),
        (
            0,
            0,
            Request::GetPerms {
                path: "@releaseDomain",
            },
            "n0|r2|r9|",
        ),
        (1, 0, read("a/b"), "mine"),
    ]);
    assert_eq!(bench.store.nodes_of(DomId::new(1)), 3);
    // Domain 3, which was not introduced, is still known to be named.
    assert!(bench.store.known().contains(&DomId::new(3)));
    assert!(!bench.store.known().contains(&DomId::new(9)));
    bench.store.release(DomId::new(1), &mut Vec::new());
    bench.check(&[(0, 0, directory("/local/domain"), "2|")]);
}

#[test]
fn watches_keep_their_paths_and_depths() {
    let mut bench = Bench::new();
    let deep = |path, depth| Request::Watch {
        path,
        token: "deep",
        depth: Some(depth),
    };
    bench.check(&[
        (1, 0, watch("a", "relative"), "OK|"),
        (1, 0, watch("/local/domain/1/a", "absolute"), "OK|"),
        (0, 0, deep("/local/domain/1", 1), "OK|"),
        (0, 0, watch("@releaseDomain", "ends"), "OK|"),
    ]);
    bench.events();
    bench.update();
    bench.check(&[
        (1, 0, write("a", "1"), "OK|"),
        (1, 0, write("a/b", "1"), "OK|"),
        (1, 0, watch("a", "relative"), "EEXIST"),
        (
            1,
            0,
            Request::Unwatch {
                path: "a",
                token: "relative",
            },
            "OK|",
        ),
    ]);
    let mut events = bench.events();
    events.sort();
    assert_eq!(
        events,
        [
            "0 /local/domain/1/a deep",
            "1 /local/domain/1/a absolute",
            "1 /local/domain/1/a/b absolute",
            "1 a relative",
            "1 a/b relative",
        ]
    );
    let mut out = Vec::new();
    bench.store.shut_down(DomId::new(2), &mut out);
    bench.keep_events(out);
    assert_eq!(bench.events(), ["0 @releaseDomain ends"]);
    bench.update();
    // Those who watch have heard of it already.
    let mut out = Vec::new();
    bench.store.shut_down(DomId::new(2), &mut out);
    assert!(out.is_empty());
}

#[test]
fn a_transaction_goes_on_and_commits() {
    let mut bench = Bench::new();
    bench.check(&[
        (0, 0, write("/a", "1"), "OK|"),
        (0, 0, watch("/a", "w"), "OK|"),
    ]);
    let own = list("n1 r2");
    let id = bench.start(0);
    let other = bench.start(1);
    bench.check(&[
        (0, id, read("/a"), "1"),
        (0, id, write("/a/b", "2"), "OK|"),
        (0, id, rm("/a/b"), "OK|"),
        (0, id, write("/a/c", "3"), "OK|"),
        (
            0,
            id,
            Request::SetPerms {
                path: "/a/c",
                permissions: &own,
            },
            "OK|",
        ),
        (1, other, mkdir("made"), "OK|"),
    ]);
    // It has nothing to do with what they look at.
    bench.check(&[(0, 0, write("/elsewhere", "x"), "OK|")]);
    bench.events();
    bench.update();
    bench.check(&[
        (0, id, read("/a/c"), "3"),
        (0, id, read("/a/b"), "ENOENT"),
        (0, 0, read("/a/c"), "ENOENT"),
        (0, id + 1, read("/a"), "ENOENT"),
        (0, id, commit(), "OK|"),
        (0, 0, Request::GetPerms { path: "/a/c" }, "n1|r2|"),
        (1, other, commit(), "OK|"),
        (1, 0, read("made"), ""),
    ]);
    assert_eq!(bench.events(), ["0 /a/c w"]);
    // Its id is not given to another at once.
    assert_eq!(bench.start(0), id + 1);
}

#[test]
fn a_transaction_that_somebody_went_against_fails_before_and_after() {
    for change_first in [true, false] {
        let mut bench = Bench::new();
        bench.check(&[
            (0, 0, write("/a", "1"), "OK|"),
            (0, 0, write("/b", "1"), "OK|"),
        ]);
        let id = bench.start(0);
        bench.check(&[(0, id, read("/a"), "1"), (0, id, write("/c", "2"), "OK|")]);
        if change_first {
            bench.check(&[(0, 0, write("/a", "9"), "OK|")]);
        }
        bench.update();
        if !change_first {
            bench.check(&[(0, 0, write("/a", "9"), "OK|")]);
        }
        // Twice, since a stream of one that was loaded has to tell, too.
        bench.update();
        bench.check(&[
            (0, id, read("/b"), "1"),
            (0, id, write("/b", "2"), "OK|"),
            (0, id, commit(), "EAGAIN"),
            (0, 0, read("/b"), "1"),
            (0, 0, read("/c"), "ENOENT"),
        ]);
    }
}

#[test]
fn settings_and_targets_are_kept() {
    let mut bench = Bench::new();
    let domain = DomId::new(2);
    let set = |domain, value| Request::SetQuota {
        domain,
        quota: "nodes",
        value,
    };
    bench.store.set_trace(Trace::On);
    bench.check(&[
        (0, 0, set(None, 77), "OK|"),
        (0, 0, set(Some(domain), 4), "OK|"),
        (
            0,
            0,
            Request::SetTarget {
                domain,
                target: DomId::new(1),
            },
            "OK|",
        ),
        (1, 0, write("a", "1"), "OK|"),
    ]);
    bench.update();
    assert_eq!(bench.store.trace(), Trace::On);
    let get = |domain| Request::GetQuota {
        domain,
        quota: "nodes",
    };
    bench.check(&[
        (0, 0, get(None), "77|"),
        (0, 0, get(Some(domain)), "4|"),
        (0, 0, get(Some(DomId::new(1))), "1000|"),
        (2, 0, read("/local/domain/1/a"), "1"),
    ]);
}

fn owned(domain: u16) -> StatedPermission {
    StatedPermission {
        permission: Permission {
            domain: DomId::new(domain),
            access: Access::None,
        },
        validity: Validity::Valid,
    }
}

/// A stream as the document has it: nothing of our own, and a transaction told by its nodes.
fn stream(records: &[Record<'_>]) -> Vec<u8> {
    let mut writer = Writer::new();
    for record in records {
        writer.push(record).unwrap();
    }
    writer.finish()
}

#[test]
fn whom_an_event_names_that_is_not_known_here_does_not_matter() {
    let mut bytes = PermissionBytes::default();
    let permissions = bytes.list([owned(0), owned(3)].into_iter());
    for (path, is_known) in [("@releaseDomain", true), ("@newer", false)] {
        let node = Record::Node(Node {
            scope: Scope::Main,
            path,
            value: b"",
            access: 0,
            permissions,
        });
        let loaded = Store::load(&stream(&[node]), Quota::default()).unwrap();
        let known = loaded.store.known();
        assert_eq!(known.contains(&DomId::new(3)), is_known, "{path}");
    }
}

#[test]
fn another_daemons_transaction_is_understood_by_its_nodes() {
    let mut bytes = PermissionBytes::default();
    let permissions = bytes.list([owned(0)].into_iter());
    let of = Transaction {
        connection: 5,
        id: 3,
    };
    let node = |scope, path, value, access| Node {
        scope,
        path,
        value,
        access,
        permissions,
    };
    let main = |path, value| Record::Node(node(Scope::Main, path, value, 0));
    let its = |path, value, access| node(Scope::Transaction(of), path, value, access);
    let connection = Record::Connection(Connection {
        id: 5,
        place: Place::Socket(Descriptor(4)),
        input: b"",
        output: b"",
        partial: 0,
        unique: None,
    });
    for (seen, ends) in [(&b"1"[..], "OK|"), (b"0", "EAGAIN")] {
        let gone = Node {
            permissions: Permissions::default(),
            ..its("/gone", b"", 0)
        };
        let stream = stream(&[
            connection,
            Record::Transaction(of),
            Record::Node(its("/a", seen, Node::READ)),
            Record::Node(its("/new", b"2", Node::READ | Node::WRITTEN)),
            Record::Node(gone),
            main("/", b""),
            main("/a", b"1"),
            main("/gone", b"x"),
        ]);
        let Loaded { store, links, .. } = Store::load(&stream, Quota::default()).unwrap();
        let mut bench = Bench::new();
        bench.connections = Vec::from([links[0].0]);
        bench.store = store;
        bench.check(&[
            (0, 3, read("/new"), "2"),
            (0, 0, read("/gone"), "x"),
            (0, 3, commit(), ends),
        ]);
    }
}

/// What the C daemon of Debian's Xen 4.17 has left when it was told to let another program take over.
const OF_C: &[u8] = include_bytes!("../../../../fuzz/corpus/xenstore_migration/c-4.17");

#[test]
fn a_stream_of_xens_c_daemon_is_understood() {
    let Loaded { store, left, links } = Store::load(OF_C, Quota::default()).unwrap();
    assert_eq!((left.socket, left.events), (Descriptor(3), Descriptor(6)));
    let reached: Vec<Reach> = links.iter().map(|(_, link)| link.reach).collect();
    let socket = |number| Reach::Socket(Descriptor(number));
    let ring = |domain, port| Reach::Ring(DomId::new(domain), Port::new(port));
    assert_eq!(
        reached,
        [ring(0, 2), socket(7), socket(8), socket(9), ring(1, 3)]
    );
    // The answer to the one that asked for it, and half a request.
    assert!(links[1].1.output.ends_with(b"OK\0") && links[1].1.partial == 0);
    assert_eq!(links[3].1.input.len(), 19);
    let mut bench = Bench::new();
    bench.connections = [1, 4, 2].map(|at| links[at].0).into();
    bench.store = store;
    let x = "/local/domain/1/x";
    let introduced = Request::IsDomainIntroduced {
        domain: DomId::new(1),
    };
    bench.check(&[
        (0, 0, directory("/"), "tool|order|local|"),
        (0, 0, directory("/order"), "z|a|m|"),
        (0, 0, Request::GetPerms { path: x }, "n1|r0|"),
        (1, 0, read("x"), "1"),
        (
            0,
            0,
            Request::GetPerms {
                path: "@releaseDomain",
            },
            "n0|r1|",
        ),
        (0, 0, introduced, "T|"),
        (0, 0, write("/watched/1", ""), "OK|"),
        (0, 0, write("rel", ""), "OK|"),
    ]);
    assert_eq!(bench.events(), ["2 /watched/1 tok", "2 rel tok2"]);
}

#[test]
fn what_does_not_fit_is_named() {
    let mut bytes = PermissionBytes::default();
    let permissions = bytes.list([owned(0)].into_iter());
    let node = |path| {
        Record::Node(Node {
            scope: Scope::Main,
            path,
            value: b"",
            access: 0,
            permissions,
        })
    };
    let nobodys = Record::Node(Node {
        scope: Scope::Main,
        path: "/a",
        value: b"",
        access: 0,
        permissions: Permissions::default(),
    });
    let ring = |id| {
        Record::Connection(Connection {
            id,
            place: Place::Ring {
                domain: DomId::new(1),
                target: None,
                port: Port::new(1),
            },
            input: b"",
            output: b"",
            partial: 0,
            unique: None,
        })
    };
    let transaction = Record::Transaction(Transaction {
        connection: 1,
        id: 1,
    });
    for (records, misfit) in [
        (&[node("/"), node("/a/b")][..], Misfit::Parent),
        (&[node("/a"), node("/a")], Misfit::Twice),
        (&[node("/"), node("a")], Misfit::Path),
        (&[node("/"), node("/a//b")], Misfit::Path),
        (&[node("/"), nobodys], Misfit::Owner),
        (&[ring(1), ring(2)], Misfit::Twice),
        (&[node("/"), transaction], Misfit::Connection(1)),
    ] {
        let error = Store::load(&stream(records), Quota::default()).unwrap_err();
        assert_eq!((error.record, error.misfit), (2, misfit));
    }
    assert_eq!(
        format!(
            "{}",
            Store::load(&stream(&[ring(1), ring(1)]), Quota::default()).unwrap_err()
        ),
        "record 2 of the state, at byte 48: it was there before"
    );
}

#[test]
fn a_count_of_changes_that_has_no_room_to_go_on_is_not_believed() {
    let mut writer = Writer::new();
    let own = Record::OwnGlobal(OwnGlobal {
        changes: u64::MAX,
        flags: 0,
        pid_file: Descriptor::NONE,
    });
    writer.push(&own).unwrap();
    let mut store = Store::load(&writer.finish(), Quota::default())
        .unwrap()
        .store;
    store.make("/a/b");
    assert_eq!(store.nodes_of(DomId::DOM0), 3);
}

/// Who, in its transaction or not, does what.
type Act = (usize, bool, u8, usize);

const PATHS: [&str; 6] = ["/t", "/t/a", "/t/a/b", "/t/c", "/t/c/d", "/u"];

fn act(bench: &mut Bench, open: &[u32; 2], (who, inside, what, path): Act) -> String {
    // The first is domain 0's ring, the second another connection that acts for it.
    let transaction = if inside { open[who] } else { 0 };
    let path = PATHS[path];
    let permissions = list("b0 r1");
    let request = match what {
        0 => write(path, "1"),
        1 => write(path, "2"),
        2 => rm(path),
        3 => directory(path),
        4 => mkdir(path),
        5 => Request::SetPerms {
            path,
            permissions: &permissions,
        },
        6 => watch(path, "w"),
        _ => read(path),
    };
    bench.ask(who, transaction, request)
}

proptest! {
    /// Two stores are asked the same, and one of them goes through a stream in between: all answers, all events, and how transactions end are
    /// the same. Only what a transaction reads may differ that is going to fail; and if something has changed before the stream, a transaction
    /// that looks at it only after the stream finds it as it is now.
    #[test]
    fn nobody_notices(
        before in prop::collection::vec((0..2usize, any::<bool>(), 0..8u8, 0..PATHS.len()), 0..24),
        after in prop::collection::vec((0..2usize, any::<bool>(), 0..8u8, 0..PATHS.len()), 0..24),
        is_quiet in any::<bool>(),
    ) {
        let mut before = before;
        if is_quiet {
            before.retain(|(_, inside, what, _)| *inside || matches!(what, 3 | 6 | 7));
        }
        let mut benches = [Bench::new(), Bench::new()];
        let open = benches.each_mut().map(|bench| {
            let second = bench.store.connect(DomId::DOM0, crate::Rights::Control);
            bench.connections[1] = second;
            [bench.start(0), bench.start(1)]
        });
        prop_assert_eq!(open[0], open[1]);
        let mut inside: [Vec<[String; 2]>; 2] = Default::default();
        for (number, &one) in before.iter().chain(&after).enumerate() {
            if number == before.len() {
                let links = benches[1].socket_links();
                let stream = benches[1].store.export(&HandOver::default(), &links).unwrap();
                let loaded = Store::load(&stream, Quota::default()).unwrap();
                // By the order in which they came.
                benches[1].connections = [0, 2, 1].map(|at| loaded.links[at].0).into();
                benches[1].store = loaded.store;
            }
            let said = benches.each_mut().map(|bench| act(bench, &open[0], one));
            if one.1 {
                inside[one.0].push(said);
            } else {
                prop_assert_eq!(&said[0], &said[1], "{:?}", one);
            }
        }
        for who in 0..2 {
            let ends = benches.each_mut().map(|bench| bench.ask(who, open[0][who], commit()));
            if ends[0] != ends[1] && !is_quiet {
                // What it looked at after the stream had changed before: in the other store it began later than that.
                return Ok(());
            }
            prop_assert_eq!(&ends[0], &ends[1]);
            if ends[0] == "OK|" {
                for said in &inside[who] {
                    prop_assert_eq!(&said[0], &said[1]);
                }
            }
        }
        for path in PATHS {
            for request in [directory(path), read(path), Request::GetPerms { path }] {
                let said = benches.each_mut().map(|bench| bench.ask(0, 0, request));
                prop_assert_eq!(&said[0], &said[1]);
            }
        }
        let events = benches.each_mut().map(|bench| {
            let mut events = bench.events();
            // Which of two watchers hears first is nobody's affair.
            events.sort();
            events
        });
        prop_assert_eq!(&events[0], &events[1]);
        let unused = benches.each_mut().map(|bench| bench.ask(0, 1, abort()));
        prop_assert_eq!(&unused[0], &unused[1]);
    }
}

impl Bench {
    /// Domain 0's ring, a socket, and domain 2's ring.
    fn socket_links(&self) -> BTreeMap<crate::ConnectionId, Link> {
        let link = |reach| Link {
            reach,
            service: Service::Open,
            input: Vec::new(),
            output: Vec::new(),
            partial: 0,
        };
        let ring = |number: u16| link(Reach::Ring(DomId::new(number), Port::new(1)));
        BTreeMap::from([
            (self.connections[0], ring(0)),
            (self.connections[1], link(Reach::Socket(Descriptor(3)))),
            (self.connections[2], ring(2)),
        ])
    }
}
