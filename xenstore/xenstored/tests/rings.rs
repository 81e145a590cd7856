//! What a domain can do with its ring: begin anew, leave events unread, ask without end, and be introduced again.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::time::Duration;

use morgana_emul::{Domain, DomainConfig, EmulPlatform, Lockstep, XenstoreServer};
use morgana_exec::{Handle, Notify, duplex};
use morgana_hal::{ByteStream, Channel, DomId, Exit, Pages, Platform, Port};
use morgana_xenstore_client::Client;
use morgana_xenstore_wire::{Decoder, Operation, Request, RequestId, TransactionId, WatchEvent};
use morgana_xenstored::{Descriptor, Quota, Rights, Server};

const D0: DomId = DomId::new(0);
const D1: DomId = DomId::new(1);

/// Where the fields of the page are (docs/misc/xenstore-ring.txt).
const GUEST_PRODUCER: usize = 2052;
const CONNECTION: usize = 2068;
const ERROR: usize = 2072;

/// `XENSTORE_RECONNECT`.
const RECONNECT: u32 = 1;

type Ring = <EmulPlatform as Platform>::Xenstore;

fn machine(seed: u64, guests: usize) -> (Lockstep, Domain, VecDeque<Domain>) {
    let world = Lockstep::new(seed);
    let create = |server| {
        let config = DomainConfig {
            xenstore: Some(server),
            ..DomainConfig::default()
        };
        world.hypervisor().create(config).unwrap()
    };
    let first = create(XenstoreServer::Itself);
    let guests = (0..guests)
        .map(|_| create(XenstoreServer::Domain(D0)))
        .collect();
    (world, first, guests)
}

/// Domain 0 serves itself and the guests, which own their homes.
async fn domain_0(
    platform: &EmulPlatform,
    tasks: &Handle,
    rings: &[(DomId, Port)],
) -> (Server<EmulPlatform>, Client) {
    let server = Server::new(platform.clone(), tasks, Quota::default());
    for &(domain, port) in rings {
        let rights = if domain == D0 {
            Rights::Control
        } else {
            Rights::Guest
        };
        server.introduce(domain, port, rights).unwrap();
    }
    let client = Client::start(platform.xenstore().unwrap(), tasks).unwrap();
    for &(domain, _) in &rings[1..] {
        let home = format!("/local/domain/{}", domain.number());
        client.make(&home).await.unwrap();
        let access = morgana_xenstore_wire::Access::None;
        let owner = morgana_xenstore_wire::Permission { domain, access };
        client.set_permissions(&home, &[owner]).await.unwrap();
    }
    (server, client)
}

fn ring(domain: &Domain) -> (DomId, Port) {
    (domain.id(), domain.xenstore_ring().unwrap().port())
}

/// A client's end of its stream, packet by packet.
struct Peer<S> {
    ring: S,
    decoder: RefCell<Decoder>,
    events: RefCell<Vec<String>>,
}

/// A guest, at its ring.
type Guest = Peer<Ring>;

impl<S: ByteStream> Peer<S> {
    fn new(ring: S) -> Self {
        Self {
            ring,
            decoder: RefCell::new(Decoder::new()),
            events: RefCell::default(),
        }
    }

    async fn send(&self, request: Request<'_>) {
        let mut bytes = Vec::new();
        request
            .encode(RequestId(1), TransactionId::NONE, &mut bytes)
            .unwrap();
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let len = poll_fn(|cx| self.ring.poll_write(cx, rest)).await.unwrap();
            rest = &rest[len..];
        }
    }

    /// The next packet: an event (`None`), which is kept, or a reply's payload.
    async fn receive(&self) -> Option<String> {
        loop {
            if let Some(packet) = self.decoder.borrow_mut().next().unwrap() {
                if packet.header.operation() == Some(Operation::WatchEvent) {
                    let event = WatchEvent::parse(packet.payload).unwrap();
                    self.events.borrow_mut().push(event.path.into());
                    return None;
                }
                return Some(String::from_utf8_lossy(packet.payload).replace('\0', "|"));
            }
            let read = poll_fn(|cx| self.ring.poll_read(cx, self.decoder.borrow_mut().space()));
            let len = read.await.unwrap();
            self.decoder.borrow_mut().filled(len);
        }
    }

    async fn ask(&self, request: Request<'_>) -> String {
        self.send(request).await;
        loop {
            if let Some(reply) = self.receive().await {
                return reply;
            }
        }
    }
}

