//! `ls` and `read`: what is there, and what is not.

mod support;

use support::Place;

/// A small tree to look at.
fn place() -> Place {
    let place = Place::new();
    place.ok(&[
        "write",
        "/vm/1/name",
        "guest",
        "/vm/1/devices/vif10",
        "",
        "/vm/1/devices/vif2",
        "x",
        "/vm/2",
        "",
    ]);
    place
}

#[test]
fn a_tree_is_shown_in_order_with_its_values() {
    let place = place();
    let tree = "\
/vm
├── 1
│   ├── devices
│   │   ├── vif2 = \"x\"
│   │   └── vif10
│   └── name = \"guest\"
└── 2
";
    assert_eq!(place.ok(&["ls", "/vm"]), tree);
    assert_eq!(place.ok(&["ls", "/vm/"]), tree);
    assert_eq!(
        place.ok(&["ls", "--depth", "1", "/vm"]),
        "/vm\n├── 1\n└── 2\n"
    );
    assert_eq!(
        place.ok(&["ls", "--depth", "0", "/vm", "/vm/1/name"]),
        "/vm\n/vm/1/name = \"guest\"\n"
    );
    assert!(place.ok(&["ls"]).contains("\n└── vm\n    ├── 1\n"));
}

#[test]
fn whole_paths_permissions_and_json() {
    let place = place();
    assert_eq!(
        place.ok(&["ls", "-lf", "/vm/1/devices"]),
        "/vm/1/devices  (n0)\n/vm/1/devices/vif2 = \"x\"  (n0)\n/vm/1/devices/vif10  (n0)\n"
    );
    assert_eq!(
        place.ok(&["ls", "--json", "-l", "/vm/1/devices"]),
        r#"[
{"path":"/vm/1/devices","value":"","permissions":["n0"]},
{"path":"/vm/1/devices/vif2","value":"x","permissions":["n0"]},
{"path":"/vm/1/devices/vif10","value":"","permissions":["n0"]}
]
"#
    );
}

#[test]
fn colours_are_for_those_who_want_them() {
    let place = place();
    let coloured = place.ok(&["ls", "--color", "always", "/vm/1/devices"]);
    assert!(
        coloured.starts_with("\x1b[1;34m/vm/1/devices\x1b[0m\n"),
        "{coloured:?}"
    );
    assert!(!place.ok(&["ls", "/vm"]).contains('\x1b'));
}

#[test]
fn values_are_printed_safely_unless_they_are_wanted_raw() {
    let place = Place::new();
    let value = b"\x1b[2J two\nlines \xff\\";
    let written = place.run_with(value, &["write", "/a", "-"]);
    assert_eq!(written.status, Some(0), "{written:?}");
    assert_eq!(
        place.ok(&["read", "/a"]),
        "\\x1b[2J two\\nlines \\xff\\\\\n"
    );
    assert!(!place.ok(&["ls", "/"]).contains('\x1b'));
    let raw = place
        .command(&["read", "--raw", "/a", "/a"])
        .output()
        .unwrap();
    assert_eq!(raw.stdout, [&value[..], value].concat());
    assert_eq!(
        place.ok(&["read", "--json", "/a"]),
        "[\n{\"path\":\"/a\",\"base64\":\"G1sySiB0d28KbGluZXMg/1w=\"}\n]\n"
    );
}

#[test]
fn what_is_not_there_is_named_and_the_rest_is_printed() {
    let place = place();
    let ran = place.run(&["read", "/none", "/vm/1/name", "/vm/none"]);
    assert_eq!((ran.status, &*ran.out), (Some(3), "guest\n"), "{ran:?}");
    assert_eq!(ran.said, "xs: /none: not there\nxs: /vm/none: not there\n");
    let ran = place.run(&["ls", "/none", "/vm/2"]);
    assert_eq!((ran.status, &*ran.out), (Some(3), "/vm/2\n"), "{ran:?}");
    let json = place.run(&["ls", "--json", "/none"]);
    assert_eq!((json.status, &*json.out), (Some(3), "[]\n"), "{json:?}");
}

#[test]
fn a_large_directory_is_listed_whole() {
    let place = Place::new();
    let names: Vec<String> = (0..3000)
        .map(|number| format!("/many/node-{number}"))
        .collect();
    for names in names.chunks(500) {
        let mut arguments = vec!["write"];
        for name in names {
            arguments.extend([name.as_str(), "v"]);
        }
        place.ok(&arguments);
    }
    let listed = place.ok(&["ls", "-f", "/many"]);
    let expected: Vec<String> = names.iter().map(|name| format!("{name} = \"v\"")).collect();
    assert!(
        listed
            .lines()
            .skip(1)
            .eq(expected.iter().map(String::as_str))
    );
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let place = place();
    for _ in 0..20 {
        let mut child = place.start(&["ls", "/vm"]);
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!((output.status.code(), &*output.stderr), (Some(0), &b""[..]));
    }
}
