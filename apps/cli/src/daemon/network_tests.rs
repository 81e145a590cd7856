//! Requests over TCP, as a client sends them.

use std::fs::{self, Permissions};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::thread;

use morgana_exec::{Either, select};
use serde_json::json;

use super::*;
use crate::daemon::scratch::Scratch;

const TOKEN: &str = "0123456789abcdef";

/// Tells what it is asked for, and has no memory for a domain called large.
struct Echo;

impl Asked for Echo {
    async fn act(&self, request: Request, names: Names<'_>) -> Result<Value, Problem> {
        match request {
            Request::Create { name, .. } if name.as_deref() == Some("large") => {
                Err(Problem::new(Kind::OutOfMemory, "no"))
            }
            Request::Create { config, .. } => Ok(json!({ "config": names.tell(&config) })),
            _ => Ok(Value::Null),
        }
    }
}

/// What is answered to these requests, each on a connection of its own.
fn answers(requests: Vec<String>) -> Vec<String> {
    let scratch = Scratch::new();
    let (token, guests) = (scratch.path().join("token"), scratch.path().join("guests"));
    fs::write(&token, TOKEN).unwrap();
    fs::set_permissions(&token, Permissions::from_mode(0o600)).unwrap();
    fs::create_dir(&guests).unwrap();
    fs::write(guests.join("web.cfg"), "").unwrap();
    let wanted = cli::Network {
        listen: Some("127.0.0.1:0".parse().unwrap()),
        token_file: Some(token),
        guests: Some(guests),
    };
    let (asked, done) = std::os::unix::net::UnixStream::pair().unwrap();
    morgana_sockets::run(|host| async move {
        let listening = Network::listen(&wanted, host.tasks(), host.reactor());
        let network = listening.unwrap().unwrap();
        let address = network.address().unwrap();
        let client = thread::spawn(move || {
            let told = requests.iter().map(|request| exchange(address, request));
            let told = told.collect();
            drop(done);
            told
        });
        asked.set_nonblocking(true).unwrap();
        let asked = host.reactor().register(asked).unwrap();
        let all = std::future::poll_fn(|cx| {
            asked.poll_io(morgana_linux::Direction::Read, cx, |mut end| {
                end.read(&mut [0])
            })
        });
        match select(network.accept(Echo), all).await {
            Either::First(()) => unreachable!("it goes on for ever"),
            Either::Second(_) => client.join().unwrap(),
        }
    })
    .unwrap()
}

fn exchange(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    // The server may refuse before it has read all.
    let _ = stream.write_all(request.as_bytes());
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn post(token: &str, body: &str) -> String {
    format!(
        "POST /ask HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: Bearer {token}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
}

#[test]
fn a_request_is_a_post_with_the_token() {
    let create = |config: &str, name: &str| {
        let request = json!({ "do": "create", "config": config, "name": name });
        post(TOKEN, &request.to_string())
    };
    let cases = [
        (get("/healthz"), "200", "ok\n"),
        (get("/"), "404", ""),
        (get("/ask"), "405", ""),
        (post(TOKEN, r#"{"do":"list"}"#), "200", r#"{"ok":null}"#),
        (
            post("0123456789abcdeg", r#"{"do":"list"}"#),
            "401",
            r#""kind":"unauthorized"}"#,
        ),
        (
            post("", &"x".repeat(100)),
            "401",
            r#""kind":"unauthorized"}"#,
        ),
        (
            create("web.cfg", "web"),
            "200",
            r#"{"ok":{"config":"web.cfg"}}"#,
        ),
        (
            create("/etc/passwd", "web"),
            "400",
            r#""kind":"bad-request"}"#,
        ),
        (create("../token", "web"), "400", r#""kind":"bad-request"}"#),
        (create("none.cfg", "web"), "422", r#""kind":"config"}"#),
        (
            create("web.cfg", "large"),
            "503",
            r#"{"error":"no","kind":"out-of-memory"}"#,
        ),
        (post(TOKEN, "nonsense"), "400", r#""kind":"bad-request"}"#),
        (
            post(TOKEN, &"[".repeat(60_000)),
            "400",
            r#""kind":"bad-request"}"#,
        ),
        (post(TOKEN, &" ".repeat(LONGEST + 1)), "413", ""),
    ];
    let told = answers(cases.iter().map(|(request, ..)| request.clone()).collect());
    for ((request, status, end), told) in cases.iter().zip(&told) {
        let is_right = told.starts_with(&format!("HTTP/1.1 {status} ")) && told.ends_with(end);
        assert!(is_right, "{request}\n{told}");
    }
    let with = |text: &str| told.iter().filter(|told| told.contains(text)).count();
    assert_eq!(with("\r\nRetry-After: 5\r\n"), 1);
    assert_eq!(with("\r\nWWW-Authenticate: Bearer\r\n"), 2);
    assert!(!told.concat().contains("/guests"), "{told:?}");
}
