//! A server that is asked again and again: connections that are kept, that close meanwhile, or never come.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::pending;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use morgana_exec::{Executor, Handle, ManualClock, duplex};
use morgana_http::{
    AskError, BodyError, ClientError, Connect, ConnectFailed, Handler, Limits, Method, Methods,
    Origin, Read, Request, Response, Server,
};

use crate::with_server::Stream;

struct Counting(Rc<Cell<u32>>);

impl Handler for Counting {
    fn methods(&self, _: &Request<'_>) -> Methods {
        Methods::READ_ONLY.with(Method::Post)
    }

    async fn handle<'h>(
        &'h self,
        _: &Request<'_>,
        _: &mut impl Read<Error = BodyError>,
    ) -> Response<'h> {
        self.0.set(self.0.get() + 1);
        Response::ok("text/plain", b"well")
    }
}

/// What becomes of a connection.
#[derive(Clone, Copy)]
enum Fate {
    /// Served for so long after its last answer.
    Served(Duration),
    Refused,
    Silent,
}

/// A network whose connections fare as they are told to, in turn.
#[derive(Clone)]
struct Net {
    tasks: Handle,
    fates: Rc<RefCell<VecDeque<Fate>>>,
    handled: Rc<Cell<u32>>,
    made: Rc<Cell<u32>>,
}

impl Connect for Net {
    type Stream = Stream;

    async fn connect(&self, _: SocketAddr) -> Result<Stream, ConnectFailed> {
        self.made.set(self.made.get() + 1);
        let fate = self.fates.borrow_mut().pop_front().expect("a fate");
        let idle = match fate {
            Fate::Served(idle) => idle,
            Fate::Refused => return Err(ConnectFailed),
            Fate::Silent => return pending().await,
        };
        let (ours, theirs) = duplex(4096);
        let mut theirs = Stream(theirs);
        let limits = Limits {
            idle_time: idle,
            ..Limits::DEFAULT
        };
        let server = Server::new(Counting(self.handled.clone()), self.tasks.timers(), limits);
        let served = self.tasks.spawn(async move {
            server.serve(&mut theirs).await;
        });
        served.expect("room for a task");
        Ok(Stream(ours))
    }
}

fn with<F: Future<Output = ()> + 'static>(fates: &[Fate], ask: impl FnOnce(Origin<Net>, Net) -> F) {
    let clock = ManualClock::default();
    let mut executor = Executor::new();
    let net = Net {
        tasks: executor.handle(),
        fates: Rc::new(RefCell::new(fates.iter().copied().collect())),
        handled: Rc::default(),
        made: Rc::default(),
    };
    let address = "10.0.0.1:80".parse().expect("an address");
    let (timers, time) = (net.tasks.timers(), Duration::from_secs(2));
    let origin = Origin::new(net.clone(), address, timers, time);
    executor.block_on(ask(origin, net), &mut clock.idle(), &clock)
}

const LONG: Fate = Fate::Served(Duration::from_secs(60));

#[test]
fn a_connection_is_kept_for_what_may_be_repeated() {
    with(&[LONG, LONG], |origin, net| async move {
        for _ in 0..3 {
            let answer = origin.get("/", 100).await.expect("an answer");
            assert_eq!(
                (answer.status.code(), &answer.content[..]),
                (200, &b"well"[..])
            );
        }
        assert_eq!(net.made.get(), 1);
        // A kept one may be closing at that moment.
        let posted = origin.ask(Method::Post, "/", &[], b"x", 100).await;
        assert_eq!(posted.expect("an answer").status.code(), 200);
        assert_eq!((net.made.get(), net.handled.get()), (2, 4));
    });
}

#[test]
fn a_connection_that_was_closed_meanwhile_is_made_anew() {
    let short = Fate::Served(Duration::from_secs(1));
    with(&[short, LONG], |origin, net| async move {
        origin.get("/", 100).await.expect("an answer");
        net.tasks.timers().sleep(Duration::from_secs(5)).await;
        origin.get("/", 100).await.expect("an answer");
        assert_eq!((net.made.get(), net.handled.get()), (2, 2));
    });
}

#[test]
fn what_fails_is_told_and_has_an_end() {
    with(
        &[Fate::Refused, Fate::Silent, LONG],
        |origin, net| async move {
            assert_eq!(origin.get("/", 100).await, Err(AskError::Connect));
            let begun = net.tasks.timers().now();
            assert_eq!(origin.get("/", 100).await, Err(AskError::TimedOut));
            assert_eq!(
                net.tasks.timers().now().since(begun),
                Duration::from_secs(2)
            );
            let large = Err(AskError::Client(ClientError::TooLarge));
            assert_eq!(origin.get("/", 3).await, large);
        },
    );
}
