//! Clients of others, and our server.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use embedded_io_async::{Read as _, Write as _};
use morgana_peer_programs::Process;
use morgana_tls::{AcceptError, Certificates, TlsError};
use morgana_tls_peers::{ED25519, Ours, Printed, Programs, identity, page};

/// Runs a client that says this, and then nothing more.
fn talk(command: &mut Command, says: &str) -> Printed {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // A client that is refused does not read it.
    let _ = stdin.write_all(says.as_bytes());
    drop(stdin);
    child.wait_with_output().unwrap().into()
}

/// A request after whose answer the server closes. `s_client` reads on behind the end of its input (`-ign_eof`).
const REQUEST: &str = "GET /100 HTTP/1.0\r\n\r\n";

fn has(printed: &Printed, text: &str) -> bool {
    printed.text.contains(text)
}

#[test]
fn openssl_speaks_both_versions_with_every_key() {
    let programs = Programs::find();
    let cases = [
        ("-tls1_3", "TLSv1.3"),
        ("-tls1_2", "TLSv1.2"),
        ("", "TLSv1.3"),
    ];
    let names = [
        ("example.test", "id-ecPublicKey"),
        ("ed.test", "ED25519"),
        ("rsa.test", "rsaEncryption"),
    ];
    let count = cases.len() * names.len();
    let ours = Ours::run(async move |ours| {
        let ends = ours.serve_next(count).await;
        (ends, ours.acceptor.stats())
    });
    let ours = ours.unwrap();
    for (words, version) in cases {
        for (name, key) in names {
            let words = format!("-ign_eof {words} -alpn http/1.1");
            let printed = talk(&mut programs.s_client(ours.port, name, &words), REQUEST);
            assert_eq!(printed.status, Some(0), "{name} {words}: {}", printed.text);
            let page = String::from_utf8(page(100)).unwrap();
            for expected in [
                &format!("New, {version}, Cipher is"),
                &format!("a:PKEY: {key},"),
                "Verify return code: 0 (ok)",
                "ALPN protocol: http/1.1",
                &page,
            ] {
                assert!(has(&printed, expected), "{expected}: {}", printed.text);
            }
        }
    }
    let (ends, stats) = ours.join();
    assert!(ends.iter().all(Option::is_none), "{ends:?}");
    assert_eq!((stats.handshakes, stats.resumed), (count as u64, 0));
}

#[test]
fn curl_fetches_pages_of_any_size() {
    let programs = Programs::find();
    let cases = [
        ("--tlsv1.3", 0),
        ("--tls-max 1.2", 1),
        ("", 100_000),
        ("--tls-max 1.2", 3_000_000),
        ("--tlsv1.3", 3_000_000),
    ];
    let ours = Ours::run(async move |ours| ours.serve_next(cases.len()).await).unwrap();
    for (words, bytes) in cases {
        let mut curl = programs.curl(ours.port, "example.test", &format!("/{bytes}"), words);
        let output = curl.output().unwrap();
        assert!(output.status.success(), "{words}: {output:?}");
        assert!(output.stdout == page(bytes), "{words} {bytes}");
    }
    assert_eq!(ours.join(), vec![None; cases.len()]);
}

#[test]
fn clients_leave_whom_they_do_not_trust() {
    const NOT_VERIFIED: Option<i32> = Some(60);
    let programs = Programs::find();
    let ours = Ours::run(async move |ours| ours.serve_next(3).await).unwrap();
    // Everybody else gets the certificate for `example.test`.
    let other = talk(&mut programs.curl(ours.port, "other.test", "/1", ""), "");
    assert_eq!(other.status, NOT_VERIFIED, "{}", other.text);
    let mut stranger = programs.curl(ours.port, "example.test", "/1", "");
    let ed = programs.path("ed25519.cert.pem");
    let stranger = talk(stranger.arg("--cacert").arg(ed), "");
    assert_eq!(stranger.status, NOT_VERIFIED, "{}", stranger.text);
    let good = talk(&mut programs.curl(ours.port, "example.test", "/1", ""), "");
    assert_eq!((good.status, &*good.text), (Some(0), "a"));
    let ends = ours.join();
    let told = |end: &Option<_>| matches!(end, Some(AcceptError::Tls(TlsError::Protocol(_))));
    // In TLS 1.3 our handshake may have ended when the client's alert comes.
    assert!(
        ends[..2].iter().all(|end| end.is_none() || told(end)),
        "{ends:?}"
    );
    assert_eq!(ends[2], None);
}

#[test]
fn old_versions_are_refused_by_an_alert() {
    let programs = Programs::find();
    let ours = Ours::run(async move |ours| ours.serve_next(4).await).unwrap();
    for words in ["-tls1_1", "-tls1"] {
        let words = format!("{words} -cipher DEFAULT@SECLEVEL=0");
        let printed = talk(
            &mut programs.s_client(ours.port, "example.test", &words),
            "",
        );
        assert_eq!(printed.status, Some(1), "{}", printed.text);
        assert!(
            has(&printed, "alert protocol version") || has(&printed, "alert handshake failure"),
            "{}",
            printed.text
        );
    }
    let words = "--tls-max 1.1 --ciphers DEFAULT@SECLEVEL=0";
    let printed = talk(
        &mut programs.curl(ours.port, "example.test", "/1", words),
        "",
    );
    // CURLE_SSL_CONNECT_ERROR
    assert_eq!(printed.status, Some(35), "{}", printed.text);
    let good = talk(&mut programs.curl(ours.port, "example.test", "/1", ""), "");
    assert_eq!(good.status, Some(0), "{}", good.text);
    let ends = ours.join();
    assert!(ends[..3].iter().all(Option::is_some), "{ends:?}");
    assert_eq!(ends[3], None);
}

