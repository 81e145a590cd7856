//! What clients get to see of answers.

use balancer::Settings;
use embedded_io_async::{Read as _, Write as _};
use morgana_http::{Ask, Method};

use crate::world::{ask, run};

#[test]
fn answers_come_as_they_are() {
    run(&["a"], Settings::default(), |world| async move {
        let got = world.get("/fields").await;
        let names: Vec<_> = got
            .fields
            .iter()
            .map(|(name, value)| format!("{name}: {value}"))
            .collect();
        assert_eq!(
            names,
            [
                "Date: Thu, 01 Jan 1970 00:00:00 GMT",
                "Content-Type: text/plain",
                "Accept-Ranges: bytes",
                "X-One: 1",
                "Set-Cookie: a",
                "Set-Cookie: b",
                "Via: 1.1 morgana",
                "Content-Length: 6"
            ]
        );
        assert_eq!(got.text(), "fields");
        let mut client = world.connect();
        let head = Ask {
            method: Method::Head,
            ..Ask::get("site", "/fields")
        };
        let got = ask(&mut client, &head, &[]).await;
        assert_eq!(
            (got.code, got.field("content-length"), got.content.len()),
            (200, Some("6"), 0)
        );
        let mut tagged = Ask::get("site", "/tagged");
        tagged.fields = &[("If-None-Match", "\"x\"")];
        let got = ask(&mut client, &tagged, &[]).await;
        assert_eq!((got.code, got.field("etag")), (304, Some("\"x\"")));
        let got = ask(&mut client, &Ask::get("site", "/broken"), &[]).await;
        assert_eq!((got.code, client.is_idle()), (500, true));
        let options = Ask {
            method: Method::Options,
            ..Ask::get("site", "/x")
        };
        assert_eq!(ask(&mut client, &options, &[]).await.code, 204);
    });
}

#[test]
fn long_ones_are_passed_on_while_they_come() {
    run(&["a"], Settings::default(), |world| async move {
        for target in ["/chunks", "/long"] {
            let got = world.get(target).await;
            assert_eq!((got.code, got.content.len()), (200, 3_000_000), "{target}");
        }
        // To a client of HTTP/1.0: no chunks.
        let mut stream = world.raw();
        stream
            .write_all(b"GET /chunks HTTP/1.0\r\n\r\n")
            .await
            .expect("room");
        let (mut bytes, mut block) = (Vec::new(), vec![0; 65_536]);
        loop {
            match stream.read(&mut block).await.expect("a stream") {
                0 => break,
                count => bytes.extend_from_slice(&block[..count]),
            }
        }
        let head_end = bytes
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .expect("a head");
        assert!(bytes.starts_with(b"HTTP/1.1 200 OK\r\n"));
        assert_eq!(bytes.len() - head_end - 4, 3_000_000);
    });
}
