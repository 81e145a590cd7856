//! Two domains of the emulation, in lockstep: whatever the order of what they do, the bytes arrive.

use std::future::poll_fn;

use morgana_emul::{Domain, DomainConfig, EmulPlatform, Lockstep, XenstoreServer};
use morgana_exec::{Handle, join};
use morgana_hal::{ByteStream, DomId, Exit, Platform, StreamError};
use morgana_vchan::{
    SendError, Sizes, Vchan, VchanError, connect, connect_within, listen, withdraw,
};
use morgana_xenstore_client::{Client, Error};
use morgana_xenstored::{Quota, Rights, Server};

const D0: DomId = DomId::new(0);
const D1: DomId = DomId::new(1);
/// Where the vchan is: in the server's home.
const PATH: &str = "/local/domain/1/data/vchan";

/// A machine of a domain 0, which is the client, and a guest, which is the server.
fn machine<A, B>(
    seed: u64,
    client: impl FnOnce(EmulPlatform, Client) -> A + Send + 'static,
    server: impl FnOnce(EmulPlatform, Client) -> B + Send + 'static,
) where
    A: Future<Output = ()> + 'static,
    B: Future<Output = ()> + 'static,
{
    let mut world = Lockstep::new(seed);
    let config = |xenstore| DomainConfig {
        xenstore: Some(xenstore),
        ..DomainConfig::default()
    };
    let hypervisor = world.hypervisor();
    let first = hypervisor.create(config(XenstoreServer::Itself)).unwrap();
    let guest = hypervisor
        .create(config(XenstoreServer::Domain(D0)))
        .unwrap();
    let ring = |domain: &Domain| domain.xenstore_ring().unwrap().port();
    let (own, others) = (ring(&first), ring(&guest));
    world.start(first, move |platform, tasks| async move {
        let daemon = Server::new(platform.clone(), &tasks, Quota::default());
        daemon.introduce(D0, own, Rights::Control).unwrap();
        let store = open(&platform, &tasks);
        home(&store).await.unwrap();
        daemon.introduce(D1, others, Rights::Guest).unwrap();
        client(platform, store.clone()).await;
        // The daemon serves until the guest has ended.
        let watch = store.watch("/local/domain/1/ended").await.unwrap();
        while store.read("/local/domain/1/ended").await.is_err() {
            watch.next().await.unwrap();
        }
        Exit::Poweroff
    });
    world.start(guest, move |platform, tasks| async move {
        let store = open(&platform, &tasks);
        server(platform, store.clone()).await;
        store.write("ended", "1").await.unwrap();
        Exit::Poweroff
    });
    assert_eq!(world.run(), Ok(()), "seed {seed}");
    world.hypervisor().assert_clean();
}

fn open(platform: &EmulPlatform, tasks: &Handle) -> Client {
    Client::start(platform.xenstore().unwrap(), tasks).unwrap()
}

/// What a toolstack makes for the guest.
async fn home(client: &Client) -> Result<(), Error> {
    use morgana_xenstore_wire::{Access, Permission};
    for (path, owner) in [
        ("/local/domain/0/domid", 0),
        ("/local/domain/1/domid", 1),
        ("/local/domain/1/data", 1),
        ("/local/domain/1/ended-here", 1),
    ] {
        client
            .write(
                path,
                if path.ends_with("domid") {
                    path.split('/').nth(3).unwrap_or("")
                } else {
                    ""
                },
            )
            .await?;
        let owner = Permission {
            domain: DomId::new(owner),
            access: Access::None,
        };
        client.set_permissions(path, &[owner]).await?;
    }
    let owner = Permission {
        domain: D1,
        access: Access::None,
    };
    client.set_permissions("/local/domain/1", &[owner]).await
}

fn sizes(to_server: usize, to_client: usize) -> Sizes {
    Sizes {
        to_server,
        to_client,
    }
}

fn byte(seed: u64, at: usize) -> u8 {
    (at as u64).wrapping_mul(2 * seed + 1).rotate_right(3) as u8
}

async fn write(vchan: &Vchan<EmulPlatform>, seed: u64, bytes: usize) {
    let all: Vec<u8> = (0..bytes).map(|at| byte(seed, at)).collect();
    let mut rest = &all[..];
    while !rest.is_empty() {
        let piece = &rest[..rest.len().min(777)];
        let len = poll_fn(|cx| vchan.poll_write(cx, piece)).await.unwrap();
        rest = &rest[len..];
    }
}

