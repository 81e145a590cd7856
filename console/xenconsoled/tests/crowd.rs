//! What the daemon takes with as many guests as a stub-domain of 8 MiB is made for, of which each has written more than anybody reads.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll};

use morgana_emul::{DomainConfig, EmulPlatform, HeapAccounts, Lockstep, XenstoreServer};
use morgana_exec::{Handle, Notify, select};
use morgana_hal::{
    ByteStream, Channel, Clock, DomId, Events, Exit, GrantRef, Memory, Platform, Port, SharedPages,
    StreamError, WallTime,
};
use morgana_ring::{ByteLayout, RingStream, Side};
use morgana_vchan::{Sizes, connect, listen};
use morgana_xenconsoled::{
    AttachError, Daemon, Guests, Helper, Host, Link, Log, Options, Outlets, PlatformRing,
};
use morgana_xenstore_client::{Client, Config};
use morgana_xenstore_wire::{Access, Permission};
use morgana_xenstored::{Quota, Rights, Server};

#[global_allocator]
static HEAP: HeapAccounts = HeapAccounts;

const D0: DomId = DomId::new(0);
const SERVER: DomId = DomId::new(1);
const GUESTS: u16 = 50;
/// What each writes, in bytes: more than is kept for a terminal that nobody reads.
const WRITTEN: usize = 40_000;
/// What is kept, as in a stub-domain of 8 MiB.
const KEPT: usize = 14 << 10;
/// Bytes of heap that it may take, of the 7 MiB and more that the domain has: the kernel's heap rounds sizes up, and there is to be room for
/// what comes and goes.
const MOST: usize = 4 << 20;
const LINK: &str = "/local/domain/1/data/consoles";

/// Where guests' rings are.
type Rings = Rc<RefCell<BTreeMap<DomId, (GrantRef, Port)>>>;

/// What one domain tells others.
#[derive(Clone, Default)]
struct Signals {
    introduced: Rc<Notify>,
    /// Each guest's ring is there; all are served.
    ready: Rc<Notify>,
    /// All that was written is logged.
    logged: Rc<Notify>,
    /// The stub-domain's memory was looked at.
    looked: Rc<Notify>,
    rings: Rings,
}

#[test]
fn fifty_guests_that_nobody_looks_at_leave_half_of_the_memory() {
    let mut world = Lockstep::new(50);
    let create = |server| {
        let config = DomainConfig {
            xenstore: Some(server),
            ..DomainConfig::default()
        };
        world.hypervisor().create(config).unwrap()
    };
    let first = create(XenstoreServer::Itself);
    let others: Vec<_> = (0..=GUESTS)
        .map(|_| create(XenstoreServer::Domain(D0)))
        .collect();
    let rings: Vec<_> = core::iter::once(&first)
        .chain(&others)
        .map(|domain| (domain.id(), domain.xenstore_ring().unwrap().port()))
        .collect();
    let signals = Signals::default();
    let mut others = others.into_iter();
    let (server, told) = (others.next().unwrap(), signals.clone());
    world.start(server, |platform, tasks| serve(platform, tasks, told));
    for guest in others {
        let (id, told) = (guest.id(), signals.clone());
        world.start(guest, move |platform, _| write(platform, id, told));
    }
    world.start(first, |platform, tasks| {
        help(platform, tasks, rings, signals)
    });
    assert_eq!(world.run(), Ok(()));
    world.hypervisor().assert_clean();
}

/// The stub-domain.
async fn serve(platform: EmulPlatform, tasks: Handle, signals: Signals) -> Exit {
    signals.introduced.after(0).await;
    let before = platform.usage().heap_used_bytes;
    let config = Config {
        watches: 120,
        ..Config::default()
    };
    let stream = platform.xenstore().unwrap();
    let client = Client::with_config(stream, &tasks, config).unwrap();
    let link = Link::default();
    let host = StubHost {
        platform: platform.clone(),
        link: link.clone(),
        rings: signals.rings.clone(),
    };
    let options = Options {
        most_unread: KEPT,
        ..Options::default()
    };
    let daemon = Daemon::new(host, client.clone(), &tasks, options, Guests::Given);
    let vchan = listen(&platform, &client, D0, LINK, Sizes::default());
    let vchan = vchan.await.unwrap();
    let served = async {
        select(link.drive(&vchan), async {
            let Err(error) = daemon.serve().await;
            panic!("the daemon ends: {error}");
        })
        .await;
        panic!("the link ends");
    };
    let looked = async {
        signals.logged.after(0).await;
        let taken = platform.usage().heap_used_bytes - before;
        println!("{taken} bytes for {GUESTS} guests");
        assert!(taken < MOST, "{taken}");
        signals.looked.notify();
    };
    select(served, looked).await;
    Exit::Poweroff
}

