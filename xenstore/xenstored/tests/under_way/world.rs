//! Rings and memory that outlast a daemon, which is killed after as many writes to them as the test wants.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::task::{Context, Poll};

use morgana_exec::{Executor, Notify};
use morgana_hal::{ByteStream, Channel, DomId, Instant, LocalPages, Pages, Port, StreamError};
use morgana_ring::{ByteLayout, RingStream, Side};
use morgana_xenstored::{
    BootId, Fault, Features, IntroduceError, Journal, Kept, Position, Quota, Rights, Rings, SLOT,
    Served, Server, Slot, Store, head,
};

/// Counts writes, and makes none any longer from the one on at which the daemon is killed.
#[derive(Debug, Default)]
pub(crate) struct Fuse {
    made: Cell<u64>,
    most: Cell<Option<u64>>,
}

impl Fuse {
    fn step(&self, write: impl FnOnce()) {
        if !self.is_burnt() {
            self.made.set(self.made.get() + 1);
            write();
        }
    }

    pub(crate) fn is_burnt(&self) -> bool {
        self.most.get().is_some_and(|most| self.made.get() >= most)
    }
}

/// One end of a ring's event channel.
pub(crate) struct Wire {
    own: Rc<Notify>,
    peer: Rc<Notify>,
    fuse: Option<Rc<Fuse>>,
}

impl Channel for Wire {
    fn port(&self) -> Port {
        Port::new(1)
    }

    fn notify(&self) {
        if self.fuse.as_ref().is_none_or(|fuse| !fuse.is_burnt()) {
            self.peer.notify();
        }
    }

    fn count(&self) -> u64 {
        self.own.count()
    }

    fn poll_after(&self, seen: u64, cx: &mut Context<'_>) -> Poll<u64> {
        self.own.poll_after(seen, cx)
    }
}

pub(crate) type Ring = RingStream<LocalPages, Wire>;

/// The daemon's end of a ring, of which each write can be the last.
pub(crate) struct FusedRing {
    ring: Ring,
    fuse: Rc<Fuse>,
}

impl FusedRing {
    fn poll<T>(&self, poll: impl FnOnce() -> Poll<T>) -> Poll<T> {
        let mut result = Poll::Pending;
        self.fuse.step(|| result = poll());
        result
    }
}

