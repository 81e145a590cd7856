//! Domains of the emulation, served over their rings, in lockstep.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use morgana_emul::{Domain, DomainConfig, EmulPlatform, Lockstep, XenstoreServer};
use morgana_exec::{Handle, Notify};
use morgana_hal::{DomId, Exit, Platform, SharedPages};
use morgana_xenstore_client::{Changed, Client, Error};
use morgana_xenstore_wire::Errno;
use morgana_xenstored::{Features, Quota, Rights, Server};

const D0: DomId = DomId::new(0);
const D1: DomId = DomId::new(1);
const D2: DomId = DomId::new(2);

fn config(server: XenstoreServer) -> DomainConfig {
    DomainConfig {
        xenstore: Some(server),
        ..DomainConfig::default()
    }
}

/// A machine with domain 0, not started yet, and guests that it is to serve.
fn machine(seed: u64, guests: usize) -> (Lockstep, Domain, Vec<Domain>) {
    let world = Lockstep::new(seed);
    let hypervisor = world.hypervisor();
    let first = hypervisor.create(config(XenstoreServer::Itself)).unwrap();
    let create = || {
        hypervisor
            .create(config(XenstoreServer::Domain(D0)))
            .unwrap()
    };
    let guests = (0..guests).map(|_| create()).collect();
    (world, first, guests)
}

/// What domain 0 does: serves itself and all that is in `ports`, and then lets `toolstack` work.
async fn domain_0(
    platform: EmulPlatform,
    tasks: Handle,
    rings: Vec<(DomId, morgana_hal::Port)>,
) -> (Server<EmulPlatform>, Client) {
    let server = Server::new(platform.clone(), &tasks, Quota::default());
    for (domain, port) in rings {
        let rights = if domain == D0 {
            Rights::Control
        } else {
            Rights::Guest
        };
        server.introduce(domain, port, rights).unwrap();
    }
    let client = Client::start(platform.xenstore().unwrap(), &tasks).unwrap();
    (server, client)
}

fn ring(domain: &Domain) -> (DomId, morgana_hal::Port) {
    (domain.id(), domain.xenstore_ring().unwrap().port())
}

fn connect(platform: &EmulPlatform, tasks: &Handle) -> Client {
    Client::start(platform.xenstore().unwrap(), tasks).unwrap()
}

#[test]
fn two_guests_and_the_control_domain_share_a_tree() {
    for seed in 0..20 {
        let (mut world, first, guests) = machine(seed, 2);
        let rings = [&first, &guests[0], &guests[1]].map(ring).to_vec();
        world.start(first, |platform, tasks| async move {
            let (server, client) = domain_0(platform, tasks, rings).await;
            assert_eq!(server.domains(), [D0, D1, D2]);
            for number in 1..=2 {
                let home = format!("/local/domain/{number}");
                client.make(&home).await.unwrap();
                let owner = morgana_xenstore_wire::Permission {
                    domain: DomId::new(number),
                    access: morgana_xenstore_wire::Access::Read,
                };
                client.set_permissions(&home, &[owner]).await.unwrap();
            }
            // The first guest counts, and the second answers each of its numbers.
            let watch = client.watch("/local/domain/2/done").await.unwrap();
            loop {
                watch.next().await.unwrap();
                match client.read("/local/domain/2/done").await {
                    Ok(_) => break,
                    Err(error) => assert!(error.is_not_found(), "{error}"),
                }
            }
            let sum: u32 = client.read_number("/local/domain/1/sum").await.unwrap();
            assert_eq!(sum, 55);
            Exit::Poweroff
        });
        let mut guests = guests.into_iter();
        world.start(guests.next().unwrap(), |platform, tasks| async move {
            let client = connect(&platform, &tasks);
            until_home(&client, 1).await;
            for number in 1..=10u32 {
                let sum = client.transaction(async |tree| {
                    let sum: u32 = tree.read_number_or("sum", 0).await.unwrap();
                    tree.write("sum", (sum + number).to_string()).await?;
                    Ok::<_, Error>(())
                });
                sum.await.unwrap();
            }
            client.write("done", "1").await.unwrap();
            Exit::Poweroff
        });
        world.start(guests.next().unwrap(), |platform, tasks| async move {
            let client = connect(&platform, &tasks);
            until_home(&client, 2).await;
            let watch = client.watch("/local/domain/1").await.unwrap();
            while client.read("/local/domain/1/done").await.is_err() {
                let changed = watch.next().await.unwrap();
                assert!(
                    !matches!(changed, Changed::Path(path) if path.starts_with("/local/domain/2"))
                );
            }
            let mine = client.write("/local/domain/1/sum", "0").await.unwrap_err();
            assert_eq!(mine, Error::Refused(Errno::Access));
            client.write("done", "1").await.unwrap();
            Exit::Poweroff
        });
        let all_done = world.run();
        assert_eq!(all_done, Ok(()), "seed {seed}");
        world.hypervisor().assert_clean();
    }
}

