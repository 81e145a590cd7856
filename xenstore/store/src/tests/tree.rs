//! Reading and writing.

use super::{Bench, commit, directory, mkdir, read, rm, write};
use alloc::format;
use alloc::string::String;
use morgana_xenstore_wire::{Operation, PAYLOAD_MAX, Request};

#[test]
fn values_and_directories() {
    Bench::new().check(&[
        (0, 0, directory("/"), "local|"),
        (0, 0, read("/"), ""),
        (0, 0, write("/tool/a/b", "1"), "OK|"),
        (0, 0, read("/tool/a/b"), "1"),
        (0, 0, read("/tool/a"), ""),
        (0, 0, write("/tool/a/b", "two"), "OK|"),
        (0, 0, read("/tool/a/b"), "two"),
        (0, 0, write("/tool/a/b", ""), "OK|"),
        (0, 0, read("/tool/a/b"), ""),
        (0, 0, mkdir("/tool/a/c"), "OK|"),
        (0, 0, mkdir("/tool/a/b"), "OK|"),
        (0, 0, directory("/tool/a"), "b|c|"),
        (0, 0, directory("/tool/a/b"), ""),
        (0, 0, read("/nothing"), "ENOENT"),
        (0, 0, directory("/tool/a/b/c"), "ENOENT"),
        (0, 0, rm("/tool/a"), "OK|"),
        (0, 0, directory("/tool"), ""),
        (0, 0, rm("/tool/a"), "OK|"),
        (0, 0, rm("/tool/a/b"), "ENOENT"),
        (0, 0, rm("/"), "EINVAL"),
    ]);
}

#[test]
fn mkdir_leaves_a_value_alone() {
    Bench::new().check(&[
        (0, 0, write("/a", "1"), "OK|"),
        (0, 0, mkdir("/a"), "OK|"),
        (0, 0, read("/a"), "1"),
    ]);
}

#[test]
fn relative_paths_begin_at_home() {
    Bench::new().check(&[
        (1, 0, write("data/x", "1"), "OK|"),
        (0, 0, read("/local/domain/1/data/x"), "1"),
        (0, 0, write("name", "Domain-0"), "OK|"),
        (0, 0, read("/local/domain/0/name"), "Domain-0"),
        (2, 0, read("data/x"), "ENOENT"),
    ]);
}

#[test]
fn malformed_requests_are_refused() {
    let mut bench = Bench::new();
    bench.check(&[
        (0, 0, read(""), "EINVAL"),
        (0, 0, read("/a//b"), "EINVAL"),
        (0, 0, read("/a/"), "EINVAL"),
        (0, 0, read("/a b"), "EINVAL"),
        (0, 0, read("@releaseDomain"), "EINVAL"),
        (0, 0, write("@releaseDomain", "1"), "EINVAL"),
        (0, 0, read("/local"), ""),
    ]);
    for (code, payload, expected) in [
        (Operation::Read.code(), &b"/a"[..], "EINVAL"),
        (Operation::Read.code(), b"", "EINVAL"),
        (Operation::Write.code(), b"/a", "EINVAL"),
        (Operation::Write.code(), b"\xff\0", "EINVAL"),
        (Operation::TransactionEnd.code(), b"X\0", "EINVAL"),
        (Operation::SetPerms.code(), b"/local\0", "EINVAL"),
        (Operation::SetPerms.code(), b"/local\0q1\0", "EINVAL"),
        (Operation::SetPerms.code(), b"/local\0n1", "EINVAL"),
        (Operation::WatchEvent.code(), b"a\0b\0", "ENOSYS"),
        (Operation::Error.code(), b"EINVAL\0", "ENOSYS"),
        (20, b"", "ENOSYS"),
        (u32::MAX, b"", "ENOSYS"),
    ] {
        assert_eq!(
            bench.ask_raw(0, 0, code, payload),
            expected,
            "{code} {payload:?}"
        );
    }
}

#[test]
fn children_are_listed_oldest_first() {
    let mut bench = Bench::new();
    bench.check(&[(0, 0, mkdir("/d/b"), "OK|"), (0, 0, mkdir("/d/a"), "OK|")]);
    let first = bench.start(0);
    bench.check(&[
        (0, first, mkdir("/d/10"), "OK|"),
        (0, 0, mkdir("/e"), "OK|"),
        (0, first, mkdir("/d/9"), "OK|"),
        (0, first, commit(), "OK|"),
        (0, 0, directory("/d"), "b|a|10|9|"),
        (0, 0, rm("/d/b"), "OK|"),
        (0, 0, write("/d/b/c", "1"), "OK|"),
        (0, 0, write("/d/a", "1"), "OK|"),
        (0, 0, directory("/d"), "a|10|9|b|"),
    ]);
}

#[test]
fn a_directory_too_long_for_a_packet_comes_in_parts() {
    let mut bench = Bench::new();
    let names: alloc::vec::Vec<String> = (0..400).map(|n| format!("a-long-name-{n:04}")).collect();
    for name in &names {
        bench.check(&[(0, 0, mkdir(&format!("/many/{name}")), "OK|")]);
    }
    bench.check(&[(0, 0, directory("/many"), "E2BIG")]);
    let mut heard = String::new();
    let mut generation = None;
    loop {
        let offset = heard.len() as u32;
        let path = "/many";
        let part = bench.ask(0, 0, Request::DirectoryPart { path, offset });
        assert!(part.len() <= PAYLOAD_MAX);
        let (this, list) = part.split_once('|').unwrap();
        let previous = generation.replace(String::from(this));
        assert!(previous.is_none_or(|previous| previous == this));
        match list.strip_suffix("||") {
            Some(last) => {
                heard += last;
                break;
            }
            None => heard += list,
        }
    }
    assert!(heard.split('|').eq(&names));
    let path = "/many";
    let beyond = Request::DirectoryPart {
        path,
        offset: 1 << 20,
    };
    let end = bench.ask(0, 0, beyond);
    assert_eq!(end, generation.unwrap() + "||");
    let part =
        |bench: &mut Bench, path| bench.ask(0, 0, Request::DirectoryPart { path, offset: 0 });
    assert!(part(&mut bench, "/many/a-long-name-0000").ends_with("||"));
    let before = part(&mut bench, "/local");
    bench.check(&[(0, 0, mkdir("/local/new"), "OK|")]);
    assert_ne!(
        before.split('|').next(),
        part(&mut bench, "/local").split('|').next()
    );
}
