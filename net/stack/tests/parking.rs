//! Many connections, little memory.

mod common;

use std::time::Duration;

use common::*;
use embedded_io_async::{Read, Write};
use morgana_exec::{Task, join};
use morgana_net_device::{FaultPlan, Offload};
use morgana_net_stack::{ConnectOptions, Limits, ListenOptions, TcpError, TcpListener, TcpStream};

/// Room for two connections with full buffers, or a few small ones.
fn tight() -> Limits {
    Limits {
        buffer_memory: 70_000,
        ..Limits::default()
    }
}

/// A world in which the right side has little memory.
fn setup() -> Setup {
    Setup {
        right_limits: tight(),
        ..Setup::default()
    }
}

async fn connect(
    world: &World,
    listener: &TcpListener,
    ip: &'static str,
) -> (TcpStream, TcpStream) {
    let options = ConnectOptions::default();
    let connect = TcpStream::connect(&world.left, addr(ip, listener.port()), options);
    let (client, server) = join(connect, listener.accept()).await;
    (client.unwrap(), server)
}

/// So many connections that the first one is parked; it, and the others.
async fn parked(
    world: &World,
    ip: &'static str,
) -> (
    TcpStream,
    TcpStream,
    Vec<(TcpStream, TcpStream)>,
    TcpListener,
) {
    let listener = TcpListener::bind(&world.right, 7, ListenOptions::default()).unwrap();
    let (mut client, mut server) = connect(world, &listener, ip).await;
    // It has a history: sequence numbers differ from those of a new connection in both directions.
    write_all(&mut client, &bytes(1, 5000)).await;
    assert!(read_exact(&mut server, 5000).await == bytes(1, 5000));
    write_all(&mut server, &bytes(2, 7000)).await;
    assert!(read_exact(&mut client, 7000).await == bytes(2, 7000));
    let mut others = Vec::new();
    while world.right.stats().tcp_parked_now < 2 {
        world.timers.sleep(Duration::from_secs(100)).await;
        others.push(connect(world, &listener, ip).await);
        assert!(others.len() < 10);
    }
    (client, server, others, listener)
}

#[test]
fn a_parked_connection_comes_back_when_the_peer_speaks() {
    for (ip, offload) in [(RIGHT, Offload::None), (RIGHT6, Offload::Both)] {
        let setup = Setup { offload, ..setup() };
        run(setup, move |world| async move {
            let (mut client, mut server, _others, _listener) = parked(&world, ip).await;
            for round in 0..3 {
                let revived = world.right.stats().tcp_revived;
                let sent = bytes(round, 30_000);
                let (heard, ()) = join(
                    read_exact(&mut server, 30_000),
                    write_all(&mut client, &sent),
                )
                .await;
                assert!(heard == sent);
                let (heard, ()) = join(
                    read_exact(&mut client, 30_000),
                    write_all(&mut server, &sent),
                )
                .await;
                assert!(heard == sent);
                assert!(round > 0 || world.right.stats().tcp_revived > revived);
            }
        });
    }
}

#[test]
fn a_parked_connection_comes_back_when_its_stream_writes() {
    run(setup(), |world| async move {
        let (mut client, mut server, _others, _listener) = parked(&world, RIGHT).await;
        let sent = bytes(3, 50_000);
        let (heard, ()) = join(
            read_exact(&mut client, 50_000),
            write_all(&mut server, &sent),
        )
        .await;
        assert!(heard == sent);
        assert!(world.right.stats().tcp_revived > 0);
    });
}

#[test]
fn a_parked_connection_hears_that_the_peer_closes() {
    run(setup(), |world| async move {
        let (mut client, mut server, _others, _listener) = parked(&world, RIGHT).await;
        client.shutdown();
        assert_eq!(read_to_end(&mut server).await, b"");
        write_all(&mut server, b"bye").await;
        server.shutdown();
        assert_eq!(read_to_end(&mut client).await, b"bye");
        assert_eq!(server.acknowledged().await, Ok(()));
    });
}

#[test]
fn a_parked_connection_hears_a_reset() {
    run(setup(), |world| async move {
        let (client, mut server, _others, _listener) = parked(&world, RIGHT).await;
        client.abort();
        assert_eq!(server.read(&mut [0; 8]).await, Err(TcpError::Reset));
    });
}

#[test]
fn a_parked_connection_is_closed_and_reset_by_its_own_side() {
    run(setup(), |world| async move {
        let (mut client, mut server, mut others, _listener) = parked(&world, RIGHT).await;
        server.shutdown();
        assert_eq!(read_to_end(&mut client).await, b"");
        drop(client);
        assert_eq!(read_to_end(&mut server).await, b"");
        let (mut client, server) = others.remove(0);
        server.abort();
        assert_eq!(client.read(&mut [0; 8]).await, Err(TcpError::Reset));
        let (mut client, server) = others.remove(0);
        drop(server);
        assert_eq!(read_to_end(&mut client).await, b"");
    });
}

