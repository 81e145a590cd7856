//! The Linux program: a counter that is killed, and one that asks it.

use std::io::{BufRead as _, BufReader, Lines};
use std::process::{Child, ChildStderr, Command, Stdio};

/// The program, which ends with the test.
struct Program {
    child: Child,
    lines: Lines<BufReader<ChildStderr>>,
}

impl Program {
    fn start(words: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_counter"))
            .args(words)
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let lines = BufReader::new(child.stderr.take().expect("a pipe")).lines();
        Self { child, lines }
    }

    /// The next line with a text; what is behind it.
    fn hear(&mut self, text: &str) -> String {
        let mut heard = Vec::new();
        for line in self.lines.by_ref().map_while(Result::ok) {
            if let Some((_, rest)) = line.split_once(text) {
                return rest.to_owned();
            }
            heard.push(line);
        }
        panic!("never said {text:?}: {heard:?}")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already, which the test has seen.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_counter_that_is_killed_is_found_again() {
    let mut server = Program::start(&["--forward", "0:7000"]);
    let address = server.hear("counting at ");
    let (_, port) = address.rsplit_once(':').expect("a port");
    let mut client = Program::start(&["role=client", &format!("server={address}")]);
    let first = client.hear("the counter is there by TCP, incarnation ");
    client.hear("the sum is ");
    // Without a word: the kernel closes the connection.
    drop(server);
    let report = client.hear("the counter by TCP is gone; requests: ");
    assert!(
        report.contains(" 8 peer gone, ") && report.contains(" 0 otherwise, "),
        "{report}"
    );
    assert!(report.ends_with("can no longer be reached"), "{report}");
    client.hear("no way to the counter: ");
    let _server = Program::start(&["--forward", &format!("{port}:7000")]);
    let second = client.hear("the counter is there by TCP, incarnation ");
    assert_ne!(first, second);
    client.hear("the sum is ");
}

#[test]
fn what_makes_no_sense_is_said() {
    for (words, expected) in [
        (["role=both", "port=1"], "role=both is not a valid value"),
        (["role=client", "host=1"], "server=ADDRESS:PORT is missing"),
        (["frob", "port=1"], "frob: neither an option"),
    ] {
        let mut program = Program::start(&words);
        program.hear(expected);
        let status = program.child.wait().expect("it ends");
        assert_eq!(status.code(), Some(1));
    }
}
