//! Who may do what.

use super::{Bench, directory, list, mkdir, read, rm, write};
use morgana_xenstore_wire::Request;

const HOME: &str = "/local/domain/1";

fn perms(path: &str) -> Request<'_> {
    Request::GetPerms { path }
}

#[test]
fn guests_keep_to_what_is_theirs() {
    Bench::new().check(&[
        (1, 0, read("/local"), "EACCES"),
        (1, 0, directory("/"), "EACCES"),
        (1, 0, write("/x", "1"), "EACCES"),
        (1, 0, mkdir("/x"), "EACCES"),
        (1, 0, rm("/local"), "EACCES"),
        (1, 0, rm("/x"), "EACCES"),
        (2, 0, read(HOME), "EACCES"),
        (2, 0, write("/local/domain/1/x", "1"), "EACCES"),
        (2, 0, read("/local/domain/1/x"), "EACCES"),
        (1, 0, write("x", "1"), "OK|"),
        (1, 0, read("y"), "ENOENT"),
        (2, 0, read("/local/domain/1/x"), "EACCES"),
    ]);
}

#[test]
fn lists_say_who_may() {
    let (read_2, write_2, nobody) = (list("n1 r2"), list("n1 w2"), list("n1"));
    let set = |permissions| Request::SetPerms {
        path: "x",
        permissions,
    };
    let x = "/local/domain/1/x";
    Bench::new().check(&[
        (1, 0, write("x", "1"), "OK|"),
        (1, 0, perms("x"), "n1|"),
        (1, 0, set(&read_2), "OK|"),
        (1, 0, perms("x"), "n1|r2|"),
        (2, 0, perms(x), "n1|r2|"),
        (2, 0, read(x), "1"),
        (2, 0, write(x, "2"), "EACCES"),
        (2, 0, rm(x), "EACCES"),
        (1, 0, set(&write_2), "OK|"),
        (2, 0, read(x), "EACCES"),
        (2, 0, write(x, "2"), "OK|"),
        (1, 0, read("x"), "2"),
        // What another makes below is its own, with the rest of the list.
        (2, 0, write("/local/domain/1/x/y", "3"), "OK|"),
        (0, 0, perms("/local/domain/1/x/y"), "n2|w2|"),
        (2, 0, rm(x), "OK|"),
        (1, 0, read("x"), "ENOENT"),
        (1, 0, write("x", "1"), "OK|"),
        (1, 0, set(&nobody), "OK|"),
        (2, 0, write(x, "2"), "EACCES"),
    ]);
}

#[test]
fn only_owners_change_permissions_and_nobody_gives_nodes_away() {
    let (to_2, mine, all) = (list("n2"), list("b1"), list("n1 b2"));
    let set = |path, permissions| Request::SetPerms { path, permissions };
    let x = "/local/domain/1/x";
    Bench::new().check(&[
        (1, 0, write("x", "1"), "OK|"),
        (1, 0, set("x", &to_2), "EPERM"),
        (1, 0, set("x", &all), "OK|"),
        (2, 0, set(x, &mine), "EACCES"),
        (1, 0, set("missing", &mine), "ENOENT"),
        (0, 0, set(x, &to_2), "OK|"),
        (1, 0, read("x"), "EACCES"),
        (2, 0, read(x), "1"),
    ]);
}

#[test]
fn the_control_domain_leaves_nodes_to_whom_the_one_above_belongs() {
    Bench::new().check(&[
        (0, 0, write("/local/domain/1/device/vif/0", "x"), "OK|"),
        (0, 0, perms("/local/domain/1/device/vif/0"), "n1|"),
        (0, 0, perms("/local/domain/1/device"), "n1|"),
        (1, 0, read("device/vif/0"), "x"),
    ]);
}
