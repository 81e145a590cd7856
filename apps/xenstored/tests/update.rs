//! Live update of the program itself, without Xen: it is replaced by itself again and again while clients are at work, and nobody loses
//! anything.

mod support;

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

use morgana_xenstore_wire::{Commit, Operation, Request};
use rustix::process::{Pid, Signal, kill_process};

use support::{Client, read, write};

const PROGRAM: &str = env!("CARGO_BIN_EXE_xenstored");

/// How often the program is replaced.
const UPDATES: u32 = 100;

/// A folder of its own, and the daemon that was started in it; both go when the value is dropped.
struct Place(PathBuf);

impl Place {
    fn start(name: &str) -> Self {
        let folder = format!("xenstored-{name}-{}", std::process::id());
        let place = Self(std::env::temp_dir().join(folder));
        fs::create_dir_all(&place.0).unwrap();
        let (pid, log) = (place.file("pid"), place.file("log"));
        let arguments = ["--no-domain-init", "-V", "-F", &pid, "-T", &log];
        let started = place.run(&arguments);
        assert!(started.status.success(), "{started:?}");
        place
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(PROGRAM);
        command
            .args(arguments)
            .env("XENSTORED_PATH", self.file("socket"));
        command.output().unwrap()
    }

    fn pid(&self) -> String {
        fs::read_to_string(self.file("pid")).unwrap()
    }

    fn log(&self) -> String {
        fs::read_to_string(self.file("log")).unwrap()
    }

    fn connect(&self) -> Client {
        Client::connect(self.file("socket"))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(pid) = Pid::from_raw(self.pid().trim().parse().unwrap_or(0)) {
            let _ = kill_process(pid, Signal::TERM);
        }
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Client {
    fn update(&mut self, program: &str, command_line: Option<&str>) -> String {
        let mut steps = vec![format!("live-update\0-f\0{program}\0")];
        steps.extend(command_line.map(|line| format!("live-update\0-c\0{line}\0")));
        for step in &steps {
            let payload = step.as_bytes();
            let said = self.ask(0, Request::Control { payload });
            if said != "OK|" {
                return said;
            }
        }
        let payload = b"live-update\0-s\0-t\x0060\0-F\0";
        let said = self.ask(0, Request::Control { payload });
        if said != "OK|" {
            let abort = b"live-update\0-a\0";
            self.ask(0, Request::Control { payload: abort });
        }
        said
    }

    fn start(&mut self) -> u32 {
        let id = self.ask(0, Request::TransactionStart);
        id.trim_end_matches('|').parse().unwrap()
    }
}

fn watch(path: &str) -> Request<'_> {
    Request::Watch {
        path,
        token: "token",
        depth: None,
    }
}

const COMMIT: Request<'static> = Request::TransactionEnd {
    commit: Commit::Yes,
};

#[test]
fn what_is_under_way_goes_on() {
    let place = Place::start("goes-on");
    let pid = place.pid();
    let [mut toolstack, mut open, mut lost, mut half, mut slow] = [(); 5].map(|()| place.connect());
    for name in ["z", "a", "m"] {
        let path = format!("/order/{name}");
        assert_eq!(toolstack.ask(0, write(&path, name)), "OK|");
    }
    assert_eq!(open.ask(0, watch("/watched")), "OK|");
    let (first, second) = (open.start(), lost.start());
    assert_eq!(open.ask(first, write("/open/node", "1")), "OK|");
    assert_eq!(lost.ask(second, read("/order/z")), "z");
    assert_eq!(lost.ask(second, write("/lost/node", "1")), "OK|");
    assert_eq!(toolstack.ask(0, write("/order/z", "changed")), "OK|");
    // Half a request is sent before the update, half after it.
    let request = half.bytes(0, write("/half/node", "whole"));
    half.stream.write_all(&request[..20]).unwrap();
    // So many replies that neither the socket nor the daemon can hold them all.
    let long = "x".repeat(2000);
    assert_eq!(slow.ask(0, write("/long", &long)), "OK|");
    let mut asking = slow.stream.try_clone().unwrap();
    let ask: Vec<u8> = (0..2000)
        .flat_map(|_| slow.bytes(0, read("/long")))
        .collect();
    let asking = thread::spawn(move || asking.write_all(&ask).unwrap());
    for _ in 0..3 {
        assert_eq!(toolstack.update(PROGRAM, None), "OK|");
    }
    assert_eq!(place.pid(), pid);
    half.stream.write_all(&request[20..]).unwrap();
    assert_eq!(half.answer().unwrap(), "OK|");
    for _ in 0..2000 {
        assert_eq!(slow.answer().unwrap(), long);
    }
    asking.join().unwrap();
    assert_eq!(toolstack.ask(0, read("/half/node")), "whole");
    assert_eq!(
        toolstack.ask(0, Request::Directory { path: "/order" }),
        "z|a|m|"
    );
    assert_eq!(toolstack.ask(0, read("/open/node")), "ENOENT|");
    assert_eq!(open.ask(first, write("/watched/node", "2")), "OK|");
    assert_eq!(open.ask(first, COMMIT), "OK|");
    assert_eq!(toolstack.ask(0, read("/open/node")), "1");
    assert_eq!(lost.ask(second, COMMIT), "EAGAIN|");
    assert_eq!(open.ask(0, read("/lost/node")), "ENOENT|");
    assert_eq!(open.events, ["/watched|token|", "/watched/node|token|"]);
    // The lock of the pid file is still held.
    let again = place.run(&["-D", "-F", &place.file("pid")]);
    assert!(!again.status.success());
    let check = Request::Control {
        payload: b"check\0",
    };
    assert_eq!(toolstack.ask(0, check), "OK|");
}