/// A guest.
async fn write(platform: EmulPlatform, own: DomId, signals: Signals) -> Exit {
    let pages = platform.memory().share(SERVER, 1).unwrap();
    let channel = platform.events().listen(SERVER).unwrap();
    let ring = (pages.grants()[0], channel.port());
    signals.rings.borrow_mut().insert(own, ring);
    let ring = RingStream::attach(pages, channel, ByteLayout::CONSOLE, Side::Guest).unwrap();
    signals.ready.notify();
    let mut rest = &[b'x'; WRITTEN][..];
    while !rest.is_empty() {
        let len = poll_fn(|cx| ring.poll_write(cx, rest)).await.unwrap();
        rest = &rest[len..];
    }
    signals.looked.after(0).await;
    Exit::Poweroff
}

/// Domain 0: xenstored, the toolstack, and the helper.
async fn help(
    platform: EmulPlatform,
    tasks: Handle,
    rings: Vec<(DomId, Port)>,
    signals: Signals,
) -> Exit {
    let server = Server::new(platform.clone(), &tasks, Quota::default());
    let ((own, port), others) = rings.split_first().unwrap();
    server.introduce(*own, *port, Rights::Control).unwrap();
    let client = Client::start(platform.xenstore().unwrap(), &tasks).unwrap();
    for (domain, port) in others {
        server.introduce(*domain, *port, Rights::Guest).unwrap();
    }
    for path in ["domid", "backend/console", "data"] {
        let path = format!("/local/domain/1/{path}");
        give(&client, &path, "1", SERVER).await;
    }
    signals.introduced.notify();
    while signals.ready.count() < u64::from(GUESTS) {
        signals.ready.after(signals.ready.count()).await;
    }
    let guests = signals.rings.borrow().clone();
    for (domain, (_, port)) in guests {
        let (number, port) = (domain.number(), port.number().to_string());
        for (key, value) in [
            ("name", "guest"),
            ("console", ""),
            ("console/backend-id", "1"),
            ("console/ring-ref", "1"),
            ("console/port", &port),
        ] {
            give(&client, &format!("/local/domain/{number}/{key}"), value, D0).await;
        }
        let listed = format!("/local/domain/1/backend/console/{number}");
        give(&client, &listed, "", SERVER).await;
    }
    let outlets = Unread(signals.clone());
    let vchan = connect(&platform, &client, SERVER, LINK).await.unwrap();
    let helper = Helper::new(outlets, client, &tasks, SERVER);
    select(helper.serve(&vchan), signals.looked.after(0)).await;
    Exit::Poweroff
}

/// Writes a key that its owner and the stub-domain may read.
async fn give(client: &Client, path: &str, value: &str, owner: DomId) {
    client.write(path, value).await.unwrap();
    let permissions = [(owner, Access::None), (SERVER, Access::Read)]
        .map(|(domain, access)| Permission { domain, access });
    client.set_permissions(path, &permissions).await.unwrap();
}

/// Rings of the emulation; all else at the other end of the link.
struct StubHost {
    platform: EmulPlatform,
    link: Link,
    rings: Rings,
}

impl Host for StubHost {
    type Ring = PlatformRing<EmulPlatform>;
    type Outlets = Link;

    fn attach(&self, domain: DomId, port: Port) -> Result<Self::Ring, AttachError> {
        let (grant, _) = self.rings.borrow()[&domain];
        let pages = self.platform.memory().import(domain, &[grant])?;
        let channel = self.platform.events().connect(domain, port)?;
        let layout = ByteLayout::CONSOLE;
        Ok(RingStream::attach(pages, channel, layout, Side::Server)?)
    }

    fn outlets(&self) -> &Link {
        &self.link
    }

    fn wall(&self) -> WallTime {
        self.platform.clock().wall()
    }
}

/// Logs that are counted, and terminals that nobody reads.
struct Unread(Signals);

struct Counted {
    signals: Signals,
    left: usize,
}

/// What is shown there is never seen.
struct NoScreen;

impl Outlets for Unread {
    type Log = Counted;
    type Terminal = NoScreen;

    fn open_log(&self, _: DomId, _: &str) -> Option<Counted> {
        Some(Counted {
            signals: self.0.clone(),
            left: WRITTEN,
        })
    }

    fn open_terminal(&self, _: DomId) -> Option<(NoScreen, Option<String>)> {
        Some((NoScreen, None))
    }
}

impl Log for Counted {
    type Error = &'static str;

    fn poll_add(&mut self, _: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize, &'static str>> {
        self.left -= bytes.len();
        if self.left == 0 {
            self.signals.ready.notify();
        }
        if self.signals.ready.count() == 2 * u64::from(GUESTS) {
            self.signals.logged.notify();
        }
        Poll::Ready(Ok(bytes.len()))
    }
}

impl ByteStream for NoScreen {
    fn poll_read(&self, _: &mut Context<'_>, _: &mut [u8]) -> Poll<Result<usize, StreamError>> {
        Poll::Pending
    }

    fn poll_write(&self, _: &mut Context<'_>, _: &[u8]) -> Poll<Result<usize, StreamError>> {
        Poll::Pending
    }
}
