//! The website from the outside: a client asks over TCP, from one stack to another, inside an emulated domain.

use std::rc::Rc;

use embedded_io_async::{Read, Write};
use morgana_assets::Content;
use morgana_emul::{DomainConfig, Hypervisor, Outcome};
use morgana_exec::Handle;
use morgana_hal::{Exit, Platform};
use morgana_http::{Handler as _, Limits, Server};
use morgana_net_device::{Device, MacAddr, PairConfig, pair};
use morgana_net_stack::{
    AddressConfig, ConnectOptions, ListenOptions, Stack, StackConfig, TcpListener, TcpStream,
};
use website::{Logging, Options, PAGES, Site};

fn stack<D: Device + 'static>(device: D, addresses: &str, tasks: &Handle) -> Stack {
    let config = StackConfig {
        addresses: AddressConfig::parse(addresses).unwrap(),
        ..StackConfig::default()
    };
    let (stack, runner) = Stack::new(device, config, &tasks.timers());
    tasks
        .spawn(async move {
            runner.run().await;
        })
        .unwrap();
    stack
}

/// Serves one connection after the other.
async fn serve<P: Platform>(server: Rc<Server<Site<P>>>, stack: Stack, tasks: Handle) {
    let listener = TcpListener::bind(&stack, 80, ListenOptions::default()).unwrap();
    loop {
        let mut stream = listener.accept().await;
        let server = Rc::clone(&server);
        tasks
            .spawn(async move {
                let client = stream.remote_addr().map(|address| address.ip());
                server.serve_from(client, &mut stream).await;
                stream.shutdown();
            })
            .unwrap();
    }
}

/// What the website has sent, and written to its access log.
struct Asked {
    answers: Vec<Vec<u8>>,
    log: Vec<String>,
}

