//! A world in memory: xenstored of our own, guests whose rings are streams, logs and terminals that tests look into.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::ops::Deref;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use morgana_exec::{Duplex, Executor, Handle, ManualClock, Timers, duplex, select, yield_now};
use morgana_hal::{ByteStream, Clock, DomId, EventError, Instant, Port, StreamError, WallTime};
use morgana_xenconsoled::{
    AttachError, Daemon, Guests, Helper, Host, Link, Log, Options, Outlets, Ring,
};
use morgana_xenstore_client::{Client, Config};
use morgana_xenstored::{Descriptor, Quota, Rights, Server};

use unserved::NoRings;

#[path = "../unserved/mod.rs"]
mod unserved;

/// What a guest's ring holds each way.
const RING: usize = 2048;
/// How often a test looks before it gives up.
const PATIENCE: usize = 100_000;

/// How a ring is broken.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    Indices,
}

/// Everything outside the daemon.
#[derive(Clone)]
pub(crate) struct World(Rc<Inner>);

pub(crate) struct Inner {
    clock: ManualClock,
    timers: Timers,
    client: Client,
    server: Server<NoRings>,
    /// The daemon's ends of rings that are to be taken up.
    rings: RefCell<BTreeMap<(DomId, Port), Line>>,
    refused: RefCell<Vec<(DomId, Port)>>,
    /// How many rings of a domain are taken up.
    attached: RefCell<BTreeMap<DomId, u32>>,
    logs: RefCell<BTreeMap<String, Vec<u8>>>,
    logs_broken: Cell<bool>,
    terminals: RefCell<BTreeMap<DomId, Rc<Duplex>>>,
    /// What was read of each terminal.
    seen: RefCell<BTreeMap<DomId, Vec<u8>>>,
    held: Cell<bool>,
}

impl Deref for World {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

/// Where the daemon has its logs and terminals.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Outlet {
    /// Beside it.
    Here,
    /// At the other end of a link.
    Elsewhere,
}

/// Runs a daemon and a test beside each other, with outlets of both kinds.
pub(crate) fn world(options: Options, test: impl AsyncFnOnce(World) + Clone + 'static) {
    world_with(Outlet::Here, options, test.clone());
    world_with(Outlet::Elsewhere, options, test);
}

/// Runs a daemon and a test beside each other.
pub(crate) fn world_with(
    outlet: Outlet,
    options: Options,
    test: impl AsyncFnOnce(World) + 'static,
) {
    let clock = ManualClock::default();
    let mut executor = Executor::new();
    let tasks = executor.handle();
    let server = Server::new(NoRings, &tasks, Quota::default());
    server.make("/local/domain");
    let client = connect(&server, &tasks);
    let daemon_client = connect(&server, &tasks);
    let world = World(Rc::new(Inner {
        clock: clock.clone(),
        timers: tasks.timers(),
        client,
        server,
        rings: RefCell::default(),
        refused: RefCell::default(),
        attached: RefCell::default(),
        logs: RefCell::default(),
        logs_broken: Cell::default(),
        terminals: RefCell::default(),
        seen: RefCell::default(),
        held: Cell::default(),
    }));
    let both = async move {
        match outlet {
            Outlet::Here => {
                let daemon =
                    Daemon::new(world.clone(), daemon_client, &tasks, options, Guests::All);
                select(test(world), ends(daemon)).await;
            }
            Outlet::Elsewhere => {
                let host = Linked {
                    world: world.clone(),
                    link: Link::default(),
                };
                let linked = link(world.clone(), host.link.clone(), tasks.clone());
                let daemon = Daemon::new(host, daemon_client, &tasks, options, Guests::All);
                select(test(world), select(linked, ends(daemon))).await;
            }
        }
    };
    executor.block_on(both, &mut clock.idle(), &clock);
}

async fn ends<H: Host>(daemon: Daemon<H>) {
    let Err(error) = daemon.serve().await;
    panic!("the daemon ends: {error}");
}

/// Joins both ends of the link.
async fn link(world: World, link: Link, tasks: Handle) {
    let client = connect(&world.server, &tasks);
    let (ours, theirs) = duplex(1024);
    let helper = Helper::new(world.clone(), client, &tasks, DomId::DOM0);
    let ended = select(link.drive(&ours), helper.serve(&theirs)).await;
    panic!("the link ends: {ended:?}");
}

fn connect(server: &Server<NoRings>, tasks: &Handle) -> Client {
    let (ours, theirs) = duplex(4096);
    server
        .connect(DomId::DOM0, theirs, Descriptor::NONE, Rights::Control)
        .unwrap();
    Client::with_config(ours, tasks, Config::default()).unwrap()
}

impl World {
    /// Makes a domain whose console is at `port`, as a toolstack does, and returns what it sees of it.
    pub(crate) async fn guest(&self, domain: DomId, name: &str, port: u32) -> Guest {
        let home = format!("/local/domain/{}", domain.number());
        self.write(&format!("{home}/name"), name).await;
        let guest = self.ring(domain, Port::new(port));
        self.write(&format!("{home}/console/ring-ref"), "1234")
            .await;
        self.write(&format!("{home}/console/port"), &port.to_string())
            .await;
        self.server
            .introduce(domain, Port::new(1), Rights::Guest)
            .unwrap();
        guest
    }

