//! After a crash of the program, without Xen: it is killed again and again in the midst of work, and nothing is lost that it has answered.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Sender};
use std::thread;

use morgana_xenstore_wire::{Commit, Request};

use support::{Client, read, write};

const PROGRAM: &str = env!("CARGO_BIN_EXE_xenstored");

/// How often the daemon is killed.
const CRASHES: usize = 200;
/// Each time so many clients are at work.
const CLIENTS: usize = 4;
/// Every so many crashes there is much work before, so that the journal begins anew in between.
const LONG: usize = 50;

/// A folder of its own, which goes when the value is dropped.
struct Place(PathBuf);

/// A daemon in the foreground, which is killed when the value is dropped.
struct Daemon(Child);

impl Place {
    fn new(name: &str) -> Self {
        let folder = format!("xenstored-{name}-{}", std::process::id());
        let place = Self(std::env::temp_dir().join(folder));
        fs::create_dir_all(&place.0).unwrap();
        place
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        let log = self.file("log");
        command
            .args(["-D", "-N", "-P", "-F", &self.file("pid"), "-T", &log])
            .args(arguments)
            .env("XENSTORED_PATH", self.file("socket"))
            .stdout(Stdio::piped());
        command
    }

    /// Returns when it serves: it prints its process id then.
    fn start(&self, arguments: &[&str]) -> Daemon {
        let mut child = self.command(arguments).spawn().unwrap();
        let mut line = String::new();
        let said = child.stdout.take().unwrap();
        BufReader::new(said).read_line(&mut line).unwrap();
        assert_eq!(line.trim(), child.id().to_string(), "{}", self.log());
        Daemon(child)
    }

    fn log(&self) -> String {
        fs::read_to_string(self.file("log")).unwrap_or_default()
    }

