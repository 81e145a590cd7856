//! UDP sockets.

mod common;

use std::future::Future;
use std::net::Ipv4Addr;
use std::time::Duration;

use common::raw::*;
use common::*;
use morgana_exec::join;
use morgana_net_stack::{Limits, UdpError, UdpOptions, UdpSocket};
use smoltcp::wire::ArpOperation;

#[test]
fn datagrams_go_both_ways_over_ipv4_and_ipv6() {
    run(Setup::default(), |world| async move {
        let server = UdpSocket::bind(&world.right, 53, UdpOptions::default()).unwrap();
        let client = UdpSocket::bind(&world.left, 0, UdpOptions::default()).unwrap();
        for (ip, own) in [(RIGHT, LEFT), (RIGHT6, "fd00::1")] {
            let mut buf = [0; 2000];
            client.send_to(b"question", addr(ip, 53)).await.unwrap();
            let question = server.recv_from(&mut buf).await;
            assert_eq!(&buf[..question.len], b"question");
            assert_eq!(question.remote, addr(own, client.port()));
            assert_eq!(question.local, addr(ip, 0).ip());
            server.reply(b"answer", &question).await.unwrap();
            let answer = client.recv_from(&mut buf).await;
            assert_eq!(&buf[..answer.len], b"answer");
            assert_eq!(answer.remote, addr(ip, 53));
        }
        assert_eq!(world.right.stats().udp_sent, 2);
        assert_eq!(world.right.stats().udp_received, 2);
    });
}

#[test]
fn queues_are_bounded_and_what_does_not_fit_is_counted() {
    run(Setup::default(), |world| async move {
        let options = UdpOptions {
            receive_datagrams: 10,
            receive_bytes: 1000,
            send_datagrams: 4,
        };
        let server = UdpSocket::bind(&world.right, 53, options).unwrap();
        let client = UdpSocket::bind(&world.left, 0, options).unwrap();
        for _ in 0..50 {
            client.send_to(b"small", addr(RIGHT, 53)).await.unwrap();
        }
        world.timers.sleep(Duration::from_secs(1)).await;
        assert_eq!(world.right.stats().udp_received, 10);
        assert_eq!(world.right.stats().udp_queue_full, 40);
        let mut buf = [0; 3];
        for _ in 0..10 {
            // The buffer is shorter than the datagram: the length tells.
            assert_eq!(server.recv_from(&mut buf).await.len, 5);
            assert_eq!(&buf, b"sma");
        }
        for _ in 0..5 {
            client.send_to(&[1; 400], addr(RIGHT, 53)).await.unwrap();
        }
        world.timers.sleep(Duration::from_secs(1)).await;
        assert_eq!(world.right.stats().udp_received, 12);
    });
}

#[test]
fn what_cannot_be_sent_is_refused() {
    run(Setup::default(), |world| async move {
        let socket = UdpSocket::bind(&world.left, 0, UdpOptions::default()).unwrap();
        for (data, remote, error) in [
            (&[0; 1473][..], addr(RIGHT, 53), UdpError::TooLong),
            (&[0; 1453], addr(RIGHT6, 53), UdpError::TooLong),
            (b"x", addr(RIGHT, 0), UdpError::BadAddress),
            (b"x", addr("0.0.0.0", 53), UdpError::BadAddress),
            (b"x", addr("::", 53), UdpError::BadAddress),
            (b"x", addr("192.0.2.1", 53), UdpError::NoRoute),
        ] {
            assert_eq!(socket.send_to(data, remote).await, Err(error), "{remote}");
        }
        assert_eq!(socket.send_to(&[0; 1472], addr(RIGHT, 53)).await, Ok(()));
        assert_eq!(socket.send_to(&[0; 1452], addr(RIGHT6, 53)).await, Ok(()));
    });
}

