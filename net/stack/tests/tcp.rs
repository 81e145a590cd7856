//! TCP between two stacks: how connections begin and end.

mod common;

use std::time::Duration;

use common::*;
use embedded_io_async::{Read, Write};
use morgana_exec::join;
use morgana_net_device::Offload;
use morgana_net_stack::{
    ConnectError, ConnectOptions, Limits, ListenError, ListenOptions, TcpError, TcpListener,
    TcpOptions, TcpStream,
};

/// Both ends of a new connection from left to right.
async fn connection(world: &World, port: u16) -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind(&world.right, port, ListenOptions::default()).unwrap();
    connection_to(world, &listener).await
}

async fn connection_to(world: &World, listener: &TcpListener) -> (TcpStream, TcpStream) {
    let remote = addr(RIGHT, listener.port());
    let connect = TcpStream::connect(&world.left, remote, ConnectOptions::default());
    let (client, server) = join(connect, listener.accept()).await;
    (client.unwrap(), server)
}

#[test]
fn an_echo_over_ipv4_and_ipv6_with_and_without_offload() {
    for (ip, offload) in [
        (RIGHT, Offload::None),
        (RIGHT6, Offload::None),
        (RIGHT, Offload::Both),
        (RIGHT6, Offload::Both),
        (RIGHT6, Offload::Ipv4),
    ] {
        let setup = Setup {
            offload,
            ..Setup::default()
        };
        run(setup, |world| async move {
            let listener = TcpListener::bind(&world.right, 7, ListenOptions::default()).unwrap();
            let server = async {
                let mut stream = listener.accept().await;
                assert_eq!(stream.local_addr(), Some(addr(ip, 7)));
                let heard = read_to_end(&mut stream).await;
                write_all(&mut stream, &heard).await;
            };
            let client = async {
                let options = ConnectOptions::default();
                let mut stream = TcpStream::connect(&world.left, addr(ip, 7), options)
                    .await
                    .unwrap();
                assert_eq!(stream.remote_addr(), Some(addr(ip, 7)));
                write_all(&mut stream, b"hello").await;
                stream.shutdown();
                assert_eq!(read_to_end(&mut stream).await, b"hello");
            };
            join(server, client).await;
            assert_eq!(world.right.stats().tcp_accepted, 1);
            assert_eq!(world.right.stats().bad_checksums, 0);
        });
    }
}

#[test]
fn a_port_without_listener_refuses() {
    run(Setup::default(), |world| async move {
        let result =
            TcpStream::connect(&world.left, addr(RIGHT, 9), ConnectOptions::default()).await;
        assert_eq!(result.err(), Some(ConnectError::Refused));
        world.timers.sleep(Duration::from_secs(1)).await;
        assert_eq!(world.left.stats().tcp_connections, 0);
        assert_eq!(world.left.stats().tcp_buffer_bytes, 0);
    });
}

#[test]
fn addresses_that_cannot_be_connected_to_are_told_apart() {
    run(Setup::default(), |world| async move {
        for (remote, error) in [
            (addr("0.0.0.0", 7), ConnectError::BadAddress),
            (addr("224.0.0.1", 7), ConnectError::BadAddress),
            (addr("10.0.0.255", 7), ConnectError::BadAddress),
            (addr(RIGHT, 0), ConnectError::BadAddress),
            (addr(LEFT, 7), ConnectError::BadAddress),
            (addr("192.0.2.1", 7), ConnectError::NoRoute),
            (addr("2001:db8::1", 7), ConnectError::NoRoute),
        ] {
            let result = TcpStream::connect(&world.left, remote, ConnectOptions::default()).await;
            assert_eq!(result.err(), Some(error), "{remote}");
        }
    });
}

#[test]
fn a_host_that_is_not_there_times_out_and_leaves_nothing() {
    run(Setup::default(), |world| async move {
        let start = world.timers.now();
        let options = ConnectOptions {
            timeout: Duration::from_secs(7),
            ..ConnectOptions::default()
        };
        let result = TcpStream::connect(&world.left, addr("10.0.0.77", 7), options).await;
        assert_eq!(result.err(), Some(ConnectError::TimedOut));
        assert_eq!(world.timers.now() - start, Duration::from_secs(7));
        world.timers.sleep(Duration::from_secs(60)).await;
        assert_eq!(world.left.stats().tcp_connections, 0);
    });
}

