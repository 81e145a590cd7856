//! Time-outs, dropped futures, and how much may be under way.

use super::*;
use core::time::Duration;
use std::vec;

use morgana_exec::{Either, select, yield_now};

use crate::{Changed, Error, MAX_CHILDREN_BYTES, MAX_IN_FLIGHT};

#[test]
fn an_answer_that_does_not_come_is_an_error_and_one_that_comes_late_is_swallowed() {
    script(
        |client, handle| async move {
            assert_eq!(client.read("slow").await, Err(Error::TimedOut));
            assert_eq!(handle.timers().now().as_millis(), 30_000);
            assert_eq!(client.read("fast").await.unwrap(), b"fast");
        },
        async |server: &mut Server| {
            let slow = server.expect(Request::Read { path: "slow" }).await;
            let fast = server.expect(Request::Read { path: "fast" }).await;
            server.answer(&slow, b"slow").await;
            server.answer(&fast, b"fast").await;
        },
    );
}

#[test]
fn the_answer_to_a_dropped_future_is_swallowed() {
    script(
        |client, _| async move {
            let first = select(client.read("dropped"), async {
                for _ in 0..50 {
                    yield_now().await;
                }
            });
            assert!(matches!(first.await, Either::Second(())));
            assert_eq!(client.read("kept").await.unwrap(), b"kept");
        },
        async |server: &mut Server| {
            let dropped = server.receive().await;
            let kept = server.receive().await;
            server.answer(&dropped, b"dropped").await;
            server.answer(&kept, b"kept").await;
        },
    );
}

#[test]
fn further_requests_wait_while_the_limit_is_under_way() {
    const MORE: usize = 3;
    script(
        |client, handle| async move {
            let mut tasks = vec![];
            for _ in 0..MAX_IN_FLIGHT + MORE {
                let client = client.clone();
                tasks.push(handle.spawn(async move { client.read("a").await }).unwrap());
            }
            for task in tasks {
                assert_eq!(task.await, Some(Ok(vec![b'v'])));
            }
        },
        async |server: &mut Server| {
            let mut waiting = vec![];
            for _ in 0..MAX_IN_FLIGHT {
                waiting.push(server.receive().await);
            }
            let more = select(server.receive(), async {
                for _ in 0..100 {
                    yield_now().await;
                }
            });
            assert!(
                matches!(more.await, Either::Second(())),
                "one too many is under way"
            );
            for (index, received) in waiting.iter().enumerate() {
                server.answer(received, b"v").await;
                if index < MORE {
                    let received = server.receive().await;
                    server.answer(&received, b"v").await;
                }
            }
        },
    );
}

#[test]
fn a_server_that_never_answers_costs_no_more_than_the_limit() {
    script(
        |client, handle| async move {
            for round in 1..=2 {
                let mut tasks = vec![];
                for _ in 0..MAX_IN_FLIGHT * 3 {
                    let client = client.clone();
                    tasks.push(handle.spawn(async move { client.read("a").await }).unwrap());
                }
                for task in tasks {
                    assert_eq!(task.await, Some(Err(Error::TimedOut)));
                }
                assert_eq!(handle.timers().now().as_millis(), 30_000 * round);
            }
        },
        async |server: &mut Server| {
            for _ in 0..MAX_IN_FLIGHT {
                server.receive().await;
            }
        },
    );
}

#[test]
fn a_list_of_children_is_bounded() {
    script(
        |client, _| async move {
            assert_eq!(client.children("a").await, Err(Error::TooManyChildren));
            assert_eq!(client.children("a").await, Err(Error::TooManyChildren));
        },
        async |server: &mut Server| {
            // One that has no end.
            let received = server.receive().await;
            server.refuse(&received, b"E2BIG\0").await;
            let part = [&b"1\0"[..], &[b'n'; 4000], b"\0"].concat();
            for _ in 0..MAX_CHILDREN_BYTES / 4001 + 1 {
                let received = server.receive().await;
                server.answer(&received, &part).await;
            }
            // One that changes all the time.
            let received = server.receive().await;
            server.refuse(&received, b"E2BIG\0").await;
            for generation in 0..18 {
                let received = server.receive().await;
                let part = std::format!("{generation}\0a\0");
                server.answer(&received, part.as_bytes()).await;
            }
        },
    );
}

#[test]
fn the_configured_time_out_counts() {
    let (ours, _theirs) = duplex(7);
    let clock = ManualClock::default();
    let mut executor = Executor::new();
    let handle = executor.handle();
    let config = crate::Config {
        request_timeout: Duration::from_millis(5),
        ..crate::Config::default()
    };
    let client = Client::with_config(ours, &handle, config).unwrap();
    let timers = handle.timers();
    let ended = executor.block_on(
        async move { (client.read("a").await, timers.now().as_millis()) },
        &mut clock.idle(),
        &clock,
    );
    assert_eq!(ended, (Err(Error::TimedOut), 5));
}

#[test]
fn the_configured_limits_count() {
    let config = crate::Config {
        children_bytes: 3,
        queued_events: 2,
        ..crate::Config::default()
    };
    script_with(
        config,
        |client, _| async move {
            assert_eq!(client.children("a").await, Err(Error::TooManyChildren));
            let watch = client.watch("a").await.unwrap();
            client.read("go").await.unwrap();
            assert_eq!(watch.next().await, Ok(Changed::Anything));
        },
        async |server: &mut Server| {
            let received = server.receive().await;
            server.refuse(&received, b"E2BIG\0").await;
            let part = server.receive().await;
            server.answer(&part, b"1\0abc\0").await;
            let watch = server.receive().await;
            server.answer(&watch, b"OK\0").await;
            let go = server.receive().await;
            for path in ["a/1", "a/2", "a/3"] {
                server.event(path, "1").await;
            }
            server.answer(&go, b"").await;
        },
    );
}
