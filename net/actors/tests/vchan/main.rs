//! Two domains of the emulation, in lockstep, whose nodes talk over a vchan.

#[path = "../remote/support.rs"]
#[allow(
    dead_code,
    reason = "of what it has, some is for the tests over other streams"
)]
mod support;

use std::future::Future;

use morgana_actors::{Ended, LinkError, Near, Place, RequestError, Way};
use morgana_emul::{DomainConfig, EmulPlatform, Lockstep, XenstoreServer};
use morgana_exec::{Duplex, Handle, select};
use morgana_hal::{DomId, Exit, Platform, StreamError};
use morgana_vchan::{Sizes, connect, listen};
use morgana_xenstore_client::{Client, Error};
use morgana_xenstore_wire::{Access, Permission};
use morgana_xenstored::{Quota, Rights, Server};

use support::{MS, Message, node, server};

const D0: DomId = DomId::new(0);
const D1: DomId = DomId::new(1);
const PATH: &str = "/local/domain/1/data/actors";

#[test]
fn nodes_of_two_domains_talk_and_the_end_of_one_is_told() {
    for seed in 0..20 {
        machine(seed, first, second);
    }
}

/// The client in domain 0.
async fn first(platform: EmulPlatform, tasks: Handle, store: Client) {
    let place = Place {
        near: Some(Near {
            host: 7,
            domain: D1,
            path: PATH.into(),
        }),
        tcp: "10.0.0.2:7000".parse().unwrap(),
    };
    let way = place
        .dial(
            Some(7),
            &tasks.timers(),
            10_000 * MS,
            async |domain, path: &str| connect(&platform, &store, domain, path).await,
            async |_| Err::<Duplex, ()>(()),
        )
        .await
        .unwrap();
    assert!(matches!(way, Way::Vchan(_)));
    let (link, running) = node(&tasks, 2, 1).attach(way);
    let connection = tasks.spawn(running).unwrap();
    let clerk = link.lookup::<Message>("clerk", 4).await.unwrap();
    for number in 0..100 {
        clerk.send(Message::Note(number)).await.unwrap();
    }
    let timers = tasks.timers();
    let seen = clerk.request(&timers, 1_000 * MS, Message::Seen).await;
    assert_eq!(seen, Ok((0..100).collect()));
    // The other domain goes while this waits.
    clerk.send(Message::Sleep(10_000)).await.unwrap();
    let seen = clerk.request(&timers, 5_000 * MS, Message::Seen).await;
    assert_eq!(seen, Err(RequestError::PeerGone));
    assert_eq!(clerk.ended().await, Ended::PeerGone);
    let closed = LinkError::Stream(StreamError::Closed);
    assert_eq!(connection.await, Some(closed));
}

/// The server, which ends in the midst of its work.
async fn second(platform: EmulPlatform, tasks: Handle, store: Client) {
    let (far, _clerk, notes) = server(&tasks, 1);
    let vchan = listen(&platform, &store, D0, PATH, Sizes::default())
        .await
        .unwrap();
    let (_link, running) = far.attach(vchan);
    let timers = tasks.timers();
    let enough = async {
        while notes.borrow().len() < 100 {
            timers.sleep(MS).await;
        }
        timers.sleep(1_000 * MS).await;
    };
    select(running, enough).await;
}

/// A machine of a domain 0, which is the client and has the daemon, and a guest, which is the server.
fn machine<A, B>(
    seed: u64,
    client: impl FnOnce(EmulPlatform, Handle, Client) -> A + Send + 'static,
    server: impl FnOnce(EmulPlatform, Handle, Client) -> B + Send + 'static,
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
    let own = hypervisor.create(config(XenstoreServer::Itself)).unwrap();
    let guest = hypervisor
        .create(config(XenstoreServer::Domain(D0)))
        .unwrap();
    let ports = [&own, &guest].map(|domain| domain.xenstore_ring().unwrap().port());
    world.start(own, move |platform, tasks| async move {
        let daemon = Server::new(platform.clone(), &tasks, Quota::default());
        daemon.introduce(D0, ports[0], Rights::Control).unwrap();
        let store = Client::start(platform.xenstore().unwrap(), &tasks).unwrap();
        home(&store).await.unwrap();
        daemon.introduce(D1, ports[1], Rights::Guest).unwrap();
        client(platform, tasks, store.clone()).await;
        // The daemon serves until the guest has ended.
        let watch = store.watch("/local/domain/1/ended").await.unwrap();
        while store.read("/local/domain/1/ended").await.is_err() {
            watch.next().await.unwrap();
        }
        Exit::Poweroff
    });
    world.start(guest, move |platform, tasks| async move {
        let store = Client::start(platform.xenstore().unwrap(), &tasks).unwrap();
        server(platform, tasks, store.clone()).await;
        store.write("ended", "1").await.unwrap();
        Exit::Poweroff
    });
    assert_eq!(world.run(), Ok(()), "seed {seed}");
    world.hypervisor().assert_clean();
}

/// What a toolstack makes for the guest.
async fn home(client: &Client) -> Result<(), Error> {
    client.write("/local/domain/0/domid", "0").await?;
    client.write("/local/domain/1/domid", "1").await?;
    client.write("/local/domain/1/data", "").await?;
    let owner = Permission {
        domain: D1,
        access: Access::None,
    };
    for path in [
        "/local/domain/1/domid",
        "/local/domain/1/data",
        "/local/domain/1",
    ] {
        client.set_permissions(path, &[owner]).await?;
    }
    Ok(())
}
