//! Servers of others, and our client.

use std::fs;

use morgana_http::{Ask, ClientError};
use morgana_tls::{AcceptError, TlsError};
use morgana_tls_peers::{Asked, Programs, Web, ask, page};

fn get(host: &'static str, target: &'static str) -> Ask<'static> {
    Ask::get(host, target)
}

#[test]
fn openssl_answers_in_both_versions_with_every_key() {
    let programs = Programs::find();
    for (certificate, name) in [
        ("p256", "example.test"),
        ("ed25519", "ed.test"),
        ("rsa", "rsa.test"),
    ] {
        for (words, version) in [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")] {
            let web = Web::s_server(&programs, certificate, words).unwrap();
            let answers = ask(web.address, Some(name), vec![get(name, "/")]).unwrap();
            let [
                Ok(Asked {
                    status: 200,
                    content,
                }),
            ] = &answers[..]
            else {
                panic!("{name} {words}: {answers:?}");
            };
            let text = String::from_utf8_lossy(content);
            assert!(text.contains(version), "{name} {words}: {text}");
        }
    }
}

#[test]
fn our_client_leaves_whom_it_does_not_trust() {
    let programs = Programs::find();
    let web = Web::s_server(&programs, "p256", "").unwrap();
    for name in ["other.test", "ed.test"] {
        let refused = ask(web.address, Some(name), vec![get("a", "/")]).unwrap_err();
        // What it is called: how it is told depends on how rustls was built.
        let kind = format!("{refused:?}");
        assert!(kind.contains("NotValidForName"), "{name}: {kind}");
    }
    // One that has signed itself, and one of an authority that nobody knows.
    let made = programs
        .openssl()
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
        ])
        .args([
            "-nodes",
            "-subj",
            "/CN=self.test",
            "-addext",
            "subjectAltName=DNS:self.test",
        ])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .arg("-keyout")
        .arg(programs.path("self.key.pem"))
        .arg("-out")
        .arg(programs.path("self.cert.pem"))
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    let web = Web::s_server(&programs, "self", "").unwrap();
    let refused = ask(web.address, Some("self.test"), vec![get("a", "/")]).unwrap_err();
    let kind = format!("{refused:?}");
    assert!(kind.contains("UnknownIssuer"), "{kind}");
    let web = Web::s_server(&programs, "p256", "-tls1_1 -cipher DEFAULT@SECLEVEL=0").unwrap();
    let refused = ask(web.address, Some("example.test"), vec![get("a", "/")]);
    assert!(
        matches!(refused, Err(AcceptError::Tls(TlsError::Protocol(_)))),
        "{refused:?}"
    );
}

#[test]
fn nginx_answers_several_requests_on_a_connection() {
    let programs = Programs::find();
    let large = page(1_000_000);
    fs::write(programs.path("large"), &large).unwrap();
    fs::write(programs.path("empty"), "").unwrap();
    fs::write(
        programs.path("chunks"),
        "some <!--# echo var=\"none\" default=\"text\" -->",
    )
    .unwrap();
    let web = Web::nginx(&programs).unwrap();
    let name = "example.test";
    let part = Ask {
        fields: &[("Range", "bytes=10-19")],
        ..get(name, "/large")
    };
    let asks = ["/large", "/empty", "/chunks", "/missing", "/large"];
    let mut asks = asks.map(|target| get(name, target)).to_vec();
    asks.push(part);
    let answers = ask(web.address, Some(name), asks).unwrap();
    let answers: Vec<Asked> = answers.into_iter().map(Result::unwrap).collect();
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [200, 200, 200, 404, 200, 206]);
    assert!(answers[0].content == large && answers[4].content == large);
    assert_eq!(answers[1].content, b"");
    assert_eq!(answers[2].content, b"some text");
    assert_eq!(answers[5].content, large[10..20]);
}

#[test]
fn python_answers_in_either_version_of_http() {
    let programs = Programs::find();
    let large = page(300_000);
    fs::write(programs.path("large"), &large).unwrap();
    for version in ["HTTP/1.0", "HTTP/1.1"] {
        let web = Web::python(&programs, version).unwrap();
        let asks = vec![get("127.0.0.1", "/large"), get("127.0.0.1", "/missing")];
        let answers = ask(web.address, None, asks).unwrap();
        let expected = Asked {
            status: 200,
            content: large.clone(),
        };
        assert!(answers[0].as_ref() == Ok(&expected), "{version}");
        match version {
            // It closes after each answer.
            "HTTP/1.0" => assert_eq!(answers[1], Err(ClientError::NotIdle)),
            _ => assert_eq!(answers[1].as_ref().map(|answer| answer.status), Ok(404)),
        }
    }
}
