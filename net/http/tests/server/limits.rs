//! Crowds, and what a connection costs.

use std::time::Duration;

use morgana_http::{End, Limits};

use crate::app::App;
use crate::support::Stream;

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

#[test]
fn connections_over_the_limit_are_told_to_come_back() {
    let mut rig = App::rig(Limits {
        connections: 3,
        refusals: 2,
        ..Limits::DEFAULT
    });
    let clients: Vec<_> = (0..3).map(|_| rig.connect()).collect();
    rig.settle();
    let (first, second, third) = (rig.connect(), rig.connect(), rig.connect());
    rig.settle();
    for refused in [&first, &second] {
        let text = refused.text();
        assert!(
            text.starts_with("HTTP/1.1 503 Service Unavailable\r\n"),
            "{text}"
        );
        assert!(
            text.contains("\r\nRetry-After: 1\r\n") && text.contains("\r\nConnection: close\r\n")
        );
        assert_eq!(refused.end(), None);
    }
    assert_eq!(
        (third.text().as_str(), third.end()),
        ("", Some(End::Refused))
    );
    rig.pass(Duration::from_secs(1));
    assert_eq!(
        (first.end(), second.end()),
        (Some(End::Refused), Some(End::Refused))
    );

    clients[0].close();
    rig.settle();
    let next = rig.connect();
    next.send(GET);
    rig.settle();
    assert!(next.text().starts_with("HTTP/1.1 200"));
    let counts = rig.server.stats().snapshot();
    assert_eq!((counts.connections_open, counts.refusals_open), (3, 0));
    assert_eq!(
        (
            counts.connections_total,
            counts.connections_refused,
            counts.answers_5xx
        ),
        (4, 3, 2)
    );
}

#[test]
fn the_last_request_says_close() {
    let mut rig = App::rig(Limits {
        requests: 2,
        ..Limits::DEFAULT
    });
    let client = rig.connect();
    client.send(GET.repeat(3));
    rig.settle();
    let text = client.text();
    assert_eq!(
        (
            text.matches("HTTP/1.1 200").count(),
            text.matches("Connection: close").count()
        ),
        (2, 1)
    );
    assert_eq!(client.end(), Some(End::Finished));
}

#[test]
fn a_thousand_idle_connections_leave_room_for_others() {
    let mut rig = App::rig(Limits::DEFAULT);
    let clients: Vec<_> = (0..1000).map(|_| rig.connect()).collect();
    for client in &clients {
        client.send(GET);
    }
    rig.settle();
    assert!(
        clients
            .iter()
            .all(|client| client.text().starts_with("HTTP/1.1 200") && client.end().is_none())
    );
    let client = rig.connect();
    client.send(GET);
    rig.settle();
    assert!(client.text().starts_with("HTTP/1.1 200"));
    assert_eq!(rig.server.stats().snapshot().connections_open, 1001);
}

#[test]
fn slow_heads_leave_room_for_others() {
    let mut rig = App::rig(Limits::DEFAULT);
    let slow: Vec<_> = (0..1000).map(|_| rig.connect()).collect();
    for client in &slow {
        client.send("GET / HTTP/1.1\r\nHost: a\r\nX: ");
    }
    rig.settle();
    let client = rig.connect();
    client.send(GET);
    rig.settle();
    assert!(client.text().starts_with("HTTP/1.1 200"));
    rig.pass(Duration::from_secs(10));
    assert!(
        slow.iter()
            .all(|client| client.text().starts_with("HTTP/1.1 408"))
    );
}

#[test]
fn too_many_large_heads_are_told_to_come_back() {
    let mut rig = App::rig(Limits {
        large_heads: 2,
        ..Limits::DEFAULT
    });
    let long = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}", "x".repeat(3000));
    let clients: Vec<_> = (0..3).map(|_| rig.connect()).collect();
    for client in &clients {
        client.send(&long);
        rig.settle();
    }
    let text = clients[2].text();
    assert!(
        text.starts_with("HTTP/1.1 503") && text.contains("Retry-After"),
        "{text}"
    );
    clients[0].send("\r\n\r\n");
    rig.settle();
    assert!(clients[0].text().starts_with("HTTP/1.1 200"));
    // Its large block is free again.
    let next = rig.connect();
    next.send(long + "\r\n\r\n");
    rig.settle();
    assert!(next.text().starts_with("HTTP/1.1 200"));
    rig.pass(Duration::from_secs(1));
    assert_eq!(
        (clients[2].end(), rig.server.stats().snapshot().exhausted),
        (Some(End::Exhausted), 1)
    );
}

#[test]
fn a_connection_is_small() {
    /// A future's size, without a value of it.
    fn size<F>(
        _: impl FnOnce(&'static morgana_http::Server<App>, &'static mut Stream) -> F,
    ) -> usize {
        size_of::<F>()
    }
    let bytes = size(|server, stream| server.serve(stream));
    // The app's own future is part of it. A thousand of these are about a megabyte.
    assert!(bytes <= 1296, "a connection's future has {bytes} bytes");
}