/// Waits until the toolstack has made the guest's home.
async fn until_home(client: &Client, number: u16) {
    let home = format!("/local/domain/{number}");
    let watch = client.watch(&home).await.unwrap();
    while client.write("here", "1").await.is_err() {
        watch.next().await.unwrap();
    }
}

#[test]
fn a_guest_that_dies_is_released_and_its_ring_let_go() {
    for seed in 0..20 {
        let (mut world, first, mut guests) = machine(seed, 1);
        let rings = [&first, &guests[0]].map(ring).to_vec();
        let hypervisor = world.hypervisor().clone();
        world.start(first, |platform, tasks| async move {
            let (server, client) = domain_0(platform, tasks.clone(), rings).await;
            let gone = client.watch("@releaseDomain").await.unwrap();
            gone.next().await.unwrap();
            tasks.timers().sleep(Duration::from_micros(200)).await;
            assert!(hypervisor.kill(D1));
            assert!(server.release(D1));
            assert!(!server.release(D1));
            gone.next().await.unwrap();
            assert!(!client.is_introduced(D1).await.unwrap());
            assert!(client.is_introduced(D0).await.unwrap());
            assert_eq!(server.domains(), [D0]);
            Exit::Poweroff
        });
        world.start(guests.remove(0), |platform, tasks| async move {
            let client = connect(&platform, &tasks);
            loop {
                let refused = client.write("x", "1").await.unwrap_err();
                assert_eq!(refused, Error::Refused(Errno::Access));
            }
        });
        assert_eq!(world.run(), Ok(()), "seed {seed}");
        world.hypervisor().assert_clean();
    }
}

#[test]
fn a_guest_that_breaks_its_ring_harms_nobody_else() {
    let (mut world, first, mut guests) = machine(7, 1);
    let rings = [&first, &guests[0]].map(ring).to_vec();
    let broken = Rc::new(Notify::new());
    let is_alone = Rc::new(RefCell::new(false));
    let witness = is_alone.clone();
    let seen = broken.clone();
    world.start(first, |platform, tasks| async move {
        let (server, client) = domain_0(platform, tasks.clone(), rings).await;
        client.write("/alive", "1").await.unwrap();
        seen.after(0).await;
        tasks.timers().sleep(Duration::from_millis(1)).await;
        client.write("/alive", "2").await.unwrap();
        *witness.borrow_mut() = server.domains() == [D0];
        Exit::Poweroff
    });
    world.start(guests.remove(0), |platform, tasks| async move {
        let stream = platform.xenstore().unwrap();
        // The guest's producer index (io/xs_wire.h, `req_prod`) is further than the ring is long.
        let page = stream.pages();
        assert_eq!(page.grants().len(), 1);
        morgana_hal::Pages::region(page).store_u32(2052, 5_000);
        morgana_hal::Channel::notify(stream.channel());
        broken.notify();
        tasks.timers().sleep(Duration::from_millis(5)).await;
        // What the daemon could do, and why it does it no more (`server_features`, `error`: `XENSTORE_ERROR_RINGIDX`).
        let region = morgana_hal::Pages::region(page);
        assert_eq!(region.load_u32(2064), Features::all().bits());
        assert_eq!(region.load_u32(2072), 2);
        Exit::Poweroff
    });
    assert_eq!(world.run(), Ok(()));
    assert!(*is_alone.borrow());
    world.hypervisor().assert_clean();
}
