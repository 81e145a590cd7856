//! The Linux program, on a file.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// Enough for a small queue.
const SIZE: u64 = 2 << 20;

/// A file of zeroes, which goes with the test.
struct Disk(PathBuf);

impl Disk {
    fn new(name: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("morgana-queue-{}-{name}", std::process::id()));
        let file = fs::File::create(&path).expect("a file");
        file.set_len(SIZE).expect("room");
        Self(path)
    }

    fn word(&self) -> String {
        format!("disk={}", self.0.display())
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Nobody is told that a test could not clean up.
        let _ = fs::remove_file(&self.0);
    }
}

fn command(disk: &Disk) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_queue"));
    command
        .args(["--forward", "0:80", "--", &disk.word()])
        .args(["jobs=100", "bytes=65536", "keys=100"])
        .stderr(Stdio::piped());
    command
}

/// The program, which ends with the test.
struct Program {
    child: Child,
    address: String,
}

impl Program {
    fn start(disk: &Disk) -> Self {
        let mut child = command(disk).spawn().expect("it starts");
        let lines = BufReader::new(child.stderr.as_mut().expect("a pipe")).lines();
        let mut lines = lines.map_while(Result::ok);
        let address = lines.find_map(|line| {
            let (_, rest) = line.split_once("http://")?;
            Some(rest.trim_end_matches('/').to_owned())
        });
        let address = address.expect("an address");
        Self { child, address }
    }

    fn ask(&self, request: &str, content: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).expect("somebody listens");
        let length = content.len();
        let head = format!("{request} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n");
        write!(stream, "{head}Content-Length: {length}\r\n\r\n{content}").expect("it is taken");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already, which the test has seen.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How it ends that cannot begin: its status, and what it says.
fn refusal(disk: &Disk) -> (Option<i32>, String) {
    let ended = command(disk).output().expect("it starts");
    let text = String::from_utf8_lossy(&ended.stderr).into_owned();
    (ended.status.code(), text)
}

#[test]
fn jobs_survive_a_program_that_is_killed() {
    let disk = Disk::new("survive");
    let program = Program::start(&disk);
    for number in 0..20 {
        let answer = program.ask("POST /jobs", &format!("job {number}"));
        assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    }
    let lease = program.ask("POST /leases?ms=600000", "");
    assert!(lease.ends_with("\r\n\r\njob 0"), "{lease}");
    let (code, text) = refusal(&disk);
    assert!(
        code == Some(1) && text.contains("another program has it"),
        "{text}"
    );
    // Without a word, as a machine that loses its power.
    drop(program);
    let program = Program::start(&disk);
    let stats = program.ask("GET /stats", "");
    assert!(
        stats.contains("\"ready\":19,") && stats.contains("\"leased\":1,"),
        "{stats}"
    );
    let lease = program.ask("POST /leases", "");
    assert!(lease.ends_with("\r\n\r\njob 1"), "{lease}");
}

#[test]
fn a_disk_with_something_else_stays_as_it_is() {
    let disk = Disk::new("foreign");
    let mut bytes = vec![0; SIZE as usize];
    bytes[1080..1082].copy_from_slice(&[0x53, 0xef]);
    fs::write(&disk.0, &bytes).expect("room");
    let (code, text) = refusal(&disk);
    assert_eq!(code, Some(1));
    assert!(
        text.contains("something other than a queue; it stays as it is"),
        "{text}"
    );
    assert!(fs::read(&disk.0).expect("the file") == bytes);
}

#[test]
fn what_is_wrong_with_a_disk_is_told() {
    let disk = Disk::new("small");
    fs::OpenOptions::new()
        .write(true)
        .open(&disk.0)
        .and_then(|file| file.set_len(8192))
        .expect("a shorter file");
    let (code, text) = refusal(&disk);
    assert!(
        code == Some(1) && text.contains("it has 8192 bytes, and "),
        "{text}"
    );
    fs::remove_file(&disk.0).expect("the file");
    let (code, text) = refusal(&disk);
    assert!(
        code == Some(1) && text.contains("to make it: truncate -s "),
        "{text}"
    );
    assert!(!disk.0.exists());
}

#[test]
fn bad_usage_is_told() {
    let run = |arguments: &[&str]| {
        let run = Command::new(env!("CARGO_BIN_EXE_queue"))
            .args(arguments)
            .output();
        let run = run.expect("it starts");
        let text = [run.stdout, run.stderr].concat();
        let text = String::from_utf8_lossy(&text).into_owned();
        (run.status.code(), text)
    };
    let (code, help) = run(&["--help"]);
    assert!(code == Some(0) && help.contains("attempts=N"), "{help}");
    for (arguments, part) in [
        (["--forward", "x"], "--forward wants HOST:PORT"),
        (["port=1", "jobs=x"], "jobs=x is not a valid value"),
        (["word", "port=1"], "word: neither an option"),
        (["--disk", "x"], "--disk wants NAME=FILE"),
        (["--disk", "xvda=/nowhere"], "/nowhere: No such file"),
        (["--disk", "xvdb=/nowhere"], "disk=FILE is missing"),
        (["listen=127.0.0.1", "port=0"], "disk=FILE is missing"),
    ] {
        let (code, text) = run(&arguments);
        assert!(
            code == Some(1) && text.contains(part),
            "{arguments:?}: {text}"
        );
        assert_eq!(text.lines().count(), 1, "{text}");
    }
}