#[test]
fn a_parked_connection_answers_keep_alives_without_memory() {
    run(setup(), |world| async move {
        let listener = TcpListener::bind(&world.right, 7, ListenOptions::default()).unwrap();
        let mut options = ConnectOptions::default();
        options.tcp.keep_alive = Some(Duration::from_secs(10));
        let connects = TcpStream::connect(&world.left, addr(RIGHT, 7), options);
        let (client, mut server) = join(connects, listener.accept()).await;
        let mut client = client.unwrap();
        write_all(&mut client, b"hello").await;
        assert_eq!(read_exact(&mut server, 5).await, b"hello");
        let mut others = Vec::new();
        while world.right.stats().tcp_parked_now < 3 {
            world.timers.sleep(Duration::from_secs(1)).await;
            others.push(connect(&world, &listener, RIGHT).await);
        }
        world.timers.sleep(Duration::from_secs(1000)).await;
        assert_eq!(world.right.stats().tcp_revived, 0);
        write_all(&mut client, b"still").await;
        assert_eq!(read_exact(&mut server, 5).await, b"still");
    });
}

#[test]
fn connections_that_are_all_busy_share_what_memory_there_is() {
    let setup = Setup {
        right_limits: Limits {
            buffer_memory: 60_000,
            ..Limits::default()
        },
        faults: FaultPlan {
            drop_per_mille: 5,
            ..FaultPlan::default()
        },
        ..Setup::default()
    };
    run(setup, |world| async move {
        let listener = TcpListener::bind(&world.right, 7, ListenOptions::default()).unwrap();
        let serve = async {
            for _ in 0..30 {
                let stream = listener.accept().await;
                world.handle.spawn(echo(stream)).unwrap();
            }
        };
        let ask = async {
            let mut tasks: Vec<Task<()>> = Vec::new();
            for number in 0..30 {
                let left = world.left.clone();
                let task = world.handle.spawn(async move {
                    let options = ConnectOptions {
                        timeout: Duration::from_secs(600),
                        ..ConnectOptions::default()
                    };
                    let stream = TcpStream::connect(&left, addr(RIGHT, 7), options).await;
                    check_echo(stream.unwrap(), number, 20_000).await;
                });
                tasks.push(task.unwrap());
            }
            for task in tasks {
                task.await.unwrap();
            }
        };
        join(serve, ask).await;
        let stats = world.right.stats();
        assert!(stats.tcp_memory_full > 0);
        assert_eq!(stats.tcp_accepted, 30);
    });
}

#[test]
fn a_thousand_connections_idle_and_then_all_active() {
    let setup = Setup {
        left_limits: Limits {
            buffer_memory: 64 << 20,
            ..Limits::default()
        },
        ..Setup::default()
    };
    run(setup, |world| async move {
        let listener = TcpListener::bind(&world.right, 7, ListenOptions::default()).unwrap();
        let mut clients = Vec::new();
        for number in 0..1000u64 {
            let (mut client, mut server) = connect(&world, &listener, RIGHT).await;
            let hello = bytes(number, 300);
            write_all(&mut client, &hello).await;
            assert!(read_exact(&mut server, 300).await == hello);
            world.handle.spawn(echo(server)).unwrap();
            clients.push(client);
        }
        world.timers.sleep(Duration::from_secs(100)).await;
        let idle = world.right.stats();
        assert_eq!(idle.tcp_connections, 1000);
        assert!(idle.tcp_buffer_bytes <= Limits::default().buffer_memory / 2);
        assert!(idle.tcp_parked_now > 900, "{}", idle.tcp_parked_now);

        let tasks: Vec<Task<()>> = clients
            .into_iter()
            .enumerate()
            .map(|(number, client)| {
                let check = check_echo(client, number as u64, 3000);
                world.handle.spawn(check).unwrap()
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        assert!(world.right.stats().tcp_buffer_bytes <= Limits::default().buffer_memory);
    });
}

async fn echo(mut stream: TcpStream) {
    let mut buf = [0; 2000];
    loop {
        match stream.read(&mut buf).await.unwrap() {
            0 => break,
            n => stream.write_all(&buf[..n]).await.unwrap(),
        }
    }
    stream.shutdown();
    stream.acknowledged().await.unwrap();
}

async fn check_echo(mut stream: TcpStream, seed: u64, len: usize) {
    let sent = bytes(seed, len);
    let mut heard = vec![0; len];
    {
        let (mut reader, mut writer) = stream.split();
        let (read, written) = join(reader.read_exact(&mut heard), writer.write_all(&sent)).await;
        read.unwrap();
        written.unwrap();
    }
    assert!(heard == sent);
    stream.shutdown();
    assert_eq!(read_to_end(&mut stream).await, b"");
}