impl Guest {
    /// Waits until a field of the page has this value.
    async fn until(&self, field: usize, value: u32) {
        loop {
            let seen = self.ring.channel().count();
            if self.ring.pages().region().load_u32(field) == value {
                return;
            }
            self.ring.channel().after(seen).await;
        }
    }

    fn set(&self, field: usize, value: u32) {
        self.ring.pages().region().store_u32(field, value);
        self.ring.channel().notify();
    }

    async fn reconnect(&self) {
        self.set(CONNECTION, RECONNECT);
        self.until(CONNECTION, 0).await;
        self.forget();
    }

    /// Nothing is under way any more.
    fn forget(&self) {
        self.ring.reset();
        *self.decoder.borrow_mut() = Decoder::new();
    }
}

fn write<'a>(path: &'a str, value: &'a str) -> Request<'a> {
    let value = value.as_bytes();
    Request::Write { path, value }
}

fn watch<'a>(path: &'a str, token: &'a str) -> Request<'a> {
    let depth = None;
    Request::Watch { path, token, depth }
}

/// Lets the guest's task know that its home is there.
fn signal() -> (Rc<Notify>, Rc<Notify>) {
    let notify = Rc::new(Notify::new());
    (notify.clone(), notify)
}

#[test]
fn a_domain_begins_anew_whenever_it_likes() {
    for seed in 0..20 {
        let (mut world, first, mut guests) = machine(seed, 1);
        let rings = [&first, &guests[0]].map(ring);
        let (ready, is_ready) = signal();
        let (done, is_done) = signal();
        world.start(first, |platform, tasks| async move {
            let (server, client) = domain_0(&platform, &tasks, &rings).await;
            ready.notify();
            is_done.after(0).await;
            // What was watched before is not watched any more, and what was half sent is forgotten.
            assert_eq!(client.read("/local/domain/1/b").await.unwrap(), b"2");
            assert!(client.read("/local/domain/1/half").await.is_err());
            assert_eq!(server.domains(), [D0, D1]);
            Exit::Poweroff
        });
        world.start(guests.pop_front().unwrap(), |platform, _| async move {
            is_ready.after(0).await;
            let guest = Guest::new(platform.xenstore().unwrap());
            assert_eq!(guest.ask(watch("b", "t")).await, "OK|");
            assert_eq!(guest.ask(Request::TransactionStart).await, "1|");
            let _ = poll_fn(|cx| guest.ring.poll_write(cx, b"half a header")).await;
            guest.reconnect().await;
            guest.events.borrow_mut().clear();
            assert_eq!(guest.ask(write("b", "1")).await, "OK|");
            assert_eq!(guest.ask(Request::TransactionStart).await, "2|");
            assert_eq!(*guest.events.borrow(), [""; 0]);
            // Nor does a ring that is broken stay so.
            guest.set(GUEST_PRODUCER, 5_000);
            guest.until(ERROR, 2).await;
            guest.reconnect().await;
            guest.until(ERROR, 0).await;
            assert_eq!(guest.ask(write("b", "2")).await, "OK|");
            // It may ask for it over and over.
            for _ in 0..50 {
                guest.reconnect().await;
            }
            assert_eq!(guest.ask(write("b", "2")).await, "OK|");
            done.notify();
            Exit::Poweroff
        });
        assert_eq!(world.run(), Ok(()), "seed {seed}");
        world.hypervisor().assert_clean();
    }
}

#[test]
fn xsa_326_a_domain_that_leaves_its_events_unread_finds_one_for_each_watch() {
    let (mut world, first, mut guests) = machine(3, 1);
    let rings = [&first, &guests[0]].map(ring);
    let (ready, is_ready) = signal();
    let (watching, is_watching) = signal();
    let (flooded, is_flooded) = signal();
    let (done, is_done) = signal();
    world.start(first, |platform, tasks| async move {
        let (_server, client) = domain_0(&platform, &tasks, &rings).await;
        ready.notify();
        client.make("/flood").await.unwrap();
        let readable = morgana_xenstore_wire::Permission {
            domain: D0,
            access: morgana_xenstore_wire::Access::Read,
        };
        client.set_permissions("/flood", &[readable]).await.unwrap();
        is_watching.after(0).await;
        for number in 0..5000 {
            let path = format!("/flood/{number}");
            client.write(&path, "1").await.unwrap();
        }
        flooded.notify();
        is_done.after(0).await;
        Exit::Poweroff
    });
    world.start(guests.pop_front().unwrap(), |platform, _| async move {
        is_ready.after(0).await;
        let guest = Guest::new(platform.xenstore().unwrap());
        assert_eq!(guest.ask(watch("/flood", "f")).await, "OK|");
        assert_eq!(guest.ask(watch("quiet", "q")).await, "OK|");
        watching.notify();
        is_flooded.after(0).await;
        guest.events.borrow_mut().clear();
        assert_eq!(guest.ask(write("last", "1")).await, "OK|");
        let events = guest.events.borrow();
        assert!(events.len() < 1200, "{}", events.len());
        // Both watches are told of since the last events that were dropped.
        assert!(events.iter().any(|path| path == "/flood"));
        assert!(events.iter().any(|path| path == "quiet"));
        done.notify();
        Exit::Poweroff
    });
    assert_eq!(world.run(), Ok(()));
}