impl ByteStream for FusedRing {
    fn poll_read(&self, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<Result<usize, StreamError>> {
        self.poll(|| self.ring.poll_read(cx, into))
    }

    fn poll_write(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize, StreamError>> {
        self.poll(|| self.ring.poll_write(cx, bytes))
    }
}

impl Served for FusedRing {
    fn advertise(&self, features: Features) {
        self.fuse.step(|| self.ring.advertise(features));
    }

    fn give_up(&self, fault: Fault) {
        self.fuse.step(|| self.ring.give_up(fault));
    }

    fn poll_reconnect(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.ring.poll_reconnect(cx)
    }

    fn port(&self) -> Port {
        Served::port(&self.ring)
    }

    fn wake(&self) {
        self.ring.wake();
    }

    fn reset(&self) {
        let layout = ByteLayout::XENSTORE;
        let region = self.ring.pages().region();
        for lane in [layout.from_guest, layout.to_guest] {
            for index in [lane.producer, lane.consumer] {
                self.fuse.step(|| region.store_u32(index, 0));
            }
        }
        self.fuse.step(|| self.ring.reset());
    }

    fn connect(&self) {
        self.fuse.step(|| self.ring.connect());
    }

    fn poll_take(&self, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<Result<usize, StreamError>> {
        // Nothing that anybody sees is written.
        if self.fuse.is_burnt() {
            return Poll::Pending;
        }
        self.ring.poll_take(cx, into)
    }

    fn release(&self) -> bool {
        let mut has_more = false;
        self.fuse.step(|| has_more = self.ring.release());
        has_more
    }

    fn taken(&self) -> u32 {
        self.ring.taken()
    }

    fn written(&self) -> u32 {
        self.ring.written()
    }

    fn go_on_at(&self, taken: u32) -> Result<(), StreamError> {
        self.ring.go_on_at(taken)
    }
}

/// A domain's memory. What is written comes there in pieces.
pub(crate) struct Memory {
    bytes: Rc<RefCell<Vec<u8>>>,
    fuse: Rc<Fuse>,
}

impl Slot for Memory {
    fn write(&self, at: usize, bytes: &[u8]) {
        let piece = (bytes.len() / 3).max(20);
        for (number, piece_bytes) in bytes.chunks(piece).enumerate() {
            let at = at + number * piece;
            self.fuse.step(|| {
                self.bytes.borrow_mut()[at..at + piece_bytes.len()].copy_from_slice(piece_bytes);
            });
        }
    }

    fn read(&self, at: usize, into: &mut [u8]) {
        into.copy_from_slice(&self.bytes.borrow()[at..at + into.len()]);
    }
}

/// The page of a domain, and who is to be woken.
struct Line {
    pages: LocalPages,
    guest: Rc<Notify>,
    server: Rc<Notify>,
}

/// What outlasts a daemon.
#[derive(Default)]
pub(crate) struct Lasting {
    /// What happens when the next change is kept.
    meanwhile: RefCell<Option<Box<dyn FnOnce()>>>,
    lines: BTreeMap<DomId, Line>,
    slots: RefCell<BTreeMap<DomId, Rc<RefCell<Vec<u8>>>>>,
    journal: RefCell<Vec<u8>>,
}

impl Lasting {
    /// So many domains have rings, whose indices soon wrap.
    pub(crate) fn new(domains: u16) -> Self {
        let line = |number| {
            let pages = LocalPages::new(1);
            let layout = ByteLayout::XENSTORE;
            for lane in [layout.from_guest, layout.to_guest] {
                for index in [lane.producer, lane.consumer] {
                    pages.region().store_u32(index, u32::MAX - 500);
                }
            }
            let line = Line {
                pages,
                guest: Rc::default(),
                server: Rc::default(),
            };
            (DomId::new(number), line)
        };
        Self {
            lines: (0..domains).map(line).collect(),
            ..Self::default()
        }
    }

    /// Nobody can tell any longer what is under way with a domain.
    pub(crate) fn damage(&self, domain: DomId) {
        let slots = self.slots.borrow();
        let slot = &mut slots[&domain].borrow_mut();
        for edition in slot.chunks_mut(SLOT / 2) {
            edition[30] ^= 1;
        }
    }

    /// Has something happen when the next change is kept: when requests were taken out of a ring, and their domain was not told.
    pub(crate) fn meanwhile(&self, what: impl FnOnce() + 'static) {
        *self.meanwhile.borrow_mut() = Some(Box::new(what));
    }

    /// Tells the daemon of what is in a domain's ring.
    pub(crate) fn notify(&self, domain: DomId) {
        self.lines[&domain].server.notify();
    }

    /// A domain's own end.
    pub(crate) fn guest_end(&self, domain: DomId) -> Ring {
        self.end(domain, self.lines[&domain].server.clone())
    }

    /// A domain's own end, which tells nobody what it does.
    pub(crate) fn quiet_end(&self, domain: DomId) -> Ring {
        self.end(domain, Rc::default())
    }

    fn end(&self, domain: DomId, peer: Rc<Notify>) -> Ring {
        let line = &self.lines[&domain];
        let wire = Wire {
            own: line.guest.clone(),
            peer,
            fuse: None,
        };
        RingStream::attach(line.pages.clone(), wire, ByteLayout::XENSTORE, Side::Guest).unwrap()
    }
}

/// How often the journal begins anew, in frames.
const LONG: u32 = 3;

/// What a daemon runs on.
pub(crate) struct Machine {
    lasting: Rc<Lasting>,
    fuse: Rc<Fuse>,
    position: Cell<Position>,
    is_kept: Cell<bool>,
}

impl Rings for Machine {
    type Stream = FusedRing;
    type Slot = Memory;

    fn attach(&self, domain: DomId, _: Port) -> Result<FusedRing, IntroduceError> {
        let line = &self.lasting.lines[&domain];
        let wire = Wire {
            own: line.server.clone(),
            peer: line.guest.clone(),
            fuse: Some(self.fuse.clone()),
        };
        let pages = line.pages.clone();
        let ring = RingStream::attach(pages, wire, ByteLayout::XENSTORE, Side::Server)?;
        let fuse = self.fuse.clone();
        Ok(FusedRing { ring, fuse })
    }

    fn keep(&self, frame: &[u8]) -> Kept {
        if let Some(meanwhile) = self.lasting.meanwhile.take() {
            meanwhile();
        }
        for piece in frame.chunks(frame.len().div_ceil(3)) {
            let journal = &self.lasting.journal;
            self.fuse
                .step(|| journal.borrow_mut().extend_from_slice(piece));
        }
        let position = self.position.get().next_frame();
        self.position.set(position);
        if position.frames.is_multiple_of(LONG) {
            Kept::Long
        } else {
            Kept::Yes
        }
    }

    fn keep_state(&self, state: &[u8]) -> Kept {
        if self.is_kept.replace(true) {
            self.position.set(self.position.get().next_generation());
        }
        let head = head(BootId([1; 16]), self.position.get().generation, state);
        self.fuse.step(|| {
            let journal = [&head[..], state].concat();
            drop(self.lasting.journal.replace(journal));
        });
        Kept::Yes
    }

    fn position(&self) -> Position {
        self.position.get()
    }

    fn slot(&self, domain: DomId) -> Option<Memory> {
        let mut slots = self.lasting.slots.borrow_mut();
        let bytes = slots
            .entry(domain)
            .or_insert_with(|| Rc::new(RefCell::new(vec![0; SLOT])));
        Some(Memory {
            bytes: bytes.clone(),
            fuse: self.fuse.clone(),
        })
    }

    fn forget_slot(&self, domain: DomId) {
        let slots = &self.lasting.slots;
        self.fuse.step(|| drop(slots.borrow_mut().remove(&domain)));
    }
}

/// A daemon with an executor of its own: when this is dropped, all that it was doing has stopped.
pub(crate) struct Daemon {
    pub(crate) server: Server<Machine>,
    executor: Executor,
    fuse: Rc<Fuse>,
    now: Instant,
}

impl Daemon {
    /// The first one, which has introduced the domains and lives until [`kill_after`](Self::kill_after).
    pub(crate) fn first(lasting: &Rc<Lasting>) -> Self {
        let (machine, fuse, executor) = parts(lasting, None, Position::default());
        let server = Server::new(machine, &executor.handle(), Quota::default());
        server.keep_journal();
        for &domain in lasting.lines.keys() {
            let rights = if domain == DomId::DOM0 {
                Rights::Control
            } else {
                Rights::Guest
            };
            server.introduce(domain, Port::new(1), rights).unwrap();
        }
        Self {
            server,
            executor,
            fuse,
            now: Instant::from_nanos(0),
        }
    }

    /// One that comes after it, and is killed after so many writes.
    pub(crate) fn again(lasting: &Rc<Lasting>, kill: Option<u64>) -> Self {
        let left = lasting.journal.borrow().clone();
        let recovered = Store::recover(Journal::new(&left).unwrap(), Quota::default()).unwrap();
        let begins = recovered.reached.next_generation();
        let (machine, fuse, executor) = parts(lasting, kill, begins);
        let (server, rings) = Server::recover(machine, &executor.handle(), recovered);
        for ring in rings {
            server.recover_domain(ring);
        }
        server.keep_journal();
        Self {
            server,
            executor,
            fuse,
            now: Instant::from_nanos(0),
        }
    }

    pub(crate) fn kill_after(&self, writes: Option<u64>) {
        self.fuse.made.set(0);
        self.fuse.most.set(writes);
    }

    pub(crate) fn is_killed(&self) -> bool {
        self.fuse.is_burnt()
    }

    /// How much it has written.
    pub(crate) fn writes(&self) -> u64 {
        self.fuse.made.get()
    }

    pub(crate) fn turn(&mut self) {
        const MILLISECOND: u64 = 1_000_000;
        self.now = Instant::from_nanos(self.now.as_nanos() + MILLISECOND);
        self.executor.turn(self.now);
    }
}

fn parts(
    lasting: &Rc<Lasting>,
    kill: Option<u64>,
    begins: Position,
) -> (Machine, Rc<Fuse>, Executor) {
    let fuse = Rc::new(Fuse::default());
    fuse.most.set(kill);
    let machine = Machine {
        lasting: lasting.clone(),
        fuse: fuse.clone(),
        position: Cell::new(begins),
        is_kept: Cell::new(false),
    };
    (machine, fuse, Executor::new())
}
