//! `write`, `rm`, `mkdir`, `exists`, `chmod`: all or nothing.

mod support;

use support::Place;

#[test]
fn several_values_are_written_or_none() {
    let place = Place::new();
    place.ok(&["write", "/a/b", "1", "/a/c", "two words", "/d", "-5"]);
    assert_eq!(
        place.ok(&["read", "/a/b", "/a/c", "/d"]),
        "1\ntwo words\n-5\n"
    );
    place.ok(&["write", "-e", "/e", "tab\\tescape\\x1b\\u{20ac}\\\\"]);
    assert_eq!(place.ok(&["read", "/e"]), "tab\\tescape\\x1b€\\\\\n");
    let raw = place.command(&["read", "--raw", "/e"]).output().unwrap();
    assert_eq!(raw.stdout, "tab\tescape\x1b€\\".as_bytes());
    // Of a path that comes twice, the last value counts.
    place.ok(&["write", "/twice", "1", "/twice", "2"]);
    assert_eq!(place.ok(&["read", "/twice"]), "2\n");
    // The values of a node may be any bytes, from standard input too.
    let bytes: Vec<u8> = (0..=255).collect();
    let written = place.run_with(&bytes, &["write", "/f", "x", "/bytes", "-"]);
    assert_eq!(written.status, Some(0), "{written:?}");
    let raw = place
        .command(&["read", "--raw", "/bytes"])
        .output()
        .unwrap();
    assert_eq!(raw.stdout, bytes);
}

#[test]
fn what_is_removed_goes_with_all_below_it() {
    let place = Place::new();
    place.ok(&["write", "/a/b/c", "1", "/a/d", "2", "/e", "3"]);
    let all = "/a\n/a/b\n/a/b/c\n/a/d\n/e\n";
    assert_eq!(place.ok(&["rm", "--dry-run", "/a", "/e"]), all);
    place.ok(&["exists", "/a/b/c", "/e"]);
    // One that is not there, and nothing goes.
    assert_eq!(
        place.fails(3, &["rm", "/e", "/none"]),
        "xs: /none: not there"
    );
    assert_eq!(
        place.fails(3, &["rm", "-n", "/none"]),
        "xs: /none: not there"
    );
    assert_eq!(place.ok(&["rm", "-n", "-f", "/none"]), "");
    place.ok(&["exists", "/e"]);
    place.ok(&["rm", "-f", "/e", "/none", "/a"]);
    let ran = place.run(&["exists", "/a"]);
    assert_eq!(
        (ran.status, ran.out.as_str(), ran.said.as_str()),
        (Some(3), "", "")
    );
    let said = place.fails(2, &["rm", "-f", "/"]);
    assert!(said.contains("all of xenstore"), "{said}");
    let said = place.fails(2, &["rm", "//"]);
    assert!(said.contains("all of xenstore"), "{said}");
}

#[test]
fn nodes_are_made_and_found() {
    let place = Place::new();
    place.ok(&["write", "/a", "kept"]);
    place.ok(&["mkdir", "/a", "/b/c"]);
    assert_eq!(place.ok(&["ls", "/b"]), "/b\n└── c\n");
    assert_eq!(place.ok(&["read", "/a"]), "kept\n");
    place.ok(&["exists", "/a", "/b/c"]);
    assert_eq!(place.run(&["exists", "/a", "/c"]).status, Some(3));
    assert_eq!(place.fails(2, &["exists", "/a b"]).lines().count(), 1);
}

#[test]
fn permissions_in_letters_and_in_words() {
    let place = Place::new();
    place.ok(&["write", "/a/b", "1"]);
    let shown = |path: &str| place.ok(&["ls", "-l", "--depth", "0", path]);
    place.ok(&["chmod", "/a", "n3", "r5", "b7"]);
    assert_eq!(shown("/a"), "/a  (n3,r5,b7)\n");
    place.ok(&["chmod", "-r", "/a", "others:read", "drop:5", "write:9"]);
    assert_eq!(shown("/a"), "/a  (r3,b7,w9)\n");
    assert_eq!(shown("/a/b"), "/a/b = \"1\"  (r0,w9)\n");
    place.ok(&["chmod", "/a", "owner:0"]);
    assert_eq!(shown("/a"), "/a  (r0,b7,w9)\n");
    assert_eq!(
        place.fails(3, &["chmod", "/none", "n0"]),
        "xs: /none: not there"
    );
    assert_eq!(
        place.fails(3, &["chmod", "-r", "/none", "read:5"]),
        "xs: /none: not there"
    );
    for bad in [
        &["chmod", "/a", "x5"][..],
        &["chmod", "/a", "n0", "read:5"],
        &["chmod", "/a"],
    ] {
        let said = place.fails(2, bad);
        assert!(said.contains("read:5") || said.contains("PERM"), "{said}");
    }
    assert_eq!(shown("/a"), "/a  (r0,b7,w9)\n", "nothing has changed");
}

#[test]
fn the_domains_that_have_a_home() {
    let place = Place::new();
    place.ok(&[
        "write",
        "/local/domain/10/name",
        "web\x1b[2J",
        "/local/domain/2",
        "",
        "/local/domain/0/name",
        "Domain-0",
    ]);
    assert_eq!(
        place.ok(&["domains"]),
        "    0  Domain-0\n    2\n   10  web\\x1b[2J\n"
    );
}