#[test]
fn an_abort_is_seen_as_a_reset() {
    run(Setup::default(), |world| async move {
        let (client, mut server) = connection(&world, 7).await;
        client.abort();
        let mut buf = [0; 10];
        assert_eq!(server.read(&mut buf).await, Err(TcpError::Reset));
        assert_eq!(server.write(b"x").await, Err(TcpError::Reset));
        assert_eq!(world.right.stats().tcp_resets, 1);
        assert_eq!(world.right.stats().tcp_buffer_bytes, 0);
        assert_eq!(world.left.stats().tcp_connections, 0);
    });
}

#[test]
fn either_side_may_end_its_half_first() {
    run(Setup::default(), |world| async move {
        let listener = TcpListener::bind(&world.right, 7, ListenOptions::default()).unwrap();
        for first in 0..2 {
            let (client, server) = connection_to(&world, &listener).await;
            let (mut one, mut other) = if first == 0 {
                (client, server)
            } else {
                (server, client)
            };
            one.shutdown();
            assert_eq!(one.write(b"x").await, Err(TcpError::Closed));
            assert_eq!(read_to_end(&mut other).await, b"");
            // The other half goes on, for as long as one likes.
            world.timers.sleep(Duration::from_secs(300)).await;
            write_all(&mut other, b"still here").await;
            other.shutdown();
            assert_eq!(read_to_end(&mut one).await, b"still here");
            assert_eq!(one.acknowledged().await, Ok(()));
            assert_eq!(other.acknowledged().await, Ok(()));
        }
        world.timers.sleep(Duration::from_secs(1)).await;
        assert_eq!(world.left.stats().tcp_connections, 0);
        assert_eq!(world.right.stats().tcp_connections, 0);
        assert_eq!(world.left.stats().tcp_time_wait, 1);
        assert_eq!(world.right.stats().tcp_time_wait, 1);
    });
}

#[test]
fn both_sides_may_close_at_once() {
    run(Setup::default(), |world| async move {
        let (mut client, mut server) = connection(&world, 7).await;
        client.shutdown();
        server.shutdown();
        assert_eq!(read_to_end(&mut client).await, b"");
        assert_eq!(read_to_end(&mut server).await, b"");
        assert_eq!(client.acknowledged().await, Ok(()));
    });
}

#[test]
fn what_was_written_before_a_drop_arrives() {
    run(Setup::default(), |world| async move {
        let (mut client, mut server) = connection(&world, 7).await;
        let sent = bytes(1, 12_000);
        let expected = sent.clone();
        let write = async move {
            write_all(&mut client, &sent).await;
            drop(client);
        };
        let (heard, ()) = join(read_to_end(&mut server), write).await;
        assert_eq!(heard, expected);
    });
}

#[test]
fn dropping_a_stream_with_unread_bytes_resets_it() {
    run(Setup::default(), |world| async move {
        let (mut client, server) = connection(&world, 7).await;
        write_all(&mut client, b"nobody reads this").await;
        world.timers.sleep(Duration::from_secs(1)).await;
        drop(server);
        let mut buf = [0; 10];
        assert_eq!(client.read(&mut buf).await, Err(TcpError::Reset));
    });
}

#[test]
fn an_orphan_whose_peer_never_closes_is_reset_after_its_linger_time() {
    run(Setup::default(), |world| async move {
        let (client, mut server) = connection(&world, 7).await;
        drop(client);
        assert_eq!(read_to_end(&mut server).await, b"");
        world.timers.sleep(Duration::from_secs(29)).await;
        assert_eq!(world.left.stats().tcp_connections, 1);
        world.timers.sleep(Duration::from_secs(2)).await;
        assert_eq!(world.left.stats().tcp_connections, 0);
        assert_eq!(server.write(b"x").await, Err(TcpError::Reset));
    });
}

#[test]
fn a_reader_that_waits_stops_the_writer_and_loses_nothing() {
    run(Setup::default(), |world| async move {
        let (mut client, mut server) = connection(&world, 7).await;
        let sent = bytes(2, 100_000);
        let write = async {
            client.write_all(&sent).await.unwrap();
            client.shutdown();
        };
        let read = async {
            // Long enough for the window to close and to be probed several times.
            world.timers.sleep(Duration::from_secs(500)).await;
            let limits = Limits::default();
            let most = limits.receive_buffer + limits.transmit_buffer;
            let buffered = world.left.stats().bytes_sent;
            assert!(buffered < 2 * most as u64, "{buffered}");
            read_to_end(&mut server).await
        };
        let (heard, ()) = join(read, write).await;
        assert!(heard == sent);
    });
}

