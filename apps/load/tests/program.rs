//! The program against servers of threads.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Output};
use std::time::Duration;

/// A server with one thread, so that it answers one connection at a time. Before the answer number `stall_at` it does nothing for a while.
fn serve(status: &'static str, stall_at: usize) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        let mut count = 0;
        for stream in listener.incoming() {
            let Ok(stream) = stream else { continue };
            answer(&stream, status, &mut count, stall_at);
        }
    });
    format!("http://{address}/x")
}

fn answer(mut stream: &TcpStream, status: &str, count: &mut usize, stall_at: usize) {
    let mut lines = BufReader::new(stream).lines();
    while let Some(Ok(line)) = lines.next() {
        if line.is_empty() {
            *count += 1;
            if *count == stall_at {
                std::thread::sleep(Duration::from_millis(500));
            }
            // In one piece: small ones would wait for each other.
            let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 2\r\n\r\nok");
            if stream.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    }
}

fn load(arguments: &[&str]) -> Output {
    let run = Command::new(env!("CARGO_BIN_EXE_load"))
        .args(arguments)
        .output();
    run.expect("it starts")
}

fn total(output: &Output) -> serde_json::Value {
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().last().expect("a line");
    let total: serde_json::Value = serde_json::from_str(line).expect("JSON");
    assert_eq!(total["kind"], "total");
    total
}

#[test]
fn a_stall_shows_in_all_requests_that_it_delayed() {
    let url = serve("200 OK", 20);
    // A closed loop would have one slow request of a hundred, and a 90th percentile of next to nothing.
    let output = load(&[
        "--rate",
        "100",
        "--over",
        "1s",
        "--connections",
        "1",
        "--json",
        &url,
    ]);
    assert_eq!(output.status.code(), Some(0));
    let total = total(&output);
    assert_eq!((&total["due"], &total["ok"]), (&100.into(), &100.into()));
    let ms = |name: &str| total[name].as_f64().expect("a number");
    assert!(ms("max_ms") >= 490.0 && ms("p90_ms") >= 200.0, "{total}");
}

#[test]
fn errors_have_kinds() {
    let url = serve("404 Not Found", 0);
    let output = load(&[
        "--rate",
        "50",
        "--over",
        "200ms",
        "--connections",
        "1",
        "--json",
        &url,
    ]);
    assert_eq!(
        (output.status.code(), &total(&output)["errors"]["status"]),
        (Some(1), &10.into())
    );
    let refused = TcpListener::bind("127.0.0.1:0")
        .expect("a port")
        .local_addr();
    let url = format!("http://{}/", refused.expect("an address"));
    let arguments = [
        "--rate",
        "50",
        "--over",
        "200ms",
        "--allow-errors",
        "--json",
        &url,
    ];
    let output = load(&arguments);
    assert_eq!(
        (output.status.code(), &total(&output)["errors"]["connect"]),
        (Some(0), &10.into())
    );
}

#[test]
fn bad_usage_is_told() {
    for (arguments, part) in [
        (["--rate=10", "127.0.0.1"], "a URL begins with http://"),
        (["--rate=0", "http://127.0.0.1/"], "no request is ever due"),
        (["--rate=x", "http://127.0.0.1/"], "a rate is a number"),
        (["--step=5", "http://127.0.0.1/"], "a step is RATE:TIME"),
        (
            ["--data=x", "http://127.0.0.1/"],
            "--data needs --method POST",
        ),
    ] {
        let output = load(&arguments);
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.code() == Some(2) && text.contains(part),
            "{text}"
        );
    }
}
