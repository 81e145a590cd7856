//! The website from the outside: a client asks over TCP, from one stack to another, inside an emulated domain.

use std::rc::Rc;

use embedded_io_async::{Read, Write};
use morgana_emul::{DomainConfig, Hypervisor, Outcome};
use morgana_exec::Handle;
use morgana_hal::{Exit, Platform};
use morgana_http::Limits;
use morgana_net_device::{Device, MacAddr, PairConfig, pair};
use morgana_net_stack::{
    AddressConfig, ConnectOptions, ListenOptions, Stack, StackConfig, TcpListener, TcpStream,
};
use website::{PAGES, Site};

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
async fn serve<P: Platform>(platform: P, stack: Stack, tasks: Handle) {
    let listener = TcpListener::bind(&stack, 80, ListenOptions::default()).unwrap();
    let server = Site::server(platform, stack, None, tasks.timers(), Limits::default());
    loop {
        let mut stream = listener.accept().await;
        let server = Rc::clone(&server);
        tasks
            .spawn(async move {
                server.serve(&mut stream).await;
                stream.shutdown();
            })
            .unwrap();
    }
}

/// All that the website sends in answer to `requests`, which each ask for the connection to close.
fn ask(requests: &'static [&'static str]) -> Vec<String> {
    let machine = Hypervisor::new();
    let domain = machine.create(DomainConfig::default()).unwrap();
    let (send, answers) = std::sync::mpsc::channel();
    let outcome = domain.run(|platform, tasks, _reactor| async move {
        let macs = [MacAddr([2, 0, 0, 0, 0, 1]), MacAddr([2, 0, 0, 0, 0, 2])];
        let (left, right) = pair(macs, PairConfig::default());
        let server = stack(right, "ip=10.0.0.2/24 ip6=off", &tasks);
        let client = stack(left, "ip=10.0.0.1/24 ip6=off", &tasks);
        tasks.spawn(serve(platform, server, tasks.clone())).unwrap();
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
            send.send(String::from_utf8(answer).unwrap()).unwrap();
        }
        Exit::Poweroff
    });
    assert_eq!(outcome, Outcome::Exited(Exit::Poweroff));
    machine.assert_clean();
    answers.into_iter().collect()
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
        format!("Content-Length: {}", front.body.len()),
        "Content-Security-Policy: default-src 'none'".to_owned(),
        "Cache-Control: no-cache".to_owned(),
    ] {
        assert!(head.contains(&field), "{field} is missing in {head}");
    }
    assert_eq!(body.as_bytes(), front.body);
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
