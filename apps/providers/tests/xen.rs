//! This host's Xen, by a daemon that the tests play.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use morgana_providers::{Cause, Error, Family, Launch, MachineId, Provider, State, Unable, Xen};
use serde_json::{Value, json};

/// A folder that goes with its test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("morgana-providers-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).expect("a folder can be made");
        Self(path)
    }

    fn socket(&self) -> PathBuf {
        self.0.join("socket")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Answers each line that `connections` clients send, one client after the other.
fn daemon(
    socket: &Path,
    connections: usize,
    mut answer: impl FnMut(&Value) -> Vec<u8> + Send + 'static,
) -> JoinHandle<()> {
    let listener = UnixListener::bind(socket).expect("a socket can be made");
    thread::spawn(move || {
        for _ in 0..connections {
            let (mut stream, _) = listener.accept().expect("a client comes");
            let lines = BufReader::new(stream.try_clone().expect("a second handle"));
            for line in lines.lines() {
                let Ok(line) = line else { break };
                let request = serde_json::from_str(&line).expect("a request is JSON");
                let answer = answer(&request);
                if answer.is_empty() || stream.write_all(&answer).is_err() {
                    break;
                }
            }
        }
    })
}

fn line(answer: &Value) -> Vec<u8> {
    format!("{answer}\n").into_bytes()
}

fn figures(id: u16, name: &str, state: &str) -> Value {
    json!({ "id": id, "name": name, "state": state, "vcpus": 1, "memory_kib": 16_384, "cpu_ns": 5 })
}

fn launch() -> Launch {
    Launch {
        configuration: Some("/guests/hello.cfg".into()),
        name: Some("hello-1".to_owned()),
        extra: "a b".to_owned(),
        ..Launch::default()
    }
}

#[test]
fn a_domain_lives_and_ends() {
    let folder = Folder::new();
    let mut state = None;
    let served = daemon(&folder.socket(), 1, move |request| {
        let all = |state: Option<&str>| {
            let mut all = vec![figures(0, "Domain-0", "running")];
            all.extend(state.map(|state| figures(9, "hello-1", state)));
            json!({ "ok": all })
        };
        line(&match request["do"].as_str().expect("something to do") {
            "create" => {
                let wanted = json!({ "do": "create", "config": "/guests/hello.cfg", "name": "hello-1", "extra": "a b" });
                assert_eq!(request, &wanted);
                state = Some("blocked");
                json!({ "ok": { "domain": 9 } })
            }
            "list" => all(state),
            "stats" if request["domain"] == "9" && state.is_some() => {
                json!({ "ok": [figures(9, "hello-1", state.unwrap())] })
            }
            "pause" => {
                state = Some("paused");
                json!({ "ok": null })
            }
            "unpause" | "shutdown" => {
                state = Some("off");
                json!({ "ok": null })
            }
            "destroy" if state.take().is_some() => json!({ "ok": null }),
            _ => json!({ "error": "9: there is no such domain", "kind": "no-such-domain" }),
        })
    });
    let mut xen = Xen::new(folder.socket());
    let made = xen.create(&launch()).unwrap();
    assert_eq!((made.id.as_str(), made.name.as_str()), ("9", "hello-1"));
    assert_eq!(xen.list().unwrap(), std::slice::from_ref(&made));
    assert_eq!(xen.find("hello-1").unwrap(), made);
    xen.pause(&made.id).unwrap();
    assert_eq!(xen.stats(&made.id).unwrap().machine.state, State::Paused);
    xen.unpause(&made.id).unwrap();
    xen.shutdown(&made.id).unwrap();
    assert_eq!(xen.find("hello-1").unwrap().state, State::Off);
    xen.destroy(&made.id).unwrap();
    let gone = xen.destroy(&made.id).unwrap_err();
    assert_eq!(gone.cause, Cause::Unknown);
    assert_eq!(gone.to_string(), "xen: 9: there is no such machine");
    assert_eq!(xen.find("hello-1").unwrap_err().cause, Cause::Unknown);
    drop(xen);
    served.join().unwrap();
}

#[test]
fn what_the_daemon_refuses_is_told_in_its_words() {
    let folder = Folder::new();
    let served = daemon(&folder.socket(), 1, |request| {
        line(&match request["name"].as_str() {
            Some("hello-1") => {
                json!({ "error": "a domain of this name exists: number 4\u{1b}[31m", "kind": "name-in-use" })
            }
            _ => {
                json!({ "error": "/guests/hello.cfg: line 3: colour: the key is not known", "kind": "config" })
            }
        })
    });
    let mut xen = Xen::new(folder.socket());
    let error = xen.create(&launch()).unwrap_err();
    assert_eq!(error.family(), Family::Refused);
    assert_eq!(
        error.to_string(),
        "xen: hello-1: refused: a domain of this name exists: number 4?[31m"
    );
    let error = xen
        .create(&Launch {
            name: None,
            ..launch()
        })
        .unwrap_err();
    assert_eq!(error.family(), Family::BadInput);
    assert_eq!(
        error.to_string(),
        "xen: /guests/hello.cfg: line 3: colour: the key is not known"
    );
    drop(xen);
    served.join().unwrap();
}

#[test]
fn what_makes_no_sense_is_not_even_asked() {
    let mut xen = Xen::new("/nowhere");
    let wrong = |change: &dyn Fn(&mut Launch)| {
        let mut launch = launch();
        change(&mut launch);
        launch
    };
    for (launch, unable) in [
        (
            wrong(&|l| l.kept_image = Some("ami-1".into())),
            Unable::KeptImage,
        ),
        (wrong(&|l| l.kind = Some("t3.nano".into())), Unable::Kind),
        (wrong(&|l| l.memory_mib = Some(16)), Unable::Memory),
    ] {
        assert_eq!(
            xen.create(&launch).unwrap_err().cause,
            Cause::Unable(unable)
        );
    }
    for launch in [
        wrong(&|l| l.configuration = None),
        wrong(&|l| l.configuration = Some(PathBuf::new())),
        wrong(&|l| l.name = Some("7".into())),
        wrong(&|l| l.name = Some("a/b".into())),
        wrong(&|l| l.name = Some(String::new())),
        wrong(&|l| l.extra = "a\nb".into()),
        wrong(&|l| l.extra = "a".repeat(70_000)),
    ] {
        assert!(
            matches!(xen.create(&launch).unwrap_err().cause, Cause::Wrong(_)),
            "{launch:?}"
        );
    }
    let console = xen.console(&MachineId::new("7")).unwrap_err();
    assert_eq!(console.cause, Cause::Unable(Unable::Console));
}

#[test]
fn nonsense_is_no_answer_and_costs_the_connection() {
    let nonsense: Vec<Vec<u8>> = vec![
        b"\n".to_vec(),
        b"{}\n".to_vec(),
        b"[]\n".to_vec(),
        b"\xff\xfe\n".to_vec(),
        b"{\"ok\":7}\n".to_vec(),
        b"{\"ok\":[{\"id\":1}]}\n".to_vec(),
        line(&json!({ "ok": [figures(3, "a", "dancing")] })),
        b"{\"ok\":[]}\n{\"ok\":[]}\n".to_vec(),
        vec![b'['; 20 << 20],
        [vec![b'['; 1 << 20], b"\n".to_vec()].concat(),
        // The end.
        Vec::new(),
    ];
    for answer in nonsense {
        let folder = Folder::new();
        let shown = String::from_utf8_lossy(&answer[..answer.len().min(40)]).into_owned();
        let served = daemon(&folder.socket(), 1, move |_| answer.clone());
        let mut xen = Xen::new(folder.socket());
        let error = xen.list().unwrap_err();
        assert_eq!(error.family(), Family::Lost, "{shown}: {error}");
        drop(xen);
        served.join().unwrap();
    }
}

#[test]
fn a_daemon_that_was_started_anew_is_found() {
    let folder = Folder::new();
    let answers = |_: &Value| line(&json!({ "ok": [figures(3, "a", "running")] }));
    let mut xen = Xen::new(folder.socket());
    let lost = xen.list().unwrap_err();
    assert_eq!(lost.family(), Family::Lost);
    assert!(
        lost.to_string().contains("is `morgana daemon` running?"),
        "{lost}"
    );
    for _ in 0..2 {
        let mut asked = 0;
        let served = daemon(&folder.socket(), 1, move |request| {
            asked += 1;
            // It ends at the second request, and the client must ask anew.
            if asked == 1 {
                answers(request)
            } else {
                Vec::new()
            }
        });
        assert_eq!(xen.list().unwrap()[0].name, "a");
        assert_eq!(xen.list().unwrap_err().family(), Family::Lost);
        served.join().unwrap();
        fs::remove_file(folder.socket()).unwrap();
    }
}

#[test]
fn a_connection_that_was_closed_meanwhile_is_made_anew() {
    let folder = Folder::new();
    let listener = UnixListener::bind(folder.socket()).unwrap();
    let served = thread::spawn(move || {
        for _ in 0..2 {
            let (mut stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            reader.read_line(&mut String::new()).unwrap();
            stream.write_all(b"{\"ok\":[]}\n").unwrap();
        }
    });
    let mut xen = Xen::new(folder.socket());
    assert_eq!(xen.list(), Ok(Vec::new()));
    // The second listing must not be lost with a connection that the daemon has closed.
    loop {
        match xen.list() {
            Ok(all) => break assert!(all.is_empty()),
            // The daemon had not closed it yet when the request was written.
            Err(error) => assert_eq!(error.family(), Family::Lost),
        }
    }
    served.join().unwrap();
}

#[test]
fn silence_is_late() {
    let folder = Folder::new();
    let patience = Duration::from_millis(50);
    // It accepts nobody, and then nobody more: both are silence.
    let listener = UnixListener::bind(folder.socket()).unwrap();
    let mut xen = Xen::new(folder.socket()).with_patience(patience);
    let late = |error: Error| {
        assert_eq!(error.cause, Cause::Late(patience));
        assert_eq!(error.machine, "7");
    };
    late(xen.stats(&MachineId::new("7")).unwrap_err());
    rustix_backlog_of_one(&listener);
    let _waiting: Vec<UnixStream> = fill(&folder.socket());
    late(xen.stats(&MachineId::new("7")).unwrap_err());
}

/// Has no more than one client wait to be accepted.
fn rustix_backlog_of_one(listener: &UnixListener) {
    rustix::net::listen(listener, 0).unwrap();
}

/// Clients that wait to be accepted, until there is no place for another.
fn fill(socket: &Path) -> Vec<UnixStream> {
    use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
    let mut waiting = Vec::new();
    loop {
        let flags = SocketFlags::NONBLOCK;
        let client =
            rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None).unwrap();
        match rustix::net::connect(&client, &SocketAddrUnix::new(socket).unwrap()) {
            Ok(()) => waiting.push(UnixStream::from(client)),
            Err(error) => {
                assert_eq!(error, rustix::io::Errno::AGAIN);
                return waiting;
            }
        }
    }
}

#[test]
fn a_console_is_the_end_of_its_log() {
    let folder = Folder::new();
    let served = daemon(&folder.socket(), 1, |request| {
        let name = match request["domain"].as_str() {
            Some("1") => "hello",
            Some("2") => "quiet",
            _ => "../escape",
        };
        line(&json!({ "ok": [figures(1, name, "running")] }))
    });
    let mut text = vec![b'x'; 300 << 10];
    text.extend_from_slice(b"the end");
    fs::write(folder.0.join("guest-hello.log"), &text).unwrap();
    let mut xen = Xen::new(folder.socket()).with_consoles(&folder.0);
    let shown = xen.console(&MachineId::new("1")).unwrap();
    assert_eq!(
        shown,
        &text[text.len() - morgana_providers::CONSOLE_BYTES..]
    );
    assert_eq!(xen.console(&MachineId::new("2")), Ok(Vec::new()));
    let escape = xen.console(&MachineId::new("3")).unwrap_err();
    assert_eq!(escape.family(), Family::Lost);
    drop(xen);
    served.join().unwrap();
}