    fn connect(&self) -> Client {
        Client::connect(self.file("socket"))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Daemon {
    /// It has no time to do anything about it, and is gone when this returns.
    fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Client {
    /// What there is below a node, with the values.
    fn tree(&mut self, path: &str) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        let mut open = vec![path.to_owned()];
        while let Some(path) = open.pop() {
            let names = self.ask(0, Request::Directory { path: &path });
            if names == "ENOENT|" {
                continue;
            }
            let value = self.ask(0, Request::Read { path: &path });
            let names = names.split_terminator('|');
            open.extend(names.map(|name| format!("{path}/{name}")));
            found.insert(path, value);
        }
        found
    }
}

/// What a client tells.
enum Said {
    /// All is there.
    Checked,
    Stepped,
}

/// One client's part of the tree, and what is done with it in turn.
struct Work {
    home: String,
    done: usize,
    tree: BTreeMap<String, String>,
}

impl Work {
    fn new(number: usize) -> Self {
        Self {
            home: format!("/load/{number}"),
            done: 0,
            tree: BTreeMap::new(),
        }
    }

    fn path(&self, name: &str) -> String {
        format!("{}/{name}", self.home)
    }

    /// What the next step writes (or removes).
    fn changes(&self) -> Vec<(String, Option<String>)> {
        let number = self.done + 1;
        let value = Some(number.to_string());
        let of = |name: &str| self.path(name);
        match self.done % 4 {
            0 => vec![(of("long"), Some(format!("{number}{}", "x".repeat(1500))))],
            1 => vec![(of("one"), value.clone()), (of("other"), value)],
            2 => vec![(of(&format!("list{}", number % 24)), value)],
            _ => vec![(of(&format!("list{}", (number + 8) % 24)), None)],
        }
    }

    /// The next step is done.
    fn step(&mut self) {
        for (path, value) in self.changes() {
            self.tree.entry(self.home.clone()).or_default();
            match value {
                Some(value) => drop(self.tree.insert(path, value)),
                None => drop(self.tree.remove(&path)),
            }
        }
        self.done += 1;
    }

    /// What is there is what was answered, and perhaps the one step more that was not.
    fn check(&mut self, client: &mut Client) {
        let found = client.tree(&self.home.clone());
        if found != self.tree {
            self.step();
            assert_eq!(found, self.tree, "after {} steps", self.done);
        }
    }

    /// Works until the daemon is gone.
    fn run(&mut self, client: &mut Client, said: &Sender<Said>) -> io::Result<()> {
        loop {
            let changes = self.changes();
            let mut ask = |transaction, request| match client.try_ask(transaction, request)? {
                said if said.starts_with('E') => panic!("{said}"),
                said => Ok::<_, io::Error>(said),
            };
            let transaction = match changes.len() {
                1 => 0,
                _ => {
                    let id = ask(0, Request::TransactionStart)?;
                    id.trim_end_matches('|').parse().unwrap()
                }
            };
            for (path, value) in &changes {
                let request = match value {
                    Some(value) => write(path, value),
                    None => Request::Rm { path },
                };
                ask(transaction, request)?;
            }
            if transaction != 0 {
                let commit = Commit::Yes;
                ask(transaction, Request::TransactionEnd { commit })?;
            }
            self.step();
            // Nobody listens any longer when the daemon is to be killed.
            let _ = said.send(Said::Stepped);
        }
    }
}

#[test]
fn what_was_answered_outlasts_any_crash() {
    let place = Place::new("crashes");
    let mut works: Vec<Work> = (0..CLIENTS).map(Work::new).collect();
    for crash in 0..CRASHES {
        let daemon = place.start(&[]);
        let (said, hear) = mpsc::channel();
        thread::scope(|scope| {
            let threads = works.iter_mut().map(|work| {
                let (mut client, said) = (place.connect(), said.clone());
                scope.spawn(move || {
                    work.check(&mut client);
                    said.send(Said::Checked).unwrap();
                    work.run(&mut client, &said).unwrap_err();
                })
            });
            let threads: Vec<_> = threads.collect();
            let mut checks = CLIENTS;
            let mut steps = if crash % LONG == 0 { 2000 } else { crash % 50 };
            while checks > 0 || steps > 0 {
                match hear.recv().unwrap() {
                    Said::Checked => checks -= 1,
                    Said::Stepped => steps = steps.saturating_sub(1),
                }
                assert!(threads.iter().all(|thread| !thread.is_finished()));
            }
            daemon.kill();
        });
    }
    let _daemon = place.start(&[]);
    let mut client = place.connect();
    for work in &mut works {
        work.check(&mut client);
    }
    let check = Request::Control {
        payload: b"check\0",
    };
    assert_eq!(client.ask(0, check), "OK|");
    // Whatever was written, the journal is short.
    let journal = fs::metadata(place.file("socket.journal")).unwrap();
    assert!(journal.len() < 4 << 20, "{}", journal.len());
}

#[test]
fn limits_permissions_order_and_special_events_outlast_a_crash() {
    let place = Place::new("all");
    let daemon = place.start(&["-E", "77"]);
    let mut client = place.connect();
    let permissions = b"n0\0r0\0";
    for request in [
        write("/z", "1"),
        write("/a", "2"),
        Request::Mkdir { path: "/m" },
        Request::SetPerms {
            path: "/a",
            permissions,
        },
        Request::SetPerms {
            path: "@releaseDomain",
            permissions,
        },
        Request::Control {
            payload: b"quota\0set\0watches\x009\0",
        },
    ] {
        assert_eq!(client.ask(0, request), "OK|");
    }
    daemon.kill();
    let _daemon = place.start(&["-E", "5"]);
    let mut client = place.connect();
    for (request, expected) in [
        (Request::Directory { path: "/" }, "tool|z|a|m|"),
        (Request::GetPerms { path: "/a" }, "n0|r0|"),
        (
            Request::GetPerms {
                path: "@releaseDomain",
            },
            "n0|r0|",
        ),
        (
            Request::GetQuota {
                domain: None,
                quota: "nodes",
            },
            "77|",
        ),
        (
            Request::GetQuota {
                domain: None,
                quota: "watches",
            },
            "9|",
        ),
        // What was open is over.
        (
            Request::TransactionEnd {
                commit: Commit::Yes,
            },
            "ENOENT|",
        ),
    ] {
        assert_eq!(client.ask(0, request), expected);
    }
    assert!(
        place.log().contains(" WARN goes on from "),
        "{}",
        place.log()
    );
}

#[test]
fn a_journal_that_is_of_no_use_is_told_of() {
    let place = Place::new("bad");
    let journal = place.file("socket.journal");
    place.start(&[]).kill();
    let good = fs::read(&journal).unwrap();
    let flipped = |at: usize| {
        let mut bytes = good.clone();
        bytes[at] ^= 4;
        bytes
    };
    for (bytes, said) in [
        (flipped(0), "does not begin as a journal"),
        (flipped(8), "version 5 is not known here"),
        (flipped(20), "header is damaged"),
        (flipped(good.len() - 1), "the state in it is damaged"),
        (
            good[..good.len() - 8].to_vec(),
            "the state in it is damaged",
        ),
        (Vec::new(), "does not begin as a journal"),
    ] {
        fs::write(&journal, &bytes).unwrap();
        let _ = fs::remove_file(place.file("log"));
        place.start(&[]).kill();
        let log = place.log();
        assert!(
            log.contains(said) && log.contains("begins with an empty tree"),
            "{log}"
        );
        assert_eq!(fs::read(place.file("socket.journal.bad")).unwrap(), bytes);
        fs::write(&journal, &bytes).unwrap();
        let _ = fs::remove_file(place.file("socket.journal.bad"));
    }
    fs::remove_file(&journal).unwrap();
    // A change that is not whole, behind one that is. Behind the last is room for more.
    let written = || {
        let bytes = fs::read(&journal).unwrap();
        bytes.iter().rposition(|&byte| byte != 0).unwrap() + 1
    };
    let daemon = place.start(&[]);
    assert_eq!(place.connect().ask(0, write("/first", "1")), "OK|");
    let whole = written().next_multiple_of(8);
    assert_eq!(place.connect().ask(0, write("/second", "2")), "OK|");
    daemon.kill();
    let mut both = fs::read(&journal).unwrap();
    let last = written() - 1;
    both[last] ^= 0x40;
    fs::write(&journal, &both).unwrap();
    let daemon = place.start(&[]);
    let mut client = place.connect();
    assert_eq!(client.ask(0, read("/first")), "1");
    assert_eq!(client.ask(0, read("/second")), "ENOENT|");
    let cut = last + 1 - whole;
    let said = format!("its last {cut} bytes are no whole change");
    assert!(place.log().contains(&said), "{}", place.log());
    daemon.kill();
    // Whoever wants nothing of it gets nothing, and keeps nothing.
    let daemon = place.start(&["-R"]);
    assert_eq!(place.connect().ask(0, read("/first")), "ENOENT|");
    assert!(!fs::exists(&journal).unwrap());
    daemon.kill();
}

#[test]
fn with_domains_a_journal_of_no_use_is_the_end_and_stays() {
    let place = Place::new("hopeless");
    let journal = place.file("socket.journal");
    fs::write(&journal, "no journal").unwrap();
    let ended = Command::new(PROGRAM)
        .args(["-N", "-F", &place.file("pid"), "-T", &place.file("log")])
        .env("XENSTORED_PATH", place.file("socket"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(said.contains("--no-recovery"), "{said}");
    // By this status xenstored.service knows that to start it again would be no use.
    assert_eq!(ended.status.code(), Some(2), "{said}");
    assert_eq!(fs::read_to_string(&journal).unwrap(), "no journal");
}

#[test]
fn a_daemon_that_can_keep_nothing_serves_and_says_so() {
    let place = Place::new("nowhere");
    let daemon = place.start(&["--journal", "/proc/nowhere/journal"]);
    assert_eq!(place.connect().ask(0, write("/a", "1")), "OK|");
    let log = place.log();
    assert!(
        log.contains("/proc/nowhere/journal: ") && log.contains("lost in a crash"),
        "{log}"
    );
    daemon.kill();
}

#[test]
fn nobody_goes_on_from_a_daemon_that_is_there() {
    let place = Place::new("alive");
    let _daemon = place.start(&[]);
    let mut command = place.command(&["-F", &place.file("other")]);
    let second = command.stderr(Stdio::piped()).output().unwrap();
    assert!(!second.status.success());
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(
        said.contains("another xenstored writes this journal"),
        "{said}"
    );
}
