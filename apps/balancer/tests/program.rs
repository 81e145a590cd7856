//! The Linux program, with servers of threads behind it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A server that answers every request on a connection of its own with its name, until it is told to end.
struct Web {
    address: SocketAddr,
    over: Arc<AtomicBool>,
}

impl Web {
    fn start(name: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let over = Arc::new(AtomicBool::new(false));
        let ending = over.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if ending.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(mut stream) = stream else { continue };
                let head = BufReader::new(&stream).lines().map_while(Result::ok);
                if head.take_while(|line| !line.is_empty()).count() == 0 {
                    continue;
                }
                let length = name.len();
                let head = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length:";
                // Whoever went away does not want it.
                let _ = stream.write_all(format!("{head} {length}\r\n\r\n{name}").as_bytes());
            }
        });
        Self { address, over }
    }

    /// Its listener is gone when this returns.
    fn end(&self) {
        self.over.store(true, Ordering::SeqCst);
        // The thread looks when somebody comes.
        while TcpStream::connect(self.address).is_ok() {
            std::thread::yield_now();
        }
    }
}

/// The program, which ends with the test.
struct Program {
    child: Child,
    clients: String,
    control: String,
}

impl Program {
    fn start(backends: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_balancer"))
            .args(["--forward", "0:80", "--forward", "0:8080", "--", backends])
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut line = String::new();
        let out = child.stderr.as_mut().expect("a pipe");
        BufReader::new(out).read_line(&mut line).expect("a line");
        let mut addresses = line.split("http://").skip(1);
        let mut next = || {
            let address = addresses.next().and_then(|rest| rest.split('/').next());
            address.expect("an address").to_string()
        };
        Self {
            child,
            clients: next(),
            control: next(),
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already, which the test has seen.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn ask(address: &str, request: &str, content: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("somebody listens");
    let length = content.len();
    let head = format!("{request} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n");
    write!(stream, "{head}Content-Length: {length}\r\n\r\n{content}").expect("it is taken");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

#[test]
fn servers_come_and_die_and_clients_see_nothing_of_it() {
    let (one, two) = (Web::start("one"), Web::start("two"));
    let program = Program::start(&format!("backends=one@{}", one.address));
    // The first one waits until the first check has passed.
    let answer = ask(&program.clients, "GET /", "");
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.ends_with("one"),
        "{answer}"
    );
    assert!(answer.contains("\r\nVia: 1.1 morgana\r\n"), "{answer}");
    let put = format!("{{\"address\":\"{}\"}}", two.address);
    let answer = ask(&program.control, "PUT /backends/two", &put);
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    while !ask(&program.control, "GET /backends/two", "").contains("\"healthy\"") {
        std::thread::yield_now();
    }
    one.end();
    for _ in 0..50 {
        let answer = ask(&program.clients, "GET /", "");
        assert!(answer.ends_with("two"), "{answer}");
    }
    let stats = ask(&program.control, "GET /stats", "");
    assert!(
        stats.contains("\"answered\":51,") && stats.contains("\"bad_gateway\":0,"),
        "{stats}"
    );
    two.end();
}

#[test]
fn bad_usage_is_told() {
    let run = |arguments: &[&str]| {
        let run = Command::new(env!("CARGO_BIN_EXE_balancer"))
            .args(arguments)
            .output();
        let run = run.expect("it starts");
        let text = [run.stdout, run.stderr].concat();
        (
            run.status.code(),
            String::from_utf8_lossy(&text).into_owned(),
        )
    };
    let (code, help) = run(&["--help"]);
    assert!(code == Some(0) && help.contains("backends=LIST"), "{help}");
    for (arguments, part) in [
        (["--forward", "x"], "--forward wants HOST:PORT"),
        (["backends=x", "port=1"], "backends=x is not a valid value"),
        (["word", "port=1"], "word: neither an option"),
        (["listen=192.0.2.1", "port=0"], "cannot listen at 192.0.2.1"),
    ] {
        let (code, text) = run(&arguments);
        assert!(
            code == Some(1) && text.contains(part),
            "{arguments:?}: {text}"
        );
        assert_eq!(text.lines().count(), 1, "{text}");
    }
}