#[test]
fn a_peer_that_falls_silent_is_given_up() {
    run(Setup::default(), |world| async move {
        let (mut client, server) = connection(&world, 7).await;
        world.right_runner.abort();
        let start = world.timers.now();
        write_all(&mut client, b"are you there?").await;
        let mut buf = [0; 10];
        assert_eq!(client.read(&mut buf).await, Err(TcpError::TimedOut));
        let waited = world.timers.now() - start;
        assert!(waited >= Duration::from_secs(120) && waited < Duration::from_secs(122));
        assert_eq!(world.left.stats().tcp_timeouts, 1);
        drop(server);
    });
}

#[test]
fn keep_alive_notices_a_silent_peer_and_spares_one_that_answers() {
    run(Setup::default(), |world| async move {
        let listener = TcpListener::bind(&world.right, 7, ListenOptions::default()).unwrap();
        let options = ConnectOptions {
            tcp: TcpOptions {
                keep_alive: Some(Duration::from_secs(10)),
                ..TcpOptions::default()
            },
            ..ConnectOptions::default()
        };
        let connect = TcpStream::connect(&world.left, addr(RIGHT, 7), options);
        let (client, mut server) = join(connect, listener.accept()).await;
        let mut client = client.unwrap();
        world.timers.sleep(Duration::from_secs(3600)).await;
        write_all(&mut server, b"yes").await;
        assert_eq!(read_exact(&mut client, 3).await, b"yes");
        world.right_runner.abort();
        let mut buf = [0; 10];
        assert_eq!(client.read(&mut buf).await, Err(TcpError::TimedOut));
    });
}

#[test]
fn ports_run_out_and_come_back() {
    let setup = Setup {
        left_limits: Limits {
            ephemeral_ports: 50_000..=50_003,
            ..Limits::default()
        },
        ..Setup::default()
    };
    run(setup, |world| async move {
        let listener = TcpListener::bind(&world.right, 7, ListenOptions::default()).unwrap();
        let mut streams = Vec::new();
        for _ in 0..4 {
            streams.push(connection_to(&world, &listener).await);
        }
        let options = ConnectOptions::default();
        let result = TcpStream::connect(&world.left, addr(RIGHT, 7), options).await;
        assert_eq!(result.err(), Some(ConnectError::PortsExhausted));
        // The ends that close first remember the ports for ten seconds; so the right ends close first.
        for (mut client, server) in streams {
            drop(server);
            assert_eq!(read_to_end(&mut client).await, b"");
        }
        world.timers.sleep(Duration::from_secs(1)).await;
        assert_eq!(world.right.stats().tcp_time_wait, 4);
        // A new connection from the same port ends TIME-WAIT.
        let (_client, _server) = connection_to(&world, &listener).await;
        assert_eq!(world.right.stats().tcp_time_wait, 3);
    });
}

#[test]
fn the_number_of_connections_is_bounded() {
    let setup = Setup {
        right_limits: Limits {
            connections: 3,
            ..Limits::default()
        },
        ..Setup::default()
    };
    run(setup, |world| async move {
        let listener = TcpListener::bind(&world.right, 7, ListenOptions::default()).unwrap();
        let mut streams = Vec::new();
        for _ in 0..3 {
            streams.push(connection_to(&world, &listener).await);
        }
        let connect = TcpStream::connect(&world.left, addr(RIGHT, 7), ConnectOptions::default());
        let make_room = async {
            world.timers.sleep(Duration::from_secs(2)).await;
            let (client, server) = streams.pop().unwrap();
            drop(client);
            drop(server);
        };
        let (fourth, ()) = join(connect, make_room).await;
        assert!(fourth.is_ok());
        assert!(world.right.stats().tcp_connections_full >= 2);
    });
}

