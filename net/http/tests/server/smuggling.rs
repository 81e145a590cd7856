//! Requests that two programs in a line could read as different ones. After each of these the connection must close,
//! and what follows must never be taken for a request.

use morgana_http::Limits;

use crate::app::App;

const SMUGGLED: &str = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";

/// Whether `request`, then `SMUGGLED`, is answered once, with a refusal, and closed; the same for any split.
fn refused(request: &str) {
    for piece in [1, 3, usize::MAX] {
        let mut rig = App::rig(Limits::DEFAULT);
        let client = rig.connect();
        client.set_piece(piece);
        client.send(format!("{request}{SMUGGLED}"));
        client.close();
        rig.settle();
        let text = client.text();
        let code = text
            .strip_prefix("HTTP/1.1 ")
            .and_then(|rest| rest.get(..3));
        assert!(
            matches!(code, Some("400" | "413" | "501")),
            "{request:?}: {text}"
        );
        assert!(
            text.contains("\r\nConnection: close\r\n"),
            "{request:?}: {text}"
        );
        assert_eq!(text.matches("HTTP/1.1 ").count(), 1, "{request:?}: {text}");
        assert!(
            !rig.server
                .handler()
                .asked
                .borrow()
                .iter()
                .any(|(_, path)| path == "/smuggled"),
            "{request:?}"
        );
    }
}

#[test]
fn ambiguous_lengths_close() {
    for lines in [
        "Content-Length: 6\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 6",
        "Transfer-Encoding: xchunked\r\nContent-Length: 6",
        "Content-Length: 0\r\nContent-Length: 6",
        "Content-Length: 6\r\nContent-Length: 6",
        "Content-Length: 6, 6",
        "Content-Length: +6",
        "Content-Length: 0006x",
        "Content-Length:\x0b6",
        "Content-Length : 6",
        " Content-Length: 6",
        "Content-Length\r\n : 6",
        "X: y\r\n Content-Length: 6",
        "Content-Length: 99999999999999999999",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: cow",
        "Transfer-Encoding: cow\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding: identity, chunked",
        "Transfer-Encoding: 'chunked'",
        "Transfer-Encoding:\x0bchunked",
        "Transfer-Encoding: chunk\u{212a}ed",
        "Transfer-Encoding : chunked",
        " Transfer-Encoding: chunked",
        "X: y\nTransfer-Encoding: chunked",
        "X: y\rTransfer-Encoding: chunked",
        "\0Transfer-Encoding: chunked",
        "Host: b",
        "Host : b",
        "X\u{e9}: y",
    ] {
        refused(&format!(
            "POST /echo HTTP/1.1\r\nHost: a\r\n{lines}\r\n\r\n0\r\n\r\nX"
        ));
    }
    refused("POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
}

#[test]
fn broken_chunks_close() {
    for body in [
        "0\n\r\n",
        "0\r\n\n",
        "0 \r\n\r\n",
        " 0\r\n\r\n",
        "0x0\r\n\r\n",
        "+0\r\n\r\n",
        "-1\r\n\r\n",
        "\r\n\r\n",
        ";\r\n\r\n",
        "1\r\nab\r\n0\r\n\r\n",
        "3\r\nab\r\n0\r\n\r\n",
        "1;a\nb\r\na\r\n0\r\n\r\n",
        "1\r\na0\r\n\r\n",
        "fffffffffffffffff\r\n",
        "ffffffffffffffff\r\n",
        "0\r\nGET /smuggled HTTP/1.1\nHost: a\r\n\r\n",
        "0\r\n folded: x\r\n\r\n",
    ] {
        for path in ["/echo", "/ignore"] {
            refused(&format!(
                "POST {path} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{body}"
            ));
        }
    }
}

#[test]
fn a_request_in_a_body_stays_a_body() {
    let mut rig = App::rig(Limits::DEFAULT);
    for path in ["/echo", "/ignore", "/half", "/"] {
        let length = SMUGGLED.len();
        let sized = format!(
            "POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n{SMUGGLED}"
        );
        let chunked = format!(
            "POST {path} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{length:x}\r\n{SMUGGLED}\r\n0\r\n\r\n"
        );
        for request in [sized, chunked] {
            let text = rig.answer(request + "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
            assert_eq!(
                text.matches("HTTP/1.1 200 OK\r\n").count() + text.matches("HTTP/1.1 405 ").count(),
                2,
                "{text}"
            );
        }
    }
    assert!(
        !rig.server
            .handler()
            .asked
            .borrow()
            .iter()
            .any(|(_, path)| path == "/smuggled")
    );
}