async fn read(vchan: &Vchan<EmulPlatform>, seed: u64, bytes: usize) {
    let mut at = 0;
    let mut piece = [0; 1000];
    while at < bytes {
        let most = piece.len().min(bytes - at);
        let len = poll_fn(|cx| vchan.poll_read(cx, &mut piece[..most]))
            .await
            .unwrap();
        for (offset, &found) in piece[..len].iter().enumerate() {
            assert_eq!(found, byte(seed, at + offset), "at {}", at + offset);
        }
        at += len;
    }
}

async fn next(vchan: &Vchan<EmulPlatform>) -> Result<usize, StreamError> {
    let mut buffer = [0; 16];
    poll_fn(|cx| vchan.poll_read(cx, &mut buffer)).await
}

#[test]
fn streams_arrive_both_ways_in_rings_of_all_kinds() {
    let kinds = [
        (1, 1),
        (2048, 1),
        (2048, 4096),
        (4096, 2048),
        (10_000, 100_000),
    ];
    for (seed, (to_server, to_client)) in (0..40).zip(kinds.into_iter().cycle()) {
        let bytes = 30_000;
        machine(
            seed,
            move |platform, client| async move {
                let vchan = connect(&platform, &client, D1, PATH).await.unwrap();
                join(write(&vchan, 1, bytes), read(&vchan, 2, bytes)).await;
                // Closed by the server once all is there.
                assert_eq!(next(&vchan).await, Err(StreamError::Closed));
            },
            move |platform, client| async move {
                let sizes = sizes(to_server, to_client);
                let vchan = listen(&platform, &client, D0, PATH, sizes).await.unwrap();
                join(write(&vchan, 2, bytes), read(&vchan, 1, bytes)).await;
                assert!(vchan.is_open());
            },
        );
    }
}

#[test]
fn messages_are_whole() {
    for seed in 0..20 {
        machine(
            seed,
            |platform, client| async move {
                let vchan = connect(&platform, &client, D1, PATH).await.unwrap();
                for len in (1..=1024).step_by(31) {
                    let mut message = vec![0; len];
                    vchan.receive(&mut message).await.unwrap();
                    assert!(message.iter().all(|&byte| byte == len as u8));
                }
                assert_eq!(vchan.send(&[0; 1025]).await, Err(SendError::TooLong));
                assert_eq!(vchan.receive(&mut [0; 2049]).await, Err(SendError::TooLong));
                let closed = SendError::Stream(StreamError::Closed);
                assert_eq!(vchan.receive(&mut [0; 2]).await, Err(closed));
                // Half of a message is left, and can be read as a stream.
                assert_eq!(next(&vchan).await, Ok(1));
            },
            |platform, client| async move {
                let sizes = sizes(1024, 2048);
                let vchan = listen(&platform, &client, D0, PATH, sizes).await.unwrap();
                for len in (1..=1024).step_by(31) {
                    vchan.send(&vec![len as u8; len]).await.unwrap();
                }
                vchan.send(b"x").await.unwrap();
            },
        );
    }
}

#[test]
fn a_client_comes_again_and_finds_the_next_server() {
    for seed in 0..20 {
        machine(
            seed,
            |platform, client| async move {
                for round in 0..5 {
                    let vchan = connect(&platform, &client, D1, PATH).await.unwrap();
                    write(&vchan, round, 100).await;
                    assert_eq!(next(&vchan).await, Err(StreamError::Closed));
                    let written = poll_fn(|cx| vchan.poll_write(cx, b"x")).await;
                    assert_eq!(written, Err(StreamError::Closed));
                }
            },
            |platform, client| async move {
                for round in 0..5 {
                    let sizes = sizes(4096, 4096);
                    let vchan = listen(&platform, &client, D0, PATH, sizes).await.unwrap();
                    read(&vchan, round, 100).await;
                }
            },
        );
    }
}

#[test]
fn a_server_that_has_withdrawn_is_not_found() {
    machine(
        1,
        |platform, client| async move {
            let vchan = connect(&platform, &client, D1, PATH).await.unwrap();
            write(&vchan, 1, 10).await;
            // It stays, though its keys are gone.
            assert_eq!(next(&vchan).await, Ok(1));
            for key in ["ring-ref", "event-channel"] {
                let read = client.read(&format!("{PATH}/{key}")).await;
                assert!(read.unwrap_err().is_not_found());
            }
        },
        |platform, client| async move {
            let vchan = listen(&platform, &client, D0, PATH, Sizes::default())
                .await
                .unwrap();
            read(&vchan, 1, 10).await;
            withdraw(&client, PATH).await.unwrap();
            withdraw(&client, PATH).await.unwrap();
            vchan.send(b"x").await.unwrap();
            assert_eq!(next(&vchan).await, Err(StreamError::Closed));
        },
    );
}

