//! Who hears of what.

use super::{Bench, list, mkdir, read, rm, watch, write};
use alloc::string::String;
use alloc::vec::Vec;
use morgana_xenstore_wire::Request;

const NONE: [String; 0] = [];

fn set<'a>(path: &'a str, permissions: &'a [u8]) -> Request<'a> {
    Request::SetPerms { path, permissions }
}

#[test]
fn a_watch_fires_at_once_and_at_every_change_at_or_below() {
    let mut bench = Bench::new();
    bench.check(&[(0, 0, watch("/a/b", "t"), "OK|")]);
    assert_eq!(bench.events(), ["0 /a/b t"]);
    for (request, heard) in [
        (write("/a/b", "1"), Some("0 /a/b t")),
        (write("/a/b", "1"), Some("0 /a/b t")),
        (write("/a/b/c/d", "1"), Some("0 /a/b/c/d t")),
        (mkdir("/a/b/e"), Some("0 /a/b/e t")),
        (mkdir("/a/b/e"), None),
        (read("/a/b"), None),
        (write("/a", "1"), None),
        (write("/a/bb", "1"), None),
        (rm("/a/b/c"), Some("0 /a/b/c t")),
        (rm("/a/b/c"), None),
        (rm("/a"), Some("0 /a/b t")),
        (rm("/a"), None),
        (write("/a/b", "1"), Some("0 /a/b t")),
    ] {
        bench.ask(0, 0, request);
        assert_eq!(bench.events(), Vec::from_iter(heard), "{request:?}");
    }
}

#[test]
fn all_who_watch_hear_from_the_root_down() {
    let mut bench = Bench::new();
    bench.check(&[
        (0, 0, watch("/", "root"), "OK|"),
        (0, 0, watch("/a", "one"), "OK|"),
        (0, 0, watch("/a", "two"), "OK|"),
        (0, 0, watch("/a/b/c", "deep"), "OK|"),
        (0, 0, watch("/a/b/x", "none"), "OK|"),
    ]);
    bench.events();
    bench.ask(0, 0, write("/a/b/c", "1"));
    let heard = [
        "0 /a/b/c root",
        "0 /a/b/c one",
        "0 /a/b/c two",
        "0 /a/b/c deep",
    ];
    assert_eq!(bench.events(), heard);
    bench.ask(0, 0, rm("/a/b"));
    let heard = ["0 /a/b root", "0 /a/b one", "0 /a/b two", "0 /a/b/c deep"];
    assert_eq!(bench.events(), heard, "and not a node that was not there");
}

#[test]
fn relative_watches_hear_relative_paths() {
    let mut bench = Bench::new();
    bench.check(&[
        (1, 0, watch("device", "t"), "OK|"),
        (1, 0, watch("@releaseDomain", "r"), "OK|"),
    ]);
    assert_eq!(bench.events(), ["1 device t", "1 @releaseDomain r"]);
    bench.check(&[
        (1, 0, write("device/vif/0/state", "1"), "OK|"),
        (
            0,
            0,
            write("/local/domain/1/device/vif/0/state", "2"),
            "OK|",
        ),
    ]);
    let heard = "1 device/vif/0/state t";
    assert_eq!(bench.events(), [heard, heard]);
}

#[test]
fn watches_end() {
    let mut bench = Bench::new();
    let unwatch = |path, token| Request::Unwatch { path, token };
    bench.check(&[
        (0, 0, watch("/a", "t"), "OK|"),
        (0, 0, watch("/a", "t"), "EEXIST"),
        (0, 0, watch("/a", "u"), "OK|"),
        (0, 0, unwatch("/a", "x"), "ENOENT"),
        (0, 0, unwatch("/b", "t"), "ENOENT"),
        (1, 0, unwatch("/a", "t"), "ENOENT"),
        (0, 0, unwatch("/a", "t"), "OK|"),
        (0, 0, unwatch("/a", "t"), "ENOENT"),
    ]);
    bench.events();
    bench.ask(0, 0, write("/a", "1"));
    assert_eq!(bench.events(), ["0 /a u"]);
    bench.check(&[(0, 0, Request::ResetWatches, "OK|")]);
    bench.ask(0, 0, write("/a", "1"));
    assert_eq!(bench.events(), NONE);
    bench.check(&[(0, 0, watch("/a", "v"), "OK|")]);
    let connection = bench.connections[0];
    bench.store.disconnect(connection);
    bench.connections[0] = bench
        .store
        .connect(morgana_hal::DomId::DOM0, crate::Rights::Control);
    bench.events();
    bench.ask(0, 0, write("/a", "1"));
    assert_eq!(bench.events(), NONE);
}

