//! Many SYNs that lead to nothing, and one that does.

mod common;

use std::net::SocketAddr;
use std::time::Duration;

use common::raw::*;
use common::*;
use embedded_io_async::Write;
use morgana_net_stack::{Limits, ListenOptions, TcpListener};
use smoltcp::wire::TcpControl;

const SYN: Tcp<'_> = Tcp {
    control: TcpControl::Syn,
    sequence: 1000,
    acknowledgement: None,
    data: b"",
};

fn ours(port: u16) -> SocketAddr {
    SocketAddr::new(OURS.into(), port)
}

fn theirs() -> SocketAddr {
    SocketAddr::new(THEIRS.into(), 7)
}

/// As many SYNs as there are ports, from the ports given.
async fn flood(world: &mut RawWorld, ports: core::ops::Range<u16>) {
    for port in ports {
        world.raw.send(&tcp(ours(port), theirs(), SYN));
        if port % 100 == 0 {
            world.raw.received().await;
        }
    }
    world.raw.received().await;
}

#[test]
fn a_flood_takes_a_bounded_amount_of_memory_and_others_still_get_in() {
    run_raw(STATIC, Limits::default(), |mut world| async move {
        let listener = TcpListener::bind(&world.stack, 7, ListenOptions::default()).unwrap();
        world.raw.introduce().await;
        flood(&mut world, 1000..6000).await;
        let stats = world.stack.stats();
        assert_eq!(stats.tcp_connections, 32);
        assert_eq!(stats.tcp_cookies_sent, 5000 - 32);
        assert_eq!(stats.tcp_buffer_bytes, 32 * (8192 + 16384));

        // One whose SYN is answered by a cookie goes on as if nothing were.
        let answers = world.raw.exchange(&tcp(ours(99), theirs(), SYN)).await;
        let answer = answers.iter().find_map(|frame| tcp_of(frame)).unwrap();
        assert_eq!((answer.0, answer.2), (TcpControl::Syn, Some(1001)));
        let request = Tcp {
            control: TcpControl::Psh,
            sequence: 1001,
            acknowledgement: Some(answer.1.wrapping_add(1)),
            data: b"hello",
        };
        world.raw.send(&tcp(ours(99), theirs(), request));
        let mut stream = listener.accept().await;
        assert_eq!(stream.remote_addr(), Some(ours(99)));
        assert_eq!(read_exact(&mut stream, 5).await, b"hello");
        stream.write_all(b"world").await.unwrap();
        let heard = world.raw.received().await;
        let segment = heard
            .iter()
            .filter_map(|frame| tcp_of(frame))
            .next_back()
            .unwrap();
        assert_eq!(segment.1, answer.1.wrapping_add(1));
        assert_eq!((segment.2, segment.3), (Some(1006), b"world".to_vec()));
        assert_eq!(world.stack.stats().tcp_cookies_accepted, 1);

        // Handshakes that nobody goes on with end.
        world.timers.sleep(Duration::from_secs(20)).await;
        assert_eq!(world.stack.stats().tcp_connections, 1);
    });
}

#[test]
fn a_cookie_that_was_not_given_is_refused() {
    run_raw(STATIC, Limits::default(), |mut world| async move {
        let _listener = TcpListener::bind(&world.stack, 7, ListenOptions::default()).unwrap();
        world.raw.introduce().await;
        let forged = Tcp {
            control: TcpControl::None,
            sequence: 1001,
            acknowledgement: Some(77),
            data: b"",
        };
        // Before a flood, and in one.
        for _ in 0..2 {
            let answers = world.raw.exchange(&tcp(ours(99), theirs(), forged)).await;
            let answer = answers.iter().find_map(|frame| tcp_of(frame)).unwrap();
            assert_eq!((answer.0, answer.1), (TcpControl::Rst, 77));
            flood(&mut world, 1000..1100).await;
        }
        // One that is right, but old.
        let answers = world.raw.exchange(&tcp(ours(99), theirs(), SYN)).await;
        let cookie = answers.iter().find_map(|frame| tcp_of(frame)).unwrap().1;
        let late = Tcp {
            acknowledgement: Some(cookie.wrapping_add(1)),
            ..forged
        };
        world.timers.sleep(Duration::from_secs(129)).await;
        flood(&mut world, 2000..2100).await;
        let answers = world.raw.exchange(&tcp(ours(99), theirs(), late)).await;
        let answer = answers.iter().find_map(|frame| tcp_of(frame)).unwrap();
        assert_eq!(answer.0, TcpControl::Rst);
        assert_eq!(world.stack.stats().tcp_accepted, 0);
    });
}

#[test]
fn a_full_queue_of_connections_to_accept_ignores_others() {
    let listen = ListenOptions {
        backlog: 4,
        ..ListenOptions::default()
    };
    run_raw(STATIC, Limits::default(), move |mut world| async move {
        let listener = TcpListener::bind(&world.stack, 7, listen).unwrap();
        world.raw.introduce().await;
        for port in 1..=6 {
            let answers = world.raw.exchange(&tcp(ours(port), theirs(), SYN)).await;
            let answer = answers.iter().find_map(|frame| tcp_of(frame));
            assert_eq!(answer.is_some(), port <= 4);
            if let Some((_, sequence, _, _)) = answer {
                let acknowledges = Tcp {
                    control: TcpControl::None,
                    sequence: 1001,
                    acknowledgement: Some(sequence.wrapping_add(1)),
                    data: b"",
                };
                world.raw.send(&tcp(ours(port), theirs(), acknowledges));
            }
        }
        assert_eq!(world.stack.stats().tcp_backlog_full, 2);
        let _first = listener.accept().await;
        let answers = world.raw.exchange(&tcp(ours(7), theirs(), SYN)).await;
        assert!(answers.iter().any(|frame| tcp_of(frame).is_some()));
    });
}