/// Two guests that never stop asking, one of them without reading: others are served between.
#[test]
fn nobody_starves() {
    for seed in 0..4 {
        let (mut world, first, mut guests) = machine(seed, 2);
        let rings = [&first, &guests[0], &guests[1]].map(ring);
        let (ready, is_ready) = signal();
        let over = Rc::new(Cell::new(false));
        let ends = over.clone();
        world.start(first, |platform, tasks| async move {
            let (_server, client) = domain_0(&platform, &tasks, &rings).await;
            ready.notify();
            for number in 0..200 {
                client.write("/own", number.to_string()).await.unwrap();
            }
            ends.set(true);
            Exit::Poweroff
        });
        let (deaf, greedy) = (guests.pop_front().unwrap(), guests.pop_front().unwrap());
        let ready_too = is_ready.clone();
        world.start(deaf, |platform, tasks| async move {
            is_ready.after(0).await;
            let guest = Guest::new(platform.xenstore().unwrap());
            // Its requests are taken until its replies fill the ring and the quota; then it waits, for itself.
            let asking = async {
                loop {
                    guest.send(Request::Read { path: "x" }).await;
                }
            };
            let limit = tasks.timers().sleep(Duration::from_millis(20));
            morgana_exec::select(asking, limit).await;
            Exit::Poweroff
        });
        let is_over = over.clone();
        world.start(greedy, |platform, _| async move {
            ready_too.after(0).await;
            let guest = Guest::new(platform.xenstore().unwrap());
            let mut asked = 0;
            while !is_over.get() {
                guest.ask(write("x", "1")).await;
                asked += 1;
            }
            assert!(asked > 10, "{asked}");
            Exit::Poweroff
        });
        assert_eq!(world.run(), Ok(()), "seed {seed}");
    }
}

/// A toolstack introduces a domain that is served already, as after a soft reset.
#[test]
fn a_domain_is_introduced_again() {
    for seed in 0..10 {
        let (mut world, first, mut guests) = machine(seed, 1);
        let rings = [&first, &guests[0]].map(ring);
        let (ready, is_ready) = signal();
        let (watching, is_watching) = signal();
        let (again, is_again) = signal();
        let (done, is_done) = signal();
        world.start(first, |platform, tasks| async move {
            let (server, client) = domain_0(&platform, &tasks, &rings).await;
            ready.notify();
            is_watching.after(0).await;
            let (ours, theirs) = duplex(4096);
            server
                .connect(D0, theirs, Descriptor::NONE, Rights::Control)
                .unwrap();
            let (domain, port) = rings[1];
            let introduce = Request::Introduce {
                domain,
                frame: 1,
                port: port.number(),
            };
            assert_eq!(Peer::new(ours).ask(introduce).await, "OK|");
            assert_eq!(server.domains(), [D0, D1]);
            again.notify();
            is_done.after(0).await;
            assert_eq!(client.read("/local/domain/1/b").await.unwrap(), b"1");
            Exit::Poweroff
        });
        world.start(guests.pop_front().unwrap(), |platform, _| async move {
            is_ready.after(0).await;
            let guest = Guest::new(platform.xenstore().unwrap());
            assert_eq!(guest.ask(watch("b", "t")).await, "OK|");
            watching.notify();
            is_again.after(0).await;
            guest.forget();
            assert_eq!(guest.ask(write("b", "1")).await, "OK|");
            assert_eq!(*guest.events.borrow(), [""; 0]);
            done.notify();
            Exit::Poweroff
        });
        assert_eq!(world.run(), Ok(()), "seed {seed}");
        world.hypervisor().assert_clean();
    }
}