#[test]
fn a_program_that_cannot_take_over_does_not() {
    let place = Place::start("refused");
    let mut client = place.connect();
    assert_eq!(client.ask(0, write("/kept", "1")), "OK|");
    let text = place.file("text");
    fs::write(&text, "no program").unwrap();
    let said = |program: &str| place.connect().update(program, None);
    assert_eq!(said("/no/such/program"), "File not accessible.|");
    assert_eq!(said(&text), "File not executable.|");
    fs::set_permissions(&text, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    assert!(said(&text).starts_with("The program cannot be run: "));
    assert_eq!(
        said("/bin/true"),
        "The program is no xenstored that could take over.|"
    );
    let refused = place.connect().update(PROGRAM, Some("--frob"));
    assert!(refused.contains("--frob is no option"), "{refused}");
    // Steps out of turn.
    let mut other = place.connect();
    for (step, expected) in [
        (&b"live-update\0-s\0"[..], "Not in live-update session.|"),
        (b"live-update\0-c\0-E 7\0", "Not in live-update session.|"),
        (b"live-update\0-a\0", "No live-update session active.|"),
        (b"live-update\0-x\0", "EINVAL|"),
        (b"live-update\0-f\0/bin/true\0", "OK|"),
        (
            b"live-update\0-f\0/bin/true\0",
            "live-update session already active.|",
        ),
        (
            b"live-update\0-s\0-v\x009\0",
            "Migration stream version not supported.|",
        ),
        (b"live-update\0-a\0", "OK|"),
    ] {
        assert_eq!(other.ask(0, Request::Control { payload: step }), expected);
    }
    assert_eq!(client.ask(0, read("/kept")), "1");
    assert!(place.log().contains("no live update to /bin/true"));
    // After all that it still can be.
    assert_eq!(client.update(PROGRAM, Some("-D -N -E 7")), "OK|");
    assert_eq!(client.ask(0, read("/kept")), "1");
    // A journal that is not written any longer goes: no later daemon must go on from there.
    assert!(fs::exists(place.file("socket.journal")).unwrap());
    let elsewhere = place.file("elsewhere");
    let line = format!("-D -N --journal {elsewhere}");
    assert_eq!(client.update(PROGRAM, Some(&line)), "OK|");
    assert_eq!(client.ask(0, read("/kept")), "1");
    assert!(!fs::exists(place.file("socket.journal")).unwrap());
    assert!(fs::exists(&elsewhere).unwrap());
    assert_eq!(client.update(PROGRAM, Some("-D -N -R")), "OK|");
    assert_eq!(client.ask(0, read("/kept")), "1");
    assert!(!fs::exists(&elsewhere).unwrap());
}

/// Counts up a node of its own in transactions, with a watch on it, until it is told to stop.
fn work(place: &Place, number: usize, stop: &AtomicBool, done: &AtomicU32) {
    let mut client = place.connect();
    let path = format!("/load/{number}/count");
    assert_eq!(client.ask(0, write(&path, "0")), "OK|");
    assert_eq!(client.ask(0, watch(&path)), "OK|");
    let mut count = 0;
    while !stop.load(Ordering::Relaxed) {
        let id = client.start();
        assert_eq!(client.ask(id, read(&path)), count.to_string());
        count += 1;
        assert_eq!(client.ask(id, write(&path, &count.to_string())), "OK|");
        assert_eq!(client.ask(id, COMMIT), "OK|");
        done.fetch_add(1, Ordering::Relaxed);
    }
    // An event for the watch, and one for each commit.
    while client.events.len() < count + 1 {
        let (header, text) = client.packet().unwrap();
        assert_eq!(header.operation(), Some(Operation::WatchEvent));
        client.events.push(text);
    }
    assert_eq!(client.ask(0, read(&path)), count.to_string());
    assert_eq!(client.events.len(), count + 1);
}

#[test]
fn a_hundred_updates_under_load_lose_nothing() {
    let place = Place::start("load");
    let stop = Arc::new(AtomicBool::new(false));
    let done = Arc::new(AtomicU32::new(0));
    thread::scope(|scope| {
        for number in 0..4 {
            let (place, stop, done) = (&place, stop.clone(), done.clone());
            scope.spawn(move || work(place, number, &stop, &done));
        }
        let mut toolstack = place.connect();
        for _ in 0..UPDATES {
            // Some work is done between any two of them.
            let before = done.load(Ordering::Relaxed);
            while done.load(Ordering::Relaxed) < before + 4 {
                thread::yield_now();
            }
            assert_eq!(toolstack.update(PROGRAM, None), "OK|");
        }
        stop.store(true, Ordering::Relaxed);
    });
    let updates = place.log().matches(" INFO live update to ").count();
    assert_eq!(updates, UPDATES as usize);
}
