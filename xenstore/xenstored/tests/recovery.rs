//! A daemon that ends without a word, and one that comes after it: domains of the emulation are served again.

use std::cell::RefCell;
use std::convert::Infallible;
use std::future::poll_fn;
use std::rc::Rc;

use morgana_emul::{DomainConfig, EmulPlatform, Lockstep, XenstoreServer};
use morgana_exec::{Either, Executor, Notify, duplex, select, yield_now};
use morgana_hal::{ByteStream, Clock, DomId, Exit, Platform, Port};
use morgana_xenstore_wire::{Commit, Decoder, Operation, Request, RequestId, TransactionId};
use morgana_xenstored::{
    BootId, Descriptor, IntroduceError, Journal, Kept, PlatformRing, Quota, Resumed, Rights, Rings,
    Server, Store, attach, head,
};

const D0: DomId = DomId::new(0);
const D1: DomId = DomId::new(1);

/// The rings of the emulation, and a journal in memory.
struct Keeping {
    platform: EmulPlatform,
    journal: Rc<RefCell<Vec<u8>>>,
}

impl Rings for Keeping {
    type Stream = PlatformRing<EmulPlatform>;
    type Slot = Infallible;

    fn attach(&self, domain: DomId, port: Port) -> Result<Self::Stream, IntroduceError> {
        attach(&self.platform, domain, port)
    }

    fn keep(&self, frame: &[u8]) -> Kept {
        self.journal.borrow_mut().extend_from_slice(frame);
        Kept::Yes
    }

    fn keep_state(&self, state: &[u8]) -> Kept {
        let head = head(BootId([1; 16]), 1, state);
        self.journal.replace([&head[..], state].concat());
        Kept::Yes
    }
}

/// A daemon with an executor of its own: when this is dropped, all that it was doing has stopped.
struct Daemon {
    server: Server<Keeping>,
    executor: Executor,
}

impl Daemon {
    fn new(platform: &EmulPlatform, journal: &Rc<RefCell<Vec<u8>>>) -> Self {
        let executor = Executor::new();
        let rings = Keeping {
            platform: platform.clone(),
            journal: journal.clone(),
        };
        let server = Server::new(rings, &executor.handle(), Quota::default());
        server.keep_journal();
        Self { server, executor }
    }

    fn again(platform: &EmulPlatform, journal: &Rc<RefCell<Vec<u8>>>) -> (Self, Vec<Resumed>) {
        let executor = Executor::new();
        let rings = Keeping {
            platform: platform.clone(),
            journal: journal.clone(),
        };
        let left = journal.borrow().clone();
        let recovered = Store::recover(Journal::new(&left).unwrap(), Quota::default()).unwrap();
        let (server, rings) = Server::recover(rings, &executor.handle(), recovered);
        (Self { server, executor }, rings)
    }

    /// Serves until `done` is.
    async fn serve_until<T>(
        &mut self,
        platform: &EmulPlatform,
        done: impl Future<Output = T>,
    ) -> T {
        let executor = &mut self.executor;
        let serving = async {
            loop {
                executor.turn(platform.clock().now());
                yield_now().await;
            }
        };
        let done = std::pin::pin!(done);
        match select(std::pin::pin!(serving), done).await {
            Either::First(never) => never,
            Either::Second(done) => done,
        }
    }
}

/// A client's end of its stream.
struct Peer<S> {
    stream: S,
    decoder: RefCell<Decoder>,
    events: RefCell<Vec<String>>,
}

impl<S: ByteStream> Peer<S> {
    fn new(stream: S) -> Self {
        Self {
            stream,
            decoder: RefCell::new(Decoder::new()),
            events: RefCell::default(),
        }
    }

    async fn send(&self, transaction: u32, request: Request<'_>) {
        let mut bytes = Vec::new();
        let transaction = TransactionId(transaction);
        request
            .encode(RequestId(1), transaction, &mut bytes)
            .unwrap();
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let len = poll_fn(|cx| self.stream.poll_write(cx, rest))
                .await
                .unwrap();
            rest = &rest[len..];
        }
    }

    /// The next packet: an event, which is kept (`None`), or a reply.
    async fn receive(&self) -> Option<String> {
        loop {
            if let Some(packet) = self.decoder.borrow_mut().next().unwrap() {
                let text = String::from_utf8_lossy(packet.payload).replace('\0', "|");
                if packet.header.operation() == Some(Operation::WatchEvent) {
                    self.events.borrow_mut().push(text);
                    return None;
                }
                return Some(text);
            }
            let read = poll_fn(|cx| self.stream.poll_read(cx, self.decoder.borrow_mut().space()));
            let len = read.await.unwrap();
            self.decoder.borrow_mut().filled(len);
        }
    }

    async fn reply(&self) -> String {
        loop {
            if let Some(reply) = self.receive().await {
                return reply;
            }
        }
    }

    async fn ask(&self, transaction: u32, request: Request<'_>) -> String {
        self.send(transaction, request).await;
        self.reply().await
    }
}

