//! What the daemon takes with as many guests, and as many nodes of each, as a stub-domain of 8 MiB is made for.

use std::rc::Rc;

use morgana_emul::{DomainConfig, HeapAccounts, Lockstep, XenstoreServer};
use morgana_exec::Notify;
use morgana_hal::{DomId, Exit, Platform};
use morgana_xenstore_client::Client;
use morgana_xenstore_wire::{Access, Permission};
use morgana_xenstored::{Quota, Rights, Server};

#[global_allocator]
static HEAP: HeapAccounts = HeapAccounts;

const D0: DomId = DomId::new(0);
const GUESTS: u16 = 50;
/// What a guest may own, its home included (`Quota::nodes`).
const NODES: usize = 1000;
/// Bytes of heap that it may take, of the 7 MiB and more that the domain has: the kernel's heap rounds sizes up, and there is to be room for
/// what comes and goes.
const MOST: usize = 4 << 20;

#[test]
fn fifty_guests_with_a_thousand_nodes_each_leave_half_of_the_memory() {
    let mut world = Lockstep::new(50);
    let create = |server| {
        let config = DomainConfig {
            xenstore: Some(server),
            ..DomainConfig::default()
        };
        world.hypervisor().create(config).unwrap()
    };
    let first = create(XenstoreServer::Itself);
    let guests: Vec<_> = (0..GUESTS)
        .map(|_| create(XenstoreServer::Domain(D0)))
        .collect();
    let ring = |domain: &morgana_emul::Domain| {
        let ring = domain.xenstore_ring().unwrap();
        (domain.id(), ring.port())
    };
    let own = ring(&first);
    let rings: Vec<_> = guests.iter().map(ring).collect();
    let (introduced, full, looked) = signals();
    for guest in guests {
        let (introduced, full, looked) = (introduced.clone(), full.clone(), looked.clone());
        world.start(guest, |platform, tasks| async move {
            introduced.after(0).await;
            let client = Client::start(platform.xenstore().unwrap(), &tasks).unwrap();
            fill(&client).await;
            full.notify();
            looked.after(0).await;
            Exit::Poweroff
        });
    }
    world.start(first, |platform, tasks| async move {
        let before = platform.usage().heap_used_bytes;
        let server = Server::new(platform.clone(), &tasks, Quota::default());
        server.introduce(own.0, own.1, Rights::Control).unwrap();
        let client = Client::start(platform.xenstore().unwrap(), &tasks).unwrap();
        for (domain, port) in rings {
            server.introduce(domain, port, Rights::Guest).unwrap();
            let home = format!("/local/domain/{}", domain.number());
            client.make(&home).await.unwrap();
            let access = Access::None;
            let owner = Permission { domain, access };
            client.set_permissions(&home, &[owner]).await.unwrap();
        }
        let served = platform.usage().heap_used_bytes - before;
        introduced.notify();
        while full.count() < u64::from(GUESTS) {
            full.after(full.count()).await;
        }
        let taken = platform.usage().heap_used_bytes - before;
        println!("{served} bytes for {GUESTS} guests, {taken} with their nodes");
        assert!(taken < MOST, "{taken}");
        looked.notify();
        Exit::Poweroff
    });
    assert_eq!(world.run(), Ok(()));
    world.hypervisor().assert_clean();
}

type Signal = Rc<Notify>;

fn signals() -> (Signal, Signal, Signal) {
    Default::default()
}

/// Makes nodes until there are as many as the guest may own.
async fn fill(client: &Client) {
    // The home and the folder of all folders.
    let mut owned = 2;
    for folder in 0.. {
        owned += 1;
        for node in 0..24 {
            let path = format!("data/folder-{folder}/node-{folder}-{node}");
            if client.write(&path, "12345678").await.is_err() {
                assert_eq!(owned, NODES);
                return;
            }
            owned += 1;
        }
    }
}
