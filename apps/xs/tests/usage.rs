//! What makes no sense, and where there is no xenstored.

mod support;

use support::{Place, Ran, program};

#[test]
fn bad_arguments_are_named_in_one_line_and_nothing_is_asked() {
    let place = Place::new();
    for (arguments, said) in [
        (&["frob"][..], "frob"),
        (&["read"], "<PATH>"),
        (&["read", "/a b"], "/a b: the path has a character"),
        (&["read", "/a//b"], "empty part"),
        (&["read", ""], "the path is empty"),
        (&["read", "@releaseDomain"], "only a watch"),
        (&["ls", "/\x1b[31m"], "/\\x1b[31m: the path"),
        (&["ls", "--depth=-1"], "--depth"),
        (&["write", "/a", "1", "/b"], "/b has no value"),
        (
            &["write", "-e", "/a", "\\q"],
            "a backslash without an escape",
        ),
        (&["write", "/a", "-", "/b", "-"], "/b: standard input"),
        (&["read", "--timeout", "soon", "/a"], "seconds"),
    ] {
        let line = place.fails(2, arguments);
        assert!(line.starts_with("xs: ") && line.contains(said), "{line}");
    }
    assert_eq!(place.fails(3, &["read", "/a"]), "xs: /a: not there");
}

#[test]
fn help_is_there_for_every_command() {
    let place = Place::new();
    let help = place.ok(&["--help"]);
    assert!(
        help.contains("Exit status") && help.contains("Examples:"),
        "{help}"
    );
    let commands = help.split("Commands:").nth(1).unwrap();
    let commands = commands.split("Options:").next().unwrap();
    for command in commands
        .lines()
        .filter_map(|line| line.split_whitespace().next())
    {
        let help = place.ok(&[command, "--help"]);
        assert!(help.contains("Examples:"), "{command}: {help}");
    }
}

#[test]
fn without_a_xenstored_it_says_where_it_looked() {
    let place = Place::new();
    let ran = Ran::of(program(&place.file("none")).args(["ls"]).output().unwrap());
    assert_eq!(ran.status, Some(1), "{ran:?}");
    assert!(ran.said.contains("/none: no xenstored is there"), "{ran:?}");
    let said = place.fails(1, &["ls", "--socket", "/dev/null/socket"]);
    assert!(said.starts_with("xs: /dev/null/socket: "), "{said}");
    // The option wins over the environment.
    let socket = place.file("socket");
    let socket = socket.to_str().unwrap();
    let ran = Ran::of(
        program(&place.file("none"))
            .args(["--socket", socket, "ls"])
            .output()
            .unwrap(),
    );
    assert_eq!(ran.status, Some(0), "{ran:?}");
    // So does a file that is no way to anywhere.
    std::fs::write(place.file("file"), "").unwrap();
    let file = place.file("file");
    let said = place.fails(1, &["ls", "--socket", file.to_str().unwrap()]);
    assert!(said.contains("neither a socket nor a device"), "{said}");
}

#[test]
fn a_value_that_is_too_long_names_its_node_and_nothing_is_written() {
    let place = Place::new();
    let long = "x".repeat(5000);
    let said = place.fails(1, &["write", "/a", "1", "/b", &long]);
    assert!(said.starts_with("xs: /b: "), "{said}");
    assert_eq!(place.fails(3, &["read", "/a"]), "xs: /a: not there");
}