    /// Gives a domain another ring.
    pub(crate) async fn moves(&self, domain: DomId, port: Port) -> Guest {
        let guest = self.ring(domain, port);
        let path = format!("/local/domain/{}/console/port", domain.number());
        self.write(&path, &port.number().to_string()).await;
        guest
    }

    fn ring(&self, domain: DomId, port: Port) -> Guest {
        let (ours, theirs) = duplex(RING);
        let broken = Rc::<Cell<bool>>::default();
        let line = Line {
            stream: theirs,
            broken: broken.clone(),
            domain,
            world: self.clone(),
        };
        self.rings.borrow_mut().insert((domain, port), line);
        Guest {
            stream: ours,
            broken,
            left: Cell::new(0),
        }
    }

    /// Takes a domain away, as a toolstack does.
    pub(crate) async fn remove(&self, domain: DomId) {
        let home = format!("/local/domain/{}", domain.number());
        self.client.remove(&home).await.unwrap();
        self.server.release(domain);
    }

    fn take_ring(&self, domain: DomId, port: Port) -> Result<Line, AttachError> {
        if self.refused.borrow().contains(&(domain, port)) {
            return Err(AttachError::Channel(EventError::Refused));
        }
        let ring = self.rings.borrow_mut().remove(&(domain, port));
        let ring = ring.ok_or(AttachError::Channel(EventError::Refused))?;
        *self.attached.borrow_mut().entry(domain).or_default() += 1;
        Ok(ring)
    }

    /// From now on the ring at this port cannot be had.
    pub(crate) fn refuse(&self, domain: DomId, port: Port) {
        self.refused.borrow_mut().push((domain, port));
    }

    pub(crate) async fn write(&self, path: &str, value: &str) {
        self.client.write(path, value).await.unwrap();
    }

    pub(crate) async fn read(&self, path: &str) -> String {
        self.client.read_text(path).await.unwrap()
    }

    pub(crate) fn now(&self) -> Instant {
        self.clock.now()
    }

    pub(crate) async fn sleep(&self, duration: Duration) {
        self.timers.sleep(duration).await;
    }

    /// Waits until something is so; time passes only if turns do not help.
    async fn until(&self, what: &str, mut so: impl FnMut() -> bool) {
        for attempt in 0..PATIENCE {
            if so() {
                return;
            }
            if attempt % 50 < 49 {
                yield_now().await;
            } else {
                self.sleep(Duration::from_millis(1)).await;
            }
        }
        panic!("never: {what}");
    }

    /// Waits until the log is there, and has this text, and no other.
    pub(crate) async fn logged(&self, name: &str, text: &str) {
        let is = || {
            self.logs
                .borrow()
                .get(name)
                .is_some_and(|log| log == text.as_bytes())
        };
        self.until(&format!("{name} logs {text:?}"), is).await;
    }

    /// Waits until the log ends so.
    pub(crate) async fn ends_with(&self, name: &str, text: &str) {
        let ends = || {
            self.logs
                .borrow()
                .get(name)
                .is_some_and(|log| log.ends_with(text.as_bytes()))
        };
        self.until(&format!("the log of {name} ends with {text:?}"), ends)
            .await;
    }

    pub(crate) fn break_logs(&self) {
        self.logs_broken.set(true);
    }

    pub(crate) fn mend_logs(&self) {
        self.logs_broken.set(false);
    }

    /// Nobody reads terminals.
    pub(crate) fn hold_terminals(&self) {
        self.held.set(true);
    }

    pub(crate) fn release_terminals(&self) {
        self.held.set(false);
    }

    /// Waits until the terminal has shown these bytes, and no others.
    pub(crate) async fn shown(&self, domain: DomId, bytes: &[u8]) {
        self.until(&format!("the terminal of {domain} shows all"), || {
            self.seen(domain) == bytes
        })
        .await;
    }

    /// Waits until the terminal has shown these bytes last; returns all.
    pub(crate) async fn shown_until(&self, domain: DomId, last: &[u8]) -> Vec<u8> {
        let what = format!("the terminal of {domain} shows the last");
        self.until(&what, || self.seen(domain).ends_with(last))
            .await;
        self.seen(domain)
    }

    /// All that a terminal has shown.
    pub(crate) fn seen(&self, domain: DomId) -> Vec<u8> {
        let mut seen = self.seen.borrow_mut();
        let seen = seen.entry(domain).or_default();
        let terminals = self.terminals.borrow();
        if !self.held.get()
            && let Some(terminal) = terminals.get(&domain)
        {
            let mut piece = [0; 4096];
            while let Poll::Ready(Ok(len)) = terminal.poll_read(&mut nobody(), &mut piece) {
                seen.extend_from_slice(&piece[..len]);
            }
        }
        seen.clone()
    }