fn write<'a>(path: &'a str, value: &'a str) -> Request<'a> {
    let value = value.as_bytes();
    Request::Write { path, value }
}

const COMMIT: Request<'static> = Request::TransactionEnd {
    commit: Commit::Yes,
};

fn signal() -> (Rc<Notify>, Rc<Notify>) {
    let notify = Rc::new(Notify::new());
    (notify.clone(), notify)
}

#[test]
fn a_domain_goes_on_with_the_next_daemon() {
    for seed in 0..10 {
        let mut world = Lockstep::new(seed);
        let create = |server| {
            let config = DomainConfig {
                xenstore: Some(server),
                ..DomainConfig::default()
            };
            world.hypervisor().create(config).unwrap()
        };
        let first = create(XenstoreServer::Itself);
        let guest = create(XenstoreServer::Domain(D0));
        let port = guest.xenstore_ring().unwrap().port();
        let (introduced, is_introduced) = signal();
        let (ready, is_ready) = signal();
        let (crashed, is_crashed) = signal();
        let (done, is_done) = signal();
        world.start(first, move |platform, _| async move {
            let journal = Rc::default();
            let mut daemon = Daemon::new(&platform, &journal);
            let (ours, theirs) = duplex(4096);
            let (descriptor, rights) = (Descriptor::NONE, Rights::Control);
            daemon
                .server
                .connect(D0, theirs, descriptor, rights)
                .unwrap();
            let toolstack = Peer::new(ours);
            let permissions = b"n1\0";
            let path = "/local/domain/1";
            let before = async {
                for request in [
                    Request::Introduce {
                        domain: D1,
                        frame: 1,
                        port: port.number(),
                    },
                    Request::Mkdir { path },
                    Request::SetPerms { path, permissions },
                ] {
                    assert_eq!(toolstack.ask(0, request).await, "OK|");
                }
                introduced.notify();
                is_ready.after(0).await;
            };
            daemon.serve_until(&platform, before).await;
            drop(daemon);
            crashed.notify();
            let (mut daemon, rings) = Daemon::again(&platform, &journal);
            for ring in rings {
                daemon.server.recover_domain(ring);
            }
            assert_eq!(daemon.server.domains(), [D1]);
            daemon.server.keep_journal();
            daemon.serve_until(&platform, is_done.after(0)).await;
            Exit::Poweroff
        });
        world.start(guest, move |platform, _| async move {
            is_introduced.after(0).await;
            let guest = Peer::new(platform.xenstore().unwrap());
            let (path, token, depth) = ("b", "t", None);
            let watch = Request::Watch { path, token, depth };
            assert_eq!(guest.ask(0, watch).await, "OK|");
            assert_eq!(guest.ask(0, write("b", "1")).await, "OK|");
            assert_eq!(guest.ask(0, Request::TransactionStart).await, "1|");
            assert_eq!(guest.ask(1, write("c", "1")).await, "OK|");
            while guest.events.borrow().len() < 2 {
                assert_eq!(guest.receive().await, None);
            }
            guest.events.borrow_mut().clear();
            ready.notify();
            is_crashed.after(0).await;
            // Nobody may be there yet: it waits in the ring.
            assert_eq!(guest.ask(0, Request::Read { path: "b" }).await, "1");
            // It is told once, whether anything has changed or not, and then of changes.
            assert_eq!(*guest.events.borrow(), ["b|t|"]);
            assert_eq!(guest.ask(0, write("b", "2")).await, "OK|");
            while guest.events.borrow().len() < 2 {
                assert_eq!(guest.receive().await, None);
            }
            // What was open has to be tried again.
            assert_eq!(guest.ask(1, write("c", "2")).await, "EAGAIN|");
            assert_eq!(guest.ask(1, COMMIT).await, "EAGAIN|");
            assert_eq!(guest.ask(1, COMMIT).await, "ENOENT|");
            assert_eq!(guest.ask(0, Request::TransactionStart).await, "2|");
            assert_eq!(guest.ask(2, write("c", "3")).await, "OK|");
            assert_eq!(guest.ask(2, COMMIT).await, "OK|");
            done.notify();
            Exit::Poweroff
        });
        assert_eq!(world.run(), Ok(()), "seed {seed}");
        world.hypervisor().assert_clean();
    }
}