#[test]
fn a_listener_is_one_a_port_and_bounded() {
    run(Setup::default(), |world| async move {
        let bind = |port| TcpListener::bind(&world.right, port, ListenOptions::default());
        assert_eq!(bind(0).err(), Some(ListenError::BadPort));
        let first = bind(1).unwrap();
        assert_eq!(bind(1).err(), Some(ListenError::PortInUse));
        let others: Vec<_> = (2..=16).map(|port| bind(port).unwrap()).collect();
        assert_eq!(bind(17).err(), Some(ListenError::TooManyListeners));
        drop(first);
        assert!(bind(1).is_ok());
        drop(others);
    });
}

#[test]
fn connections_that_nobody_accepted_end_with_their_listener() {
    run(Setup::default(), |world| async move {
        let listener = TcpListener::bind(&world.right, 7, ListenOptions::default()).unwrap();
        let options = ConnectOptions::default();
        let mut client = TcpStream::connect(&world.left, addr(RIGHT, 7), options)
            .await
            .unwrap();
        drop(listener);
        let mut buf = [0; 10];
        assert_eq!(client.read(&mut buf).await, Err(TcpError::Reset));
        world.timers.sleep(Duration::from_secs(1)).await;
        assert_eq!(world.right.stats().tcp_connections, 0);
        assert_eq!(world.right.stats().tcp_buffer_bytes, 0);
    });
}

#[test]
fn halves_are_used_by_two_futures() {
    run(Setup::default(), |world| async move {
        let (mut client, mut server) = connection(&world, 7).await;
        let echo = async {
            let (mut reader, mut writer) = server.split();
            let mut buf = [0; 1000];
            loop {
                match reader.read(&mut buf).await.unwrap() {
                    0 => break,
                    n => writer.write_all(&buf[..n]).await.unwrap(),
                }
            }
            server.shutdown();
        };
        let sent = bytes(3, 200_000);
        let both = async {
            let (mut reader, mut writer) = client.split();
            let mut heard = vec![0; sent.len()];
            let (read, written) =
                join(reader.read_exact(&mut heard), writer.write_all(&sent)).await;
            read.unwrap();
            written.unwrap();
            client.shutdown();
            heard
        };
        let (heard, ()) = join(both, echo).await;
        assert!(heard == sent);
    });
}

/// A device that takes nothing any more is as bad as a peer that says nothing any more, but one that hesitates is not.
#[test]
fn a_device_without_room_ends_connections_in_the_end() {
    let setup = Setup {
        frames: 1,
        ..Setup::default()
    };
    run(setup, |world| async move {
        let (mut client, mut server) = connection(&world, 7).await;
        write_all(&mut client, b"hello").await;
        assert_eq!(read_exact(&mut server, 5).await, b"hello");
        // What was held up has gone through, and silence after it is nobody's fault.
        world.timers.sleep(Duration::from_secs(1000)).await;
        write_all(&mut client, b"again").await;
        assert_eq!(read_exact(&mut server, 5).await, b"again");
        // Nobody takes frames off the wire any more.
        world.right_runner.abort();
        write_all(&mut client, &bytes(1, 10_000)).await;
        assert_eq!(client.read(&mut [0; 8]).await, Err(TcpError::TimedOut));
        drop(client);
        world.timers.sleep(Duration::from_secs(300)).await;
        assert_eq!(world.left.stats().tcp_connections, 0);
    });
}

#[test]
fn a_link_of_small_packets_carries_ipv4_only() {
    let setup = Setup {
        ip_mtu: 68,
        ..Setup::default()
    };
    run(setup, |world| async move {
        assert_eq!(world.left.addresses().ipv6, [None; 3]);
        let (mut client, mut server) = connection(&world, 7).await;
        let sent = bytes(1, 3000);
        let (heard, ()) = join(read_exact(&mut server, 3000), write_all(&mut client, &sent)).await;
        assert!(heard == sent);
    });
}

#[test]
fn aborting_what_is_over_but_not_read_leaves_nothing() {
    run(Setup::default(), |world| async move {
        let (mut client, mut server) = connection(&world, 7).await;
        client.shutdown();
        write_all(&mut server, b"unread").await;
        server.shutdown();
        world.timers.sleep(Duration::from_secs(30)).await;
        assert_eq!(world.left.stats().tcp_connections, 1);
        client.abort();
        assert_eq!(world.left.stats().tcp_connections, 0);
        assert_eq!(world.left.stats().tcp_buffer_bytes, 0);
        assert_eq!(read_to_end(&mut server).await, b"");
    });
}
