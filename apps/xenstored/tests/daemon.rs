//! The program itself, without Xen: how it starts, whom it serves, what it refuses.

mod support;

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use morgana_xenstore_wire::Request;
use rustix::process::{Pid, Signal, kill_process};

use support::{Client, read, write};

/// A folder of its own, and the daemon that was started in it; both go when the value is dropped.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let folder = format!("xenstored-{name}-{}", std::process::id());
        let folder = std::env::temp_dir().join(folder);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_xenstored"))
            .args(arguments)
            .env("XENSTORED_PATH", self.file("socket"))
            .output()
            .unwrap()
    }

    /// Starts the daemon in the background; it serves when this returns.
    fn start(&self) -> Output {
        let (pid, log) = (self.file("pid"), self.file("log"));
        let arguments = [
            "--no-domain-init",
            "--pid-file",
            pid.to_str().unwrap(),
            "--trace-file",
            log.to_str().unwrap(),
        ];
        self.run(&arguments)
    }

    fn connect(&self) -> Client {
        Client::connect(self.file("socket"))
    }

    fn log(&self) -> String {
        fs::read_to_string(self.file("log")).unwrap()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let id = fs::read_to_string(self.file("pid")).ok();
        if let Some(pid) = id.and_then(|id| Pid::from_raw(id.trim().parse().ok()?)) {
            let _ = kill_process(pid, Signal::TERM);
        }
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

#[test]
fn in_the_background_it_serves_when_its_starter_returns() {
    let place = Place::new("background");
    let started = place.start();
    assert!(started.status.success(), "{started:?}");
    assert!(text(&place.file("pid")).trim().parse::<u32>().is_ok());
    let mode = fs::metadata(place.file("socket")).unwrap().permissions();
    assert_eq!(mode.mode() & 0o777, 0o600);
    let mut stream = place.connect();
    // Relative paths begin where domain 0's do: libxl asks for its domain id so.
    let path = "a/b";
    assert_eq!(stream.ask(0, write("/local/domain/0/a/b", "1")), "OK|");
    assert_eq!(stream.ask(0, write("/a/b", "1")), "OK|");
    assert_eq!(stream.ask(0, read(path)), "1");
    assert_eq!(
        stream.ask(
            0,
            Request::Directory {
                path: "/tool/xenstored"
            }
        ),
        ""
    );
    // Another client sees the same tree; no domain can be served.
    let mut second = place.connect();
    assert_eq!(second.ask(0, read("/a/b")), "1");
    let introduce = Request::Introduce {
        domain: morgana_hal::DomId::new(1),
        frame: 1,
        port: 1,
    };
    assert_eq!(second.ask(0, introduce), "EINVAL|");
    assert!(place.log().contains(" INFO serves "), "{}", place.log());
}

#[test]
fn there_is_one_daemon_at_a_place() {
    let place = Place::new("one");
    assert!(place.start().status.success());
    let again = place.start();
    assert!(!again.status.success());
    let said = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(said.contains("pid file"), "{said}");
    let elsewhere = place.run(&["-D", "-N"]);
    let said = String::from_utf8_lossy(&elsewhere.stderr).into_owned();
    assert!(said.contains("socket"), "{said}");
}

#[test]
fn a_client_that_breaks_the_protocol_is_closed_and_others_are_not() {
    let place = Place::new("broken");
    assert!(place.start().status.success());
    let (mut good, mut bad) = (place.connect(), place.connect());
    assert_eq!(good.ask(0, write("/a", "1")), "OK|");
    // A header that claims 4,097 bytes.
    let mut header = [0; 16];
    header[12..].copy_from_slice(&4097_u32.to_le_bytes());
    bad.stream.write_all(&header).unwrap();
    assert_eq!(bad.stream.read(&mut [0; 16]).unwrap(), 0);
    assert_eq!(good.ask(0, read("/a")), "1");
    assert!(place.log().contains("4097 bytes"), "{}", place.log());
}

#[test]
fn what_makes_no_sense_is_told_and_nothing_starts() {
    let place = Place::new("usage");
    for arguments in [&["--frob"][..], &["-E"], &["-E", "many"]] {
        let refused = place.run(arguments);
        assert_eq!(refused.status.code(), Some(2));
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(said.lines().count(), 1, "{said}");
    }
    let help = place.run(&["--help"]);
    assert!(help.status.success() && help.stdout.starts_with(b"xenstored"));
    assert!(!place.file("socket").exists());
}

#[test]
fn the_log_is_readable_and_may_be_moved_away() {
    let place = Place::new("log");
    assert!(place.start().status.success());
    let first = place.log();
    // Such as 2026-11-26T09:30:00.123Z.
    let (time, said) = first.trim().split_once(' ').unwrap();
    assert!(time.len() == 24 && time.ends_with('Z'), "{first}");
    assert!(said.starts_with("INFO serves "), "{first}");
    fs::rename(place.file("log"), place.file("older")).unwrap();
    let pid = text(&place.file("pid"));
    let pid = Pid::from_raw(pid.trim().parse().unwrap()).unwrap();
    kill_process(pid, Signal::HUP).unwrap();
    let mut stream = place.connect();
    let control = |payload| Request::Control { payload };
    for command in [
        &b"print\0one\n\0"[..],
        b"log\0off\0",
        b"print\0two\0",
        b"log\0on\0",
        b"print\0three\0",
    ] {
        assert_eq!(stream.ask(0, control(command)), "OK|");
    }
    let log = place.log();
    assert_eq!(log.lines().count(), 2, "{log}");
    assert!(log.contains("INFO control: one.\n") && log.contains("INFO control: three\n"));
    assert_eq!(text(&place.file("older")), first);
    // A report goes to a file of its own; what cannot be written is an error.
    let report = place.file("report");
    let command = format!("memreport\0{}\0", report.display());
    assert_eq!(stream.ask(0, control(command.as_bytes())), "OK|");
    assert!(text(&report).contains("nodes "));
    for command in [
        &b"memreport\0/no/such/folder\0"[..],
        b"logfile\0/no/such/folder\0",
    ] {
        assert_eq!(stream.ask(0, control(command)), "EIO|");
    }
}

#[test]
fn the_starter_prints_the_daemons_process_id() {
    let place = Place::new("output");
    let pid = place.file("pid");
    let started = place.run(&["-D", "-P", "-F", pid.to_str().unwrap()]);
    assert!(started.status.success(), "{started:?}");
    assert_eq!(String::from_utf8_lossy(&started.stdout), text(&pid));
}
