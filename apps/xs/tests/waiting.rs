//! `watch`, `view` and `wait`: what happens while they run.

mod support;

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout};

use support::{Place, Ran};

/// A run that goes on; it ends with the value.
struct Running {
    child: Option<Child>,
    lines: BufReader<ChildStdout>,
}

impl Running {
    fn start(place: &Place, arguments: &[&str]) -> Self {
        let mut child = place.start(arguments);
        let lines = BufReader::new(child.stdout.take().unwrap());
        let child = Some(child);
        Self { child, lines }
    }

    /// The next line; without its time, if it has one.
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        let line = line.trim_end();
        match line.split_once("Z ") {
            Some((time, rest)) if time.len() == "13:10:03.841".len() => rest.to_owned(),
            _ => line.to_owned(),
        }
    }

    fn end(mut self) -> Ran {
        let mut rest = Vec::new();
        std::io::Read::read_to_end(&mut self.lines, &mut rest).unwrap();
        let output = self.child.take().unwrap().wait_with_output().unwrap();
        let out = String::from_utf8(rest).unwrap();
        Ran {
            out,
            ..Ran::of(output)
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[test]
fn changes_are_lines() {
    let place = Place::new();
    place.ok(&["write", "/a/b", "1"]);
    let mut watch = Running::start(
        &place,
        &["watch", "-i", "-n", "5", "/a", "/c", "@introduceDomain"],
    );
    assert_eq!(watch.line(), "/a = \"\"");
    assert_eq!(watch.line(), "/c <gone>");
    assert_eq!(watch.line(), "@introduceDomain");
    for (command, line) in [
        (&["write", "/a/b", "\x1b[2J"][..], "/a/b = \"\\x1b[2J\""),
        (&["write", "/c", "3"], "/c = \"3\""),
        (&["rm", "/a/b"], "/a/b <gone>"),
        (&["mkdir", "/a/d/e"], "/a/d/e = \"\""),
        (&["rm", "/a"], "/a <gone>"),
    ] {
        place.ok(command);
        assert_eq!(watch.line(), line);
    }
    let ended = watch.end();
    assert_eq!(
        (ended.status, ended.out.as_str()),
        (Some(0), ""),
        "{ended:?}"
    );
}

#[test]
fn changes_as_json_to_a_depth_and_a_command_for_each() {
    let place = Place::new();
    place.ok(&["write", "/a/b", "1"]);
    let script = "echo \"$XS_PATH ${XS_VALUE-none}\"";
    let mut watch = Running::start(
        &place,
        &[
            "watch", "-i", "--json", "--depth", "1", "-n", "3", "--exec", script, "/a",
        ],
    );
    assert_eq!(watch.line(), r#"{"path":"/a","value":""}"#);
    place.ok(&["write", "/a/b/c", "too deep"]);
    place.run_with(b"\xff", &["write", "/a/b", "-"]);
    assert_eq!(watch.line(), r#"{"path":"/a/b","base64":"/w=="}"#);
    // What is no text goes through as it is.
    let mut said = Vec::new();
    watch.lines.read_until(b'\n', &mut said).unwrap();
    assert_eq!(said, b"/a/b \xff\n");
    place.ok(&["write", "/a/b", "x y"]);
    assert_eq!(watch.line(), r#"{"path":"/a/b","value":"x y"}"#);
    assert_eq!(watch.line(), "/a/b x y");
    place.ok(&["rm", "/a/b"]);
    assert_eq!(watch.line(), r#"{"path":"/a/b","gone":true}"#);
    assert_eq!(watch.line(), "/a/b none");
    assert_eq!(watch.end().status, Some(0));
}

#[test]
fn time_ends_it_too() {
    let place = Place::new();
    let ended = place.run(&["watch", "--timeout", "0.1", "/a"]);
    assert_eq!((ended.status, &*ended.said), (Some(0), ""));
    let said = place.fails(4, &["watch", "-n", "1", "--timeout", "0.1", "/a"]);
    assert_eq!(said, "xs: there were fewer changes within 0.1 s");
    assert_eq!(place.fails(2, &["watch", "/a b"]).lines().count(), 1);
    assert_eq!(place.fails(2, &["watch", "@frob b"]).lines().count(), 1);
}

#[test]
fn who_waits_for_changes_ends_when_nobody_reads() {
    let place = Place::new();
    for arguments in [&["watch", "-i", "/a"][..], &["view", "/a"]] {
        place.ok(&["write", "/a", "1"]);
        let mut running = Running::start(&place, arguments);
        running.line();
        let child = running.child.take().unwrap();
        drop(running);
        // Nothing changes: it is the end of its reader that ends it.
        let output = child.wait_with_output().unwrap();
        assert_eq!((output.status.code(), &*output.stderr), (Some(0), &b""[..]));
    }
}

#[test]
fn a_live_view_tells_old_and_new() {
    let place = Place::new();
    place.ok(&["write", "/a/b/c", "1", "/a/b-c", "2"]);
    let mut view = Running::start(&place, &["view", "-l", "/a"]);
    assert_eq!(view.line(), "= /a: 4 nodes");
    place.ok(&["write", "/a/b/c", "new"]);
    assert_eq!(view.line(), "~ /a/b/c \"1\" -> \"new\"");
    place.ok(&["chmod", "/a/b", "n0", "r5"]);
    assert_eq!(view.line(), "~ /a/b (n0) -> (n0,r5)");
    place.ok(&["chmod", "/a/b", "n0", "r5"]);
    place.ok(&["write", "/elsewhere", "1"]);
    // Nodes above one that is made come with it.
    place.ok(&["write", "/a/x/y", "3"]);
    assert_eq!(view.line(), "+ /a/x  (n0)");
    assert_eq!(view.line(), "+ /a/x/y = \"3\"  (n0)");
    place.ok(&["rm", "/a/b"]);
    assert_eq!(view.line(), "- /a/b  (n0,r5)");
    assert_eq!(view.line(), "- /a/b/c = \"new\"  (n0)");
    place.ok(&["rm", "/a"]);
    assert_eq!(view.line(), "- /a  (n0)");
    assert_eq!(view.line(), "- /a/b-c = \"2\"  (n0)");
    assert_eq!(view.line(), "- /a/x  (n0)");
}

#[test]
fn a_view_of_what_is_not_there_yet_and_to_a_depth() {
    let place = Place::new();
    let mut view = Running::start(&place, &["view", "--depth", "1", "/a"]);
    assert_eq!(view.line(), "= /a: 0 nodes");
    place.ok(&["write", "/a/b/c", "deep"]);
    assert_eq!(view.line(), "+ /a");
    assert_eq!(view.line(), "+ /a/b");
    place.ok(&["write", "/a/b/c", "deeper"]);
    place.ok(&["write", "/a/b", "1"]);
    assert_eq!(view.line(), "~ /a/b \"\" -> \"1\"");
}

#[test]
fn more_changes_than_are_kept_are_still_found() {
    let place = Place::new();
    place.ok(&["mkdir", "/a"]);
    let mut view = Running::start(&place, &["view", "/a"]);
    assert_eq!(view.line(), "= /a: 1 node");
    let paths: Vec<String> = (0..3000).map(|number| format!("/a/{number}")).collect();
    let mut arguments = vec!["write"];
    for path in &paths {
        arguments.extend([path.as_str(), "v"]);
    }
    place.ok(&arguments);
    let mut seen: Vec<String> = paths.iter().map(|_| view.line()).collect();
    let mut expected: Vec<String> = paths
        .iter()
        .map(|path| format!("+ {path} = \"v\""))
        .collect();
    seen.sort();
    expected.sort();
    assert_eq!(seen, expected);
}

#[test]
fn waiting_for_a_node_a_value_or_the_end() {
    let place = Place::new();
    let mut there = place.start(&["wait", "/a/b", "--timeout", "60"]);
    let mut value = place.start(&["wait", "--value", "-2", "/a/b"]);
    place.ok(&["write", "/a/b", "1"]);
    assert_eq!(there.wait().unwrap().code(), Some(0));
    place.ok(&["write", "/a/b", "-2"]);
    assert_eq!(value.wait().unwrap().code(), Some(0));
    place.ok(&["wait", "/a/b"]);
    let mut gone = place.start(&["wait", "--gone", "/a/b"]);
    place.ok(&["rm", "/a"]);
    assert_eq!(gone.wait().unwrap().code(), Some(0));
    place.ok(&["wait", "--gone", "/a/b"]);
    for (arguments, said) in [
        (&["wait", "/a"][..], "/a did not come"),
        (
            &["wait", "--value", "1\n", "/a"],
            "/a did not become \"1\\n\"",
        ),
        (&["wait", "--gone", "/"], "/ did not go"),
    ] {
        let all = [arguments, &["--timeout", "0.1"]].concat();
        assert_eq!(place.fails(4, &all), format!("xs: {said} within 0.1 s"));
    }
}