#[test]
fn garbage_gets_an_alert_and_nobody_else_suffers() {
    let programs = Programs::find();
    let garbage: [&[u8]; 5] = [
        b"GET / HTTP/1.1\r\nHost: example.test\r\n\r\n",
        &[0; 64],
        // A record of a handshake that has none in it.
        &[22, 3, 1, 0, 4, 0xff, 0xff, 0xff, 0xff],
        // One that is longer than any may be.
        &[22, 3, 1, 0xff, 0xff, 1, 2, 3],
        // A message whose length lies.
        &[22, 3, 1, 0, 5, 1, 0, 0, 1, 0],
    ];
    let ours = Ours::run(async move |ours| ours.serve_next(garbage.len() + 2).await).unwrap();
    let mut alerts = 0;
    for bytes in garbage {
        let mut stream = TcpStream::connect(("127.0.0.1", ours.port)).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        stream.write_all(bytes).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        // The server may have closed with some of it unread.
        let _ = stream.read_to_end(&mut answer);
        // A fatal alert (RFC 8446, section 6).
        let is_alert = answer.len() == 7 && answer[0] == 21 && answer[5] == 2;
        alerts += usize::from(is_alert);
        assert!(is_alert || answer.is_empty(), "{bytes:?}: {answer:?}");
    }
    // One of them is no whole message yet when it ends.
    assert!(alerts + 1 >= garbage.len(), "{alerts}");
    // Somebody who says nothing and goes.
    drop(TcpStream::connect(("127.0.0.1", ours.port)).unwrap());
    let good = talk(&mut programs.curl(ours.port, "example.test", "/1", ""), "");
    assert_eq!((good.status, &*good.text), (Some(0), "a"));
    let ends = ours.join();
    let (last, bad) = ends.split_last().unwrap();
    assert_eq!(*last, None);
    assert!(bad.iter().all(Option::is_some), "{bad:?}");
}

#[test]
fn sessions_are_taken_up_again() {
    let programs = Programs::find();
    let ours = Ours::run(async move |ours| {
        ours.serve_next(4).await;
        ours.acceptor.stats()
    });
    let ours = ours.unwrap();
    for version in ["-tls1_3", "-tls1_2"] {
        let session = programs.path("session");
        let file = session.display();
        for (way, kind) in [("-sess_out", "New, "), ("-sess_in", "Reused, ")] {
            let words = format!("-ign_eof {version} {way} {file}");
            let mut client = programs.s_client(ours.port, "example.test", &words);
            let printed = talk(&mut client, REQUEST);
            assert!(has(&printed, kind), "{version} {way}: {}", printed.text);
            assert!(has(&printed, "200 OK"), "{version} {way}: {}", printed.text);
        }
        std::fs::remove_file(session).unwrap();
    }
    let stats = ours.join();
    assert_eq!((stats.handshakes, stats.resumed), (4, 2));
}

#[test]
fn new_certificates_are_shown_while_a_connection_lives() {
    let programs = Programs::find();
    let (told, hear) = mpsc::channel();
    let ours = Ours::run(async move |ours| {
        let mut old = ours.accept().await.unwrap();
        let new = Certificates::new().or_else(identity(ED25519));
        ours.acceptor.replace(new);
        told.send(()).unwrap();
        let ends = ours.serve_next(2).await;
        // What has been there since before still works.
        let mut line = [0; 6];
        old.read_exact(&mut line).await.unwrap();
        old.write_all(&line).await.unwrap();
        old.close().await.unwrap();
        (line, ends)
    });
    let ours = ours.unwrap();
    let mut first = programs.s_client(ours.port, "example.test", "-quiet");
    first
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut first = Process::start(&mut first).unwrap();
    hear.recv_timeout(Duration::from_secs(20)).unwrap();
    // The new one is for another name.
    let printed = talk(
        &mut programs.s_client(ours.port, "ed.test", "-ign_eof"),
        REQUEST,
    );
    assert!(has(&printed, "a:PKEY: ED25519,"), "{}", printed.text);
    assert!(
        has(&printed, "Verify return code: 0 (ok)"),
        "{}",
        printed.text
    );
    let refused = talk(&mut programs.curl(ours.port, "example.test", "/1", ""), "");
    assert_eq!(refused.status, Some(60), "{}", refused.text);
    let child = first.child();
    child.stdin.as_mut().unwrap().write_all(b"hello\n").unwrap();
    let mut heard = String::new();
    child
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut heard)
        .unwrap();
    assert_eq!(heard, "hello\n");
    assert_eq!(&ours.join().0, b"hello\n");
}
