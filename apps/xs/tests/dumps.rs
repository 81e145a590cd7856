//! `dump` and `load`: what goes out comes in again.

mod support;

use std::fs;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use support::Place;

#[test]
fn a_dump_is_json_and_has_all() {
    let place = Place::new();
    place.ok(&["write", "/a/b", "text \"\x7f\"", "/a/c", ""]);
    place.run_with(b"\x00\xff", &["write", "/a/c", "-"]);
    place.ok(&["chmod", "/a/c", "n0", "r5"]);
    let dump = r#"{"format":"xenstore-dump","version":1,"path":"/a","nodes":[
{"path":"/a","value":"","permissions":["n0"]},
{"path":"/a/b","value":"text \"\u007f\"","permissions":["n0"]},
{"path":"/a/c","base64":"AP8=","permissions":["n0","r5"]}
]}
"#;
    assert_eq!(place.ok(&["dump", "/a"]), dump);
    assert_eq!(place.ok(&["dump", "--no-transaction", "/a"]), dump);
    let file = place.file("dump.json");
    let file = file.to_str().unwrap();
    place.ok(&["dump", "-o", file, "/a/"]);
    assert_eq!(fs::read_to_string(file).unwrap(), dump);
    // Elsewhere, with what is there already; and in the place of what is there.
    place.ok(&["write", "/x/kept", "1", "/x/b", "old"]);
    place.ok(&["load", file, "/x"]);
    let copy = place.ok(&["dump", "/x"]);
    assert!(
        copy.contains("kept") && copy.contains("AP8=") && !copy.contains("old"),
        "{copy}"
    );
    place.ok(&["load", "--replace", file, "/x"]);
    assert_eq!(place.ok(&["dump", "/x"]), dump.replace("\"/a", "\"/x"));
    place.ok(&["rm", "/a"]);
    let loaded = place.run_with(dump.as_bytes(), &["load"]);
    assert_eq!(loaded.status, Some(0), "{loaded:?}");
    assert_eq!(place.ok(&["dump", "/a"]), dump);
    assert!(place.ok(&["dump"]).contains("{\"path\":\"/\","));
}

#[test]
fn a_dry_run_tells_and_changes_nothing() {
    let place = Place::new();
    place.ok(&["write", "/a/b", "1", "/a/c", "2", "/a/same", "3"]);
    let file = place.file("dump.json");
    let file = file.to_str().unwrap();
    place.ok(&["dump", "-o", file, "/a"]);
    place.ok(&["write", "/a/b", "other", "/a/more/x", "4"]);
    place.ok(&["rm", "/a/c"]);
    place.ok(&["chmod", "/a/same", "n0", "r1"]);
    let before = place.ok(&["dump", "/a"]);
    assert_eq!(
        place.ok(&["load", "--dry-run", "--replace", file]),
        "~ /a/b \"other\" -> \"1\"\n+ /a/c = \"2\"\n~ /a/same (n0,r1) -> (n0)\n- /a/more\n- /a/more/x\n"
    );
    assert!(!place.ok(&["load", "-n", "--merge", file]).contains("more"));
    assert_eq!(place.ok(&["dump", "/a"]), before);
    place.ok(&["load", "--replace", file]);
    assert_eq!(place.ok(&["load", "--dry-run", "--replace", file]), "");
}

#[test]
fn nothing_of_a_bad_dump_is_loaded() {
    let place = Place::new();
    let head = r#"{"format":"xenstore-dump","version":1,"path":"/a","nodes":["#;
    let long = "x".repeat(4000);
    let huge = "x".repeat(5000);
    for (nodes, said) in [
        (
            r#"{"path":"/a/b","value":"1"},{"path":"/b"}"#.to_owned(),
            "/b: is not below",
        ),
        (
            r#"{"path":"/a/b","value":"1"},{"path":"/a/b c"}"#.to_owned(),
            "/a/b c: ",
        ),
        (
            format!(r#"{{"path":"/a/b","value":"{long}"}},{{"path":"/a/c","value":"{huge}"}}"#),
            "/a/c: ",
        ),
        (
            r#"{"path":"/a/b","value":"1","permissions":["n0","x"]}"#.to_owned(),
            "/a/b: a permission",
        ),
        ("{".to_owned(), "this is no dump"),
    ] {
        let ran = place.run_with(format!("{head}{nodes}]}}").as_bytes(), &["load"]);
        assert_eq!(
            (ran.status, ran.said.lines().count()),
            (Some(1), 1),
            "{ran:?}"
        );
        assert!(ran.said.contains(said), "{ran:?}");
        assert_eq!(place.run(&["exists", "/a"]).status, Some(3), "{said}");
    }
    let said = place.fails(1, &["load", "/no/such/file"]);
    assert!(said.contains("/no/such/file: "), "{said}");
    assert_eq!(place.fails(3, &["dump", "/none"]), "xs: /none: not there");
    let said = place.fails(1, &["dump", "-o", "/no/such/file", "/"]);
    assert!(said.contains("/no/such/file: "), "{said}");
    let all = place.ok(&["dump"]);
    let ran = place.run_with(all.as_bytes(), &["load", "--replace"]);
    assert_eq!(ran.status, Some(2), "{ran:?}");
}

/// A node of a generated tree: where, what, for whom.
type Node = (Vec<u8>, Vec<u8>, Vec<(u8, u16)>);

fn node() -> impl Strategy<Value = Node> {
    let path = proptest::collection::vec(0..4_u8, 1..5);
    let value = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..40),
        any::<String>().prop_map(String::into_bytes),
    ];
    let permissions = proptest::collection::vec((0..4_u8, 0..9_u16), 0..4);
    (path, value, permissions)
}

#[test]
fn any_tree_comes_back() {
    let place = Place::new();
    let mut runner = TestRunner::new(Config::with_cases(8));
    let trees = proptest::collection::vec(node(), 0..12);
    let test = |nodes: Vec<Node>| {
        place.ok(&["rm", "-f", "/t", "/u"]);
        place.ok(&["mkdir", "/t"]);
        for (path, value, permissions) in nodes {
            let names = ["a", "b-1", "10", "9"];
            let path = path.iter().fold("/t".to_owned(), |path, &name| {
                format!("{path}/{}", names[usize::from(name)])
            });
            let written = place.run_with(&value, &["write", &path, "-"]);
            prop_assert_eq!(written.status, Some(0));
            let mut words = vec!["chmod".to_owned(), path, "n0".to_owned()];
            let letters = ["n", "r", "w", "b"];
            words.extend(
                permissions
                    .iter()
                    .map(|&(access, domain)| format!("{}{domain}", letters[usize::from(access)])),
            );
            place.ok(&words.iter().map(String::as_str).collect::<Vec<_>>());
        }
        let dump = place.ok(&["dump", "/t"]);
        let loaded = place.run_with(dump.as_bytes(), &["load", "--replace", "-", "/u"]);
        prop_assert_eq!(loaded.status, Some(0), "{:?}", loaded);
        prop_assert_eq!(
            place.ok(&["dump", "/u"]).replace("\"/u", "\"/t"),
            dump.clone()
        );
        place.ok(&["rm", "/t"]);
        place.run_with(dump.as_bytes(), &["load"]);
        prop_assert_eq!(place.ok(&["dump", "/t"]), dump);
        Ok(())
    };
    runner.run(&trees, test).unwrap();
}
