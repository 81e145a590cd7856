//! What the daemon takes with as many guests, and as many nodes of each, as a stub-domain of 8 MiB is made for.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::{Context, Poll};

use morgana_emul::{DomainConfig, HeapAccounts, Lockstep, XenstoreServer};
use morgana_exec::Notify;
use morgana_hal::{ByteStream, DomId, Exit, Platform, StreamError};
use morgana_xenstore_client::Client;
use morgana_xenstore_migration::Descriptor;
use morgana_xenstore_wire::{Access, Permission, Request, RequestId, TransactionId};
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

/// Watches of each guest (`Quota::watches`).
const WATCHES: usize = 128;
/// Bytes of heap that an event may take while it waits, whatever the lengths of its path and its token.
const EVENT: usize = 256;

/// A client's end of a stream: it sends what it has, and at some time takes nothing more.
struct Deaf {
    requests: Rc<RefCell<Vec<u8>>>,
    is_deaf: Rc<Cell<bool>>,
}

impl ByteStream for Deaf {
    fn poll_read(
        &self,
        _: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<Result<usize, StreamError>> {
        let mut requests = self.requests.borrow_mut();
        let len = requests.len().min(buffer.len());
        if len == 0 {
            return Poll::Pending;
        }
        buffer[..len].copy_from_slice(&requests[..len]);
        requests.drain(..len);
        Poll::Ready(Ok(len))
    }

    fn poll_write(&self, _: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize, StreamError>> {
        if self.is_deaf.get() {
            return Poll::Pending;
        }
        Poll::Ready(Ok(bytes.len()))
    }
}

/// One change of a node that all guests watch as often as they may, with long tokens, must not end a domain that has little memory.
#[test]
fn xsa_326_events_of_many_watches_take_little_memory() {
    let mut world = Lockstep::new(1);
    let config = DomainConfig {
        xenstore: Some(XenstoreServer::Itself),
        ..DomainConfig::default()
    };
    let first = world.hypervisor().create(config).unwrap();
    let own = first.xenstore_ring().unwrap().port();
    world.start(first, move |platform, tasks| async move {
        let server = Server::new(platform.clone(), &tasks, Quota::default());
        server.introduce(D0, own, Rights::Control).unwrap();
        let client = Client::start(platform.xenstore().unwrap(), &tasks).unwrap();
        let path = format!("/{}", "long".repeat(200));
        client.write(&path, "1").await.unwrap();
        let everybody = Permission {
            domain: D0,
            access: Access::Read,
        };
        client.set_permissions(&path, &[everybody]).await.unwrap();
        let (is_deaf, mut all) = (Rc::new(Cell::new(false)), Vec::new());
        for guest in 1..=GUESTS {
            let requests = Rc::new(RefCell::new(watches(&path)));
            all.push(requests.clone());
            let is_deaf = is_deaf.clone();
            let stream = Deaf { requests, is_deaf };
            let guest = DomId::new(guest);
            server
                .connect(guest, stream, Descriptor::NONE, Rights::Guest)
                .unwrap();
        }
        // The others have their turns while this one waits.
        while all.iter().any(|requests| !requests.borrow().is_empty()) {
            client.read(&path).await.unwrap();
        }
        for _ in 0..WATCHES {
            client.read(&path).await.unwrap();
        }
        is_deaf.set(true);
        let before = platform.usage().heap_used_bytes;
        client.write(&path, "2").await.unwrap();
        let taken = platform.usage().heap_used_bytes - before;
        let events = WATCHES * usize::from(GUESTS);
        println!("{taken} bytes for {events} events");
        assert!(taken > events * 16, "they were not all sent: {taken}");
        assert!(taken < events * EVENT, "{taken}");
        Exit::Poweroff
    });
    assert_eq!(world.run(), Ok(()));
}

/// Requests for as many watches as there may be, each with a token of its own.
fn watches(path: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for number in 0..WATCHES {
        let (token, depth) = (format!("{number:0900}"), None);
        let token = token.as_str();
        let request = Request::Watch { path, token, depth };
        request
            .encode(RequestId(1), TransactionId::NONE, &mut bytes)
            .unwrap();
    }
    bytes
}
