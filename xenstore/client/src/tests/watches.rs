//! Watches: events, how they are kept, and how a watch is taken away.

use super::*;
use std::string::ToString;
use std::vec;

use morgana_exec::{Either, select, yield_now};

use crate::{Breach, Changed, Closed, Errno, Error, MAX_QUEUED_EVENTS, MAX_WATCHES};

async fn pause() {
    for _ in 0..2000 {
        yield_now().await;
    }
}

/// Takes the request for a watch and answers it; gives the token.
async fn accept(server: &mut Server, path: &str) -> String {
    let received = server.receive().await;
    let Request::Watch {
        path: watched,
        token,
        depth,
    } = received.request()
    else {
        panic!("not a watch: {received:?}");
    };
    assert_eq!((watched, depth), (path, None));
    server.answer(&received, b"OK\0").await;
    token.to_string()
}

fn path(text: &str) -> Result<Changed, Error> {
    Ok(Changed::Path(text.to_string()))
}

#[test]
fn events_go_to_their_watch_even_before_the_answer() {
    script(
        |client, _| async move {
            let (a, b) = join(client.watch("a"), client.watch("@releaseDomain")).await;
            let (a, b) = (a.unwrap(), b.unwrap());
            assert_eq!(a.next().await, path("a"));
            assert_eq!(b.next().await, path("@releaseDomain"));
            assert_eq!(a.next().await, path("a/x"));
        },
        async |server: &mut Server| {
            let first = server.receive().await;
            let second = server.receive().await;
            server.event("a", "1").await;
            server.answer(&second, b"OK\0").await;
            server.answer(&first, b"OK\0").await;
            server.event("@releaseDomain", "2").await;
            server.event("a/x", "1").await;
        },
    );
}

#[test]
fn a_path_is_kept_once_and_too_many_become_anything() {
    script(
        |client, _| async move {
            let watch = client.watch("a").await.unwrap();
            pause().await;
            assert_eq!(watch.next().await, path("a/1"));
            assert_eq!(watch.next().await, path("a/2"));
            client.write("go", "").await.unwrap();
            assert_eq!(watch.next().await, Ok(Changed::Anything));
            let none = select(watch.next(), pause()).await;
            assert!(matches!(none, Either::Second(())), "nothing else was kept");
            client.write("go", "").await.unwrap();
            assert_eq!(watch.next().await, path("a/again"));
        },
        async |server: &mut Server| {
            let token = accept(server, "a").await;
            for node in ["a/1", "a/2", "a/1", "a/2", "a/2"] {
                server.event(node, &token).await;
            }
            let go = server.receive().await;
            for number in 0..MAX_QUEUED_EVENTS + 10 {
                server.event(&std::format!("a/{number}"), &token).await;
            }
            server.answer(&go, b"OK\0").await;
            let go = server.receive().await;
            server.event("a/again", &token).await;
            server.answer(&go, b"OK\0").await;
        },
    );
}

#[test]
fn a_dropped_watch_is_taken_away_and_late_events_are_ignored() {
    script(
        |client, _| async move {
            drop(client.watch("a").await.unwrap());
            client.read("x").await.unwrap();
        },
        async |server: &mut Server| {
            let token = accept(server, "a").await;
            let unwatch = server
                .expect(Request::Unwatch {
                    path: "a",
                    token: &token,
                })
                .await;
            server.event("a", &token).await;
            server.answer(&unwatch, b"OK\0").await;
            server.event("a", &token).await;
            server.event("a", "no token of ours").await;
            let read = server.receive().await;
            server.answer(&read, b"").await;
        },
    );
}

#[test]
fn a_refused_watch_is_not_taken_away() {
    script(
        |client, _| async move {
            assert_eq!(
                client.watch("/x").await.err(),
                Some(Error::Refused(Errno::Access))
            );
            client.read("x").await.unwrap();
        },
        async |server: &mut Server| {
            let received = server.receive().await;
            server.refuse(&received, b"EACCES\0").await;
            let read = server.expect(Request::Read { path: "x" }).await;
            server.answer(&read, b"").await;
        },
    );
}

#[test]
fn a_watch_whose_future_is_dropped_is_taken_away() {
    script(
        |client, _| async move {
            let wait = client.read("now");
            let first = select(client.watch("a"), wait).await;
            assert!(matches!(first, Either::Second(Ok(_))));
            client.read("after").await.unwrap();
        },
        async |server: &mut Server| {
            let watch = server.receive().await;
            let now = server.receive().await;
            server.answer(&now, b"").await;
            server
                .expect(Request::Unwatch {
                    path: "a",
                    token: "1",
                })
                .await;
            server.answer(&watch, b"OK\0").await;
            let after = server.receive().await;
            server.answer(&after, b"").await;
        },
    );
}

#[test]
fn watches_are_bounded_those_being_taken_away_included() {
    script(
        |client, _| async move {
            let mut watches = vec![];
            for _ in 0..MAX_WATCHES {
                watches.push(client.watch("a").await.unwrap());
            }
            assert_eq!(client.watch("a").await.err(), Some(Error::TooManyWatches));
            watches.pop();
            assert_eq!(client.watch("a").await.err(), Some(Error::TooManyWatches));
            client.read("x").await.unwrap();
            watches.push(client.watch("b").await.unwrap());
        },
        async |server: &mut Server| {
            for _ in 0..MAX_WATCHES {
                accept(server, "a").await;
            }
            let unwatch = server.receive().await;
            server.answer(&unwatch, b"OK\0").await;
            let read = server.receive().await;
            server.answer(&read, b"").await;
            accept(server, "b").await;
        },
    );
}

#[test]
fn an_event_for_a_path_outside_may_mean_anything_and_no_path_is_a_breach() {
    script(
        |client, _| async move {
            let watch = client.watch("a").await.unwrap();
            assert_eq!(watch.next().await, Ok(Changed::Anything));
            let closed = Closed::Protocol(Breach::MalformedEvent);
            assert_eq!(watch.next().await, Err(Error::Closed(closed)));
        },
        async |server: &mut Server| {
            let token = accept(server, "a").await;
            server.event("/elsewhere", &token).await;
            server.event("a//b", &token).await;
        },
    );
}

#[test]
fn the_last_client_ends_the_connection_and_its_watches() {
    script(
        |client, _| async move {
            let watch = client.watch("a").await.unwrap();
            drop(client);
            assert_eq!(watch.next().await, Err(Error::Closed(Closed::Dropped)));
        },
        async |server: &mut Server| {
            accept(server, "a").await;
        },
    );
}