#[test]
fn ports_are_one_socket_each_and_sockets_are_bounded() {
    let limits = Limits {
        udp_sockets: 4,
        ephemeral_ports: 50_000..=50_002,
        ..Limits::default()
    };
    let setup = Setup {
        left_limits: limits,
        ..Setup::default()
    };
    run(setup, |world| async move {
        let bind = |port| UdpSocket::bind(&world.left, port, UdpOptions::default());
        let three: Vec<_> = (0..3).map(|_| bind(0).unwrap()).collect();
        assert_eq!(bind(0).err(), Some(UdpError::PortInUse));
        assert_eq!(bind(three[1].port()).err(), Some(UdpError::PortInUse));
        let _fourth = bind(53).unwrap();
        assert_eq!(bind(54).err(), Some(UdpError::TooManySockets));
        drop(three);
        assert!(bind(54).is_ok());
        assert_eq!(world.left.stats().udp_sockets, 1);
    });
}

/// One destination that does not answer on the link must not keep the others waiting.
#[test]
fn a_silent_neighbour_holds_nobody_up() {
    run_raw(STATIC, Limits::default(), |mut world| async move {
        world.raw.introduce().await;
        let socket = UdpSocket::bind(&world.stack, 53, UdpOptions::default()).unwrap();
        for _ in 0..10 {
            socket
                .send_to(b"anyone?", addr("10.0.0.99", 53))
                .await
                .unwrap();
        }
        socket
            .send_to(b"hello", addr("10.0.0.1", 53))
            .await
            .unwrap();
        let heard = world.raw.received().await;
        let hello =
            |frame: &Vec<u8>| ipv4_of(frame).is_some_and(|p| p.payload().ends_with(b"hello"));
        assert!(heard.iter().any(hello));
        world.timers.sleep(Duration::from_secs(60)).await;
        assert_eq!(world.stack.stats().udp_unreachable, 10);
        assert_eq!(world.stack.stats().udp_sent, 1);

        // One that answers late gets what waited.
        socket
            .send_to(b"late", addr("10.0.0.88", 53))
            .await
            .unwrap();
        world.raw.received().await;
        let late = Ipv4Addr::new(10, 0, 0, 88);
        let heard = world
            .raw
            .exchange(&arp(ArpOperation::Request, late, THEIRS))
            .await;
        let arrived =
            |frame: &Vec<u8>| ipv4_of(frame).is_some_and(|p| p.payload().ends_with(b"late"));
        assert!(heard.iter().any(arrived));
    });
}

/// Those who are sought have two seconds, whoever else answers meanwhile.
#[test]
fn answers_of_others_take_no_time_away() {
    run_raw(STATIC, Limits::default(), |mut world| async move {
        let socket = UdpSocket::bind(&world.stack, 53, UdpOptions::default()).unwrap();
        socket
            .send_to(b"late", addr("10.0.0.88", 53))
            .await
            .unwrap();
        let answer = |last| arp(ArpOperation::Reply, Ipv4Addr::new(10, 0, 0, last), THEIRS);
        for other in 20..40 {
            world.raw.exchange(&answer(other)).await;
        }
        assert_eq!(world.stack.stats().udp_unreachable, 0);
        let heard = world.raw.exchange(&answer(88)).await;
        let late = |frame: &Vec<u8>| ipv4_of(frame).is_some_and(|p| p.payload().ends_with(b"late"));
        assert!(heard.iter().any(late));
    });
}

#[test]
fn a_full_send_queue_waits() {
    let setup = Setup {
        frames: 4,
        ..Setup::default()
    };
    run(setup, |world| async move {
        let server = UdpSocket::bind(&world.right, 53, UdpOptions::default()).unwrap();
        let client = UdpSocket::bind(&world.left, 0, UdpOptions::default()).unwrap();
        let send = async {
            for number in 0..200u8 {
                client.send_to(&[number], addr(RIGHT, 53)).await.unwrap();
            }
        };
        let receive = async {
            let mut buf = [0; 10];
            for number in 0..200u8 {
                server.recv_from(&mut buf).await;
                assert_eq!(buf[0], number);
            }
        };
        both(send, receive).await;
    });
}

async fn both(a: impl Future<Output = ()>, b: impl Future<Output = ()>) {
    join(a, b).await;
}
