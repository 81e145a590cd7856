//! What back ends get to see of requests.

use balancer::Settings;
use embedded_io_async::{Read as _, Write as _};
use morgana_http::{Ask, Method};

use crate::world::{World, ask, run};

/// Sends these bytes, and gives all that comes until the connection ends.
async fn exchange(world: &World, request: &[u8]) -> String {
    let mut stream = world.raw();
    stream.write_all(request).await.expect("room");
    let mut answer = Vec::new();
    let mut block = [0; 1024];
    loop {
        match stream.read(&mut block).await.expect("a stream") {
            0 => return String::from_utf8_lossy(&answer).into_owned(),
            count => answer.extend_from_slice(&block[..count]),
        }
    }
}

#[test]
fn a_request_is_written_anew() {
    run(&["a"], Settings::default(), |world| async move {
        let request = b"GET /x/../a%20b//c%41?q=%20x HTTP/1.1\r\nHost: site:81\r\nX-Forwarded-For: 9.9.9.9\r\nConnection: close, X-Hop\r\n\
            X-Hop: 1\r\nTE: trailers\r\nCookie: \xff\r\n\r\n";
        let answer = exchange(&world, request).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.contains("\r\nConnection: close\r\n"), "{answer}");
        let app = world.app("a");
        assert_eq!(
            app.seen.borrow()[0],
            "GET /a b/cA?q=%20x\nHost: site:81\nX-Forwarded-For: 9.9.9.9\nCookie: \u{fffd}\nX-Forwarded-For: 192.0.2.1\nVia: 1.1 morgana"
        );
    });
}

#[test]
fn contents_go_both_ways() {
    run(&["a"], Settings::default(), |world| async move {
        let mut client = world.connect();
        let content: Vec<_> = (0..2_000_000u32).map(|number| (number / 7) as u8).collect();
        let post = Ask {
            method: Method::Post,
            ..Ask::get("site", "/echo")
        };
        for length in [0, 1, 1000, 16_384, 16_385, 2_000_000] {
            let got = ask(&mut client, &post, &content[..length]).await;
            assert_eq!((got.code, got.content.len()), (200, length));
            assert!(got.content == content[..length]);
            // In chunks.
            let mut source = &content[..length];
            let mut reply = client
                .upload(&post, &mut source, None)
                .await
                .expect("an answer");
            let echoed = reply.read_to_end(4 << 20).await.expect("a content");
            assert!(echoed == content[..length]);
        }
    });
}

#[test]
fn what_could_be_read_in_two_ways_reaches_nobody() {
    run(&["a"], Settings::default(), |world| async move {
        for request in [
            "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nxxxxx",
            "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n",
            "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length : 5\r\n\r\nxxxxx",
            "GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n c: d\r\n\r\n",
            "GET / HTTP/1.1\nHost: a\n\n",
            "GET /a%2fb HTTP/1.1\r\nHost: a\r\n\r\n",
            "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n",
        ] {
            let answer = exchange(&world, request.as_bytes()).await;
            assert!(
                answer.starts_with("HTTP/1.1 4") || answer.starts_with("HTTP/1.1 501"),
                "{request}: {answer}"
            );
        }
        // Bad chunks show only when the back end has the head already; it gets no end of them.
        let bad = b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloXX0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
        let answer = exchange(&world, bad).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
        let app = world.app("a");
        assert!(
            app.seen
                .borrow()
                .iter()
                .all(|seen| seen.starts_with("POST /echo"))
        );
        assert_eq!(world.shared.policy().totals().in_flight, 0);
    });
}

#[test]
fn connections_to_back_ends_are_used_again() {
    run(&["a"], Settings::default(), |world| async move {
        for _ in 0..20 {
            assert_eq!(world.get("/page").await.code, 200);
        }
        let stats = world.control(Method::Get, "/stats", "").await.text();
        assert!(stats.contains("\"idle_connections\":1,"), "{stats}");
        // Until they have waited for too long.
        world.sleep(21_000).await;
        let stats = world.control(Method::Get, "/stats", "").await.text();
        assert!(stats.contains("\"idle_connections\":0,"), "{stats}");
    });
}