#[test]
fn a_server_sees_its_client_go() {
    machine(
        1,
        |platform, client| async move {
            let vchan = connect(&platform, &client, D1, PATH).await.unwrap();
            write(&vchan, 1, 10).await;
        },
        |platform, client| async move {
            let vchan = listen(&platform, &client, D0, PATH, Sizes::default())
                .await
                .unwrap();
            read(&vchan, 1, 10).await;
            assert_eq!(next(&vchan).await, Err(StreamError::Closed));
            assert!(!vchan.is_open());
        },
    );
}

#[test]
fn what_cannot_be_is_refused() {
    machine(
        1,
        |platform, client| async move {
            let large = sizes(1, 2 << 20);
            let refused = listen(&platform, &client, D1, "/x", large)
                .await
                .unwrap_err();
            assert_eq!(refused, VchanError::TooLarge);
            client.write("/y/ring-ref", "many").await.unwrap();
            client.write("/y/event-channel", "1").await.unwrap();
            let refused = connect(&platform, &client, D1, "/y").await.unwrap_err();
            assert!(matches!(refused, VchanError::Key(_)), "{refused}");
        },
        |_, _| async move {},
    );
}

#[test]
fn larger_rings_than_are_wanted_are_not_taken_up() {
    machine(
        1,
        |platform, client| async move {
            for (most, taken) in [
                ((4096, 8192), false),
                ((8192, 4096), false),
                ((8192, 8192), true),
            ] {
                let most = sizes(most.0, most.1);
                let connected = connect_within(&platform, &client, D1, PATH, most).await;
                match connected {
                    Ok(_) => assert!(taken),
                    Err(error) => assert_eq!(
                        (error, taken),
                        (VchanError::NotWithin(13 | 13 << 16), false)
                    ),
                }
            }
        },
        |platform, client| async move {
            let sizes = sizes(8192, 8192);
            let vchan = listen(&platform, &client, D0, PATH, sizes).await.unwrap();
            assert_eq!(next(&vchan).await, Err(StreamError::Closed));
        },
    );
}

/// A server that writes what it likes: `damage` comes when its client is there, and has written something.
fn hostile(
    damage: impl Fn(&morgana_hal::SharedRegion) + Send + Copy + 'static,
    expected: StreamError,
) {
    use morgana_hal::{Channel, Events, Memory, Pages, SharedPages};
    machine(
        1,
        move |platform, client| async move {
            let vchan = connect(&platform, &client, D1, PATH).await.unwrap();
            poll_fn(|cx| vchan.poll_write(cx, b"hello")).await.unwrap();
            assert_eq!(next(&vchan).await, Err(expected));
            let written = poll_fn(|cx| vchan.poll_write(cx, b"x")).await;
            assert_eq!(written, Err(expected));
        },
        move |platform, client| async move {
            let page = platform.memory().share(D0, 1).unwrap();
            let channel = platform.events().listen(D0).unwrap();
            // Rings of 1 KiB and 2 KiB inside the page; both ends there; the client is to tell of what it writes.
            page.region().store_u32(16, 10 | 11 << 16);
            page.region().write(20, &[2, 1, 3, 0]);
            let keys = [
                ("ring-ref", page.grants()[0].number()),
                ("event-channel", channel.port().number()),
            ];
            for (key, number) in keys {
                client
                    .write(&format!("{PATH}/{key}"), number.to_string())
                    .await
                    .unwrap();
                let nobody = |domain, access| morgana_xenstore_wire::Permission { domain, access };
                let permissions = [
                    nobody(D1, morgana_xenstore_wire::Access::None),
                    nobody(D0, morgana_xenstore_wire::Access::Read),
                ];
                client
                    .set_permissions(&format!("{PATH}/{key}"), &permissions)
                    .await
                    .unwrap();
            }
            while page.region().load_u32(4) != 5 {
                let seen = channel.count();
                if page.region().load_u32(4) != 5 {
                    channel.after(seen).await;
                }
            }
            damage(page.region());
            channel.notify();
            // Until the client has let go.
            let mut live = [1];
            while live != [0] {
                let seen = channel.count();
                page.region().read(20, &mut live);
                if live != [0] {
                    channel.after(seen).await;
                }
            }
        },
    );
}

#[test]
fn impossible_indices_end_it() {
    // The server claims to have written more than its ring holds.
    hostile(|page| page.store_u32(12, 2049), StreamError::BadIndices);
    hostile(|page| page.store_u32(12, u32::MAX), StreamError::BadIndices);
}

#[test]
fn a_server_that_goes_in_between_closes_it() {
    hostile(|page| page.write(21, &[0]), StreamError::Closed);
}