fn ask_for_bytes(requests: &[&'static str]) -> Vec<Vec<u8>> {
    ask_and_log(requests).answers
}

/// All that the website sends in answer to `requests`, which each ask for the connection to close.
fn ask_and_log(requests: &[&'static str]) -> Asked {
    let requests = requests.to_vec();
    let machine = Hypervisor::new();
    let domain = machine.create(DomainConfig::default()).unwrap();
    let (send, answers) = std::sync::mpsc::channel();
    let (lines, log) = std::sync::mpsc::channel();
    let outcome = domain.run(|platform, tasks, _reactor| async move {
        let macs = [MacAddr([2, 0, 0, 0, 0, 1]), MacAddr([2, 0, 0, 0, 0, 2])];
        let (left, right) = pair(macs, PairConfig::default());
        let server = stack(right, "ip=10.0.0.2/24 ip6=off", &tasks);
        let client = stack(left, "ip=10.0.0.1/24 ip6=off", &tasks);
        let options = Options {
            access_log: Logging::On,
            ..Options::default()
        };
        let (timers, limits) = (tasks.timers(), Limits::default());
        let site = Site::server_with(platform, server.clone(), None, timers, limits, options);
        tasks
            .spawn(serve(site.clone(), server, tasks.clone()))
            .unwrap();
        for request in requests {
            let remote = "10.0.0.2:80".parse().unwrap();
            let mut stream = TcpStream::connect(&client, remote, ConnectOptions::default())
                .await
                .unwrap();
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = Vec::new();
            let mut piece = [0; 4096];
            loop {
                match stream.read(&mut piece).await.unwrap() {
                    0 => break,
                    count => answer.extend_from_slice(&piece[..count]),
                }
            }
            send.send(answer).unwrap();
        }
        let log = site.handler().access_log().unwrap();
        let mut line = [0; morgana_http::server::LINE];
        while let Some(length) = log.take(&mut line) {
            lines.send(line[..length].to_vec()).unwrap();
        }
        Exit::Poweroff
    });
    assert_eq!(outcome, Outcome::Exited(Exit::Poweroff));
    machine.assert_clean();
    let text = |line| String::from_utf8(line).unwrap();
    Asked {
        answers: answers.into_iter().collect(),
        log: log.into_iter().map(text).collect(),
    }
}

/// The same where the answers are text.
fn ask(requests: &[&'static str]) -> Vec<String> {
    let answers = ask_for_bytes(requests).into_iter();
    answers
        .map(|answer| String::from_utf8(answer).unwrap())
        .collect()
}

macro_rules! get {
    ($path:literal) => {
        get!($path, "GET", "")
    };
    ($path:literal, $method:literal, $fields:literal) => {
        concat!(
            $method,
            " ",
            $path,
            " HTTP/1.1\r\nHost: test\r\nConnection: close\r\n",
            $fields,
            "\r\n"
        )
    };
}

#[test]
fn pages_come_with_their_type_tag_and_policy() {
    let answers = ask(&[get!("/"), get!("/style.css?v"), get!("/", "HEAD", "")]);
    let front = PAGES.files()[0];
    let (head, body) = answers[0].split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    for field in [
        "Content-Type: text/html; charset=utf-8".to_owned(),
        format!("ETag: \"{}\"", front.etag),
        format!("Content-Length: {}", front.content.len()),
        "Vary: Accept-Encoding".to_owned(),
        "Content-Security-Policy: default-src 'none'".to_owned(),
        "Cache-Control: no-cache".to_owned(),
    ] {
        assert!(head.contains(&field), "{field} is missing in {head}");
    }
    assert_eq!(body.as_bytes(), &*front.content.unpack().unwrap());
    assert!(answers[1].contains("Content-Type: text/css"));
    let (head_of_head, body) = answers[2].split_once("\r\n\r\n").unwrap();
    let without_date = |head: &str| {
        let lines: Vec<&str> = head.lines().filter(|l| !l.starts_with("Date: ")).collect();
        lines.join("\n")
    };
    assert_eq!(without_date(head_of_head), without_date(head));
    assert_eq!(body, "");
}

#[test]
fn a_page_comes_in_the_form_that_the_client_wants() {
    let front = &PAGES.files()[0];
    let Content::Packed(packed) = front.content else {
        panic!("the front page is not packed");
    };
    let brotli = packed.brotli.expect("a long page has a brotli form");
    let answers = ask_for_bytes(&[
        get!("/", "GET", "Accept-Encoding: gzip, deflate, br\r\n"),
        get!("/", "GET", "Accept-Encoding: gzip, br;q=0\r\n"),
        get!("/", "GET", "Accept-Encoding: zstd\r\n"),
        get!("/none", "GET", "Accept-Encoding: br\r\n"),
        get!("/", "GET", "Accept-Encoding: *;q=0\r\n"),
        get!("/", "GET", "Range: bytes=1-4\r\n"),
    ]);
    let plain = front.content.unpack().unwrap();
    for (answer, coding, etag, body) in [
        (&answers[0], Some("br"), brotli.etag, brotli.bytes),
        (
            &answers[1],
            Some("gzip"),
            packed.gzip.etag,
            packed.gzip.bytes,
        ),
        (&answers[2], None, front.etag, &*plain),
    ] {
        let split = answer
            .windows(4)
            .position(|end| end == b"\r\n\r\n")
            .unwrap();
        let head = std::str::from_utf8(&answer[..split]).unwrap();
        let coded = coding.map(|coding| format!("Content-Encoding: {coding}\r\n"));
        assert_eq!(
            coded.is_some_and(|coded| head.contains(&coded)),
            head.contains("Content-Encoding"),
            "{head}"
        );
        assert!(head.contains(&format!("ETag: \"{etag}\"\r\n")), "{head}");
        assert!(head.contains("Vary: Accept-Encoding\r\n"), "{head}");
        assert!(answer[split + 4..] == *body);
    }
    assert!(answers[3].starts_with(b"HTTP/1.1 404 "));
    assert!(answers[4].starts_with(b"HTTP/1.1 406 "));
    assert!(answers[5].starts_with(b"HTTP/1.1 206 ") && answers[5].ends_with(&plain[1..=4]));
}

#[test]
fn a_form_that_the_client_has_is_not_sent_again() {
    let front = &PAGES.files()[0];
    let Content::Packed(packed) = front.content else {
        panic!("the front page is not packed");
    };
    // The tests' requests are fixed texts.
    let asked = |coding: &str, etag: &str| -> &'static str {
        let fields = format!("Accept-Encoding: {coding}\r\nIf-None-Match: \"{etag}\"\r\n");
        let request = format!("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{fields}\r\n");
        Box::leak(request.into_boxed_str())
    };
    let answers = ask_for_bytes(&[
        asked("gzip", packed.gzip.etag),
        asked("gzip", front.etag),
        asked("identity", front.etag),
    ]);
    for (answer, status) in answers.iter().zip([b"304", b"200", b"304"]) {
        assert_eq!(&answer[9..12], status);
    }
}

#[test]
fn each_request_is_a_line_of_the_access_log() {
    let asked = ask_and_log(&[
        get!("/docs/?q=\"", "GET", "User-Agent: a \"b\"\r\n"),
        get!("/none"),
    ]);
    let [_, missing] = &asked.log[..] else {
        panic!("{:?}", asked.log);
    };
    assert!(missing.starts_with("10.0.0.1 - - ["), "{missing}");
    assert!(
        missing.contains("] \"GET /none HTTP/1.1\" 404 "),
        "{missing}"
    );
}

#[test]
fn folders_redirect_and_unknown_paths_are_not_found() {
    let answers = ask(&[
        get!("/docs"),
        get!("/docs/none"),
        get!("/../etc/passwd"),
        get!("/", "DELETE", ""),
    ]);
    assert!(answers[0].starts_with("HTTP/1.1 308 "), "{}", answers[0]);
    assert!(answers[0].contains("\r\nLocation: /docs/\r\n"));
    for answer in &answers[1..3] {
        assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
        assert!(answer.contains("There is no such page"));
    }
    assert!(answers[3].starts_with("HTTP/1.1 405 "), "{}", answers[3]);
    assert!(answers[3].contains("\r\nAllow: GET, HEAD, OPTIONS\r\n"));
}

#[test]
fn a_part_of_a_file_is_served() {
    let answers = ask(&[get!("/robots.txt", "GET", "Range: bytes=0-9\r\n")]);
    assert!(answers[0].starts_with("HTTP/1.1 206 "), "{}", answers[0]);
    assert!(answers[0].ends_with("\r\n\r\nUser-agent"));
}

#[test]
fn metrics_count_what_happened() {
    let answers = ask(&[get!("/"), get!("/none"), get!("/metrics"), get!("/healthz")]);
    let (head, text) = answers[2].split_once("\r\n\r\n").unwrap();
    assert!(head.contains("Content-Type: text/plain; version=0.0.4; charset=utf-8"));
    assert!(head.contains("Cache-Control: no-store"));
    for line in [
        "morgana_http_requests_total 2",
        "morgana_http_responses_total{class=\"2xx\"} 1",
        "morgana_http_responses_total{class=\"4xx\"} 1",
        "morgana_http_connections_total 3",
        "morgana_http_connections_open 1",
        "morgana_tcp_connections_total{opened_by=\"peer\"} 3",
        "morgana_grants_limit 1024",
    ] {
        assert!(
            text.lines().any(|have| have == line),
            "{line} is missing in {text}"
        );
    }
    assert!(answers[3].ends_with("\r\n\r\nok\n"), "{}", answers[3]);
}