#[test]
fn nobody_hears_of_what_it_may_not_see() {
    let mut bench = Bench::new();
    let x = "/local/domain/1/x";
    bench.check(&[
        (2, 0, watch("/local/domain/1", "t"), "OK|"),
        (2, 0, watch("/local/domain/1/x/y", "below"), "OK|"),
    ]);
    bench.events();
    bench.check(&[(1, 0, write("x/y", "1"), "OK|")]);
    assert_eq!(bench.events(), NONE);
    let readable = list("n1 r2");
    let permissions = &readable[..];
    bench.check(&[(
        1,
        0,
        Request::SetPerms {
            path: "x",
            permissions,
        },
        "OK|",
    )]);
    assert_eq!(bench.events(), ["2 /local/domain/1/x t"]);
    bench.check(&[(1, 0, write("x", "2"), "OK|")]);
    assert_eq!(bench.events(), ["2 /local/domain/1/x t"]);
    // To lose sight of a node is the last that one hears of it.
    let private = list("n1");
    let permissions = &private[..];
    bench.check(&[(
        1,
        0,
        Request::SetPerms {
            path: "x",
            permissions,
        },
        "OK|",
    )]);
    assert_eq!(bench.events(), ["2 /local/domain/1/x t"]);
    bench.check(&[(1, 0, write("x", "3"), "OK|"), (1, 0, rm(x), "OK|")]);
    assert_eq!(bench.events(), NONE);
}

#[test]
fn those_who_may_read_the_node_above_hear_of_one_that_they_may_not_read() {
    let (readable, private) = (list("n1 r2"), list("n1"));
    let mut bench = Bench::new();
    bench.check(&[
        (1, 0, write("x/y", "1"), "OK|"),
        (1, 0, set("x", &readable), "OK|"),
        (1, 0, set("x/y", &private), "OK|"),
        (2, 0, watch("/local/domain/1/x/y", "t"), "OK|"),
        (2, 0, read("/local/domain/1/x/y"), "EACCES"),
    ]);
    bench.events();
    for request in [write("x/y", "2"), set("x/y", &private), rm("x/y")] {
        bench.ask(1, 0, request);
        assert_eq!(bench.events(), ["2 /local/domain/1/x/y t"], "{request:?}");
    }
}

#[test]
fn what_goes_with_a_node_above_is_heard_of_by_those_who_may_see_it_or_the_one_above_it() {
    for (above, node, heard) in [
        ("n1", "n1", None),
        ("n1 r2", "n1", Some("2 /local/domain/1/x/y/z t")),
        ("n1", "n1 r2", Some("2 /local/domain/1/x/y/z t")),
    ] {
        let lists = [above, node].map(list);
        let mut bench = Bench::new();
        bench.check(&[
            (1, 0, write("x/y/z", "1"), "OK|"),
            (1, 0, set("x/y", &lists[0]), "OK|"),
            (1, 0, set("x/y/z", &lists[1]), "OK|"),
            (2, 0, watch("/local/domain/1/x/y/z", "t"), "OK|"),
        ]);
        bench.events();
        bench.check(&[(1, 0, rm("x"), "OK|")]);
        assert_eq!(bench.events(), Vec::from_iter(heard), "{above}, {node}");
    }
}

#[test]
fn a_watch_may_limit_how_deep_it_looks() {
    let mut bench = Bench::new();
    let depth = |depth| Request::Watch {
        path: "/a",
        token: "t",
        depth: Some(depth),
    };
    bench.check(&[(0, 0, depth(1), "OK|")]);
    bench.events();
    for (path, is_heard) in [("/a", true), ("/a/b", true), ("/a/b/c", false)] {
        bench.ask(0, 0, write(path, "1"));
        assert_eq!(bench.events().len(), usize::from(is_heard), "{path}");
    }
}

#[test]
fn an_event_for_every_path_and_token_fits_a_packet() {
    let mut bench = Bench::new();
    let token = "t".repeat(1100);
    bench.check(&[(0, 0, watch("/a", &token), "EINVAL")]);
    let token = "t".repeat(1000);
    bench.check(&[(0, 0, watch("/a", &token), "OK|")]);
    bench.events();
    let path = String::from("/a/") + &"x".repeat(3069);
    bench.check(&[(0, 0, write(&path, "1"), "OK|")]);
    assert_eq!(bench.events().len(), 1);
}