    /// Types at a terminal.
    pub(crate) async fn type_at(&self, domain: DomId, bytes: &[u8]) {
        let there = || self.terminals.borrow().contains_key(&domain);
        self.until(&format!("{domain} has a terminal"), there).await;
        let terminal = self.terminals.borrow()[&domain].clone();
        let mut rest = bytes;
        while !rest.is_empty() {
            let len = poll_fn(|cx| terminal.poll_write(cx, rest)).await.unwrap();
            rest = &rest[len..];
        }
    }

    /// Waits until the daemon has let go of the domain's ring.
    pub(crate) async fn detached(&self, domain: DomId) {
        let what = format!("the ring of {domain} is let go of");
        self.until(&what, || self.attached.borrow().get(&domain) == Some(&0))
            .await;
    }

    pub(crate) fn was_never_attached(&self, domain: DomId) -> bool {
        !self.attached.borrow().contains_key(&domain)
    }
}

fn nobody() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

/// A guest's end of its ring.
pub(crate) struct Guest {
    stream: Duplex,
    broken: Rc<Cell<bool>>,
    /// How much of what it writes has found no room yet.
    left: Cell<usize>,
}

impl Guest {
    pub(crate) async fn write(&self, bytes: &[u8]) {
        let mut rest = bytes;
        while !rest.is_empty() {
            self.left.set(rest.len());
            let len = poll_fn(|cx| self.stream.poll_write(cx, rest))
                .await
                .unwrap();
            rest = &rest[len..];
        }
        self.left.set(0);
    }

    /// Writes what there is room for.
    pub(crate) fn put(&self, bytes: &[u8]) {
        let put = self.stream.poll_write(&mut nobody(), bytes);
        assert_eq!(put, Poll::Ready(Ok(bytes.len())));
    }

    pub(crate) fn unread(&self) -> usize {
        self.left.get()
    }

    pub(crate) async fn read(&self, len: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        while bytes.len() < len {
            let mut piece = vec![0; len - bytes.len()];
            let len = poll_fn(|cx| self.stream.poll_read(cx, &mut piece))
                .await
                .unwrap();
            bytes.extend_from_slice(&piece[..len]);
        }
        bytes
    }

    /// Breaks the ring's rules.
    pub(crate) fn fail(&self, fault: Fault) {
        match fault {
            Fault::Indices => self.broken.set(true),
        }
        self.put(b"?");
    }
}

/// The daemon's end of a ring.
pub(crate) struct Line {
    stream: Duplex,
    broken: Rc<Cell<bool>>,
    domain: DomId,
    world: World,
}

impl Drop for Line {
    fn drop(&mut self) {
        if let Some(count) = self.world.attached.borrow_mut().get_mut(&self.domain) {
            *count -= 1;
        }
    }
}

impl ByteStream for Line {
    fn poll_read(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<Result<usize, StreamError>> {
        if self.broken.get() {
            return Poll::Ready(Err(StreamError::BadIndices));
        }
        self.stream.poll_read(cx, buffer)
    }

    fn poll_write(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize, StreamError>> {
        self.stream.poll_write(cx, bytes)
    }
}

impl Ring for Line {
    fn connected(&self) {}
}

/// A guest's log.
pub(crate) struct MemoryLog {
    name: String,
    world: World,
}

impl Log for MemoryLog {
    type Error = &'static str;

    fn poll_add(&mut self, _: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize, &'static str>> {
        if self.world.logs_broken.get() {
            return Poll::Ready(Err("the disk is full"));
        }
        let mut logs = self.world.logs.borrow_mut();
        logs.entry(self.name.clone())
            .or_default()
            .extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }
}

impl Outlets for World {
    type Log = MemoryLog;
    type Terminal = Duplex;

    fn open_log(&self, _: DomId, name: &str) -> Option<MemoryLog> {
        self.logs.borrow_mut().entry(name.to_owned()).or_default();
        Some(MemoryLog {
            name: name.to_owned(),
            world: self.clone(),
        })
    }

    fn open_terminal(&self, domain: DomId) -> Option<(Duplex, Option<String>)> {
        let (ours, theirs) = duplex(4096);
        self.terminals.borrow_mut().insert(domain, Rc::new(theirs));
        self.seen.borrow_mut().remove(&domain);
        Some((ours, Some(format!("/terminal/{}", domain.number()))))
    }
}

impl Host for World {
    type Ring = Line;
    type Outlets = Self;

    fn attach(&self, domain: DomId, port: Port) -> Result<Line, AttachError> {
        self.take_ring(domain, port)
    }

    fn outlets(&self) -> &Self {
        self
    }

    fn wall(&self) -> WallTime {
        self.clock.wall()
    }
}

/// A host whose logs and terminals are those of the world, at the other end of a link.
pub(crate) struct Linked {
    world: World,
    link: Link,
}

impl Host for Linked {
    type Ring = Line;
    type Outlets = Link;

    fn attach(&self, domain: DomId, port: Port) -> Result<Line, AttachError> {
        self.world.take_ring(domain, port)
    }

    fn outlets(&self) -> &Link {
        &self.link
    }

    fn wall(&self) -> WallTime {
        self.world.clock.wall()
    }
}
