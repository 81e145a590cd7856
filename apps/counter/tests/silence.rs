//! A counter whose domain is gone without a word, in simulated time.

use std::cell::Cell;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use counter::{LIMITS, Load, Message, NAME, Served, until_gone};
use morgana_actors::{Ended, Identity, LookupError, Node};
use morgana_exec::{Duplex, Executor, ManualClock, duplex, join};
use morgana_hal::{ByteStream, StreamError};

/// A stream that is neither closed nor goes on, from a point in time.
struct Frozen(Duplex, Rc<Cell<bool>>);

impl ByteStream for Frozen {
    fn poll_read(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<Result<usize, StreamError>> {
        match self.1.get() {
            true => Poll::Pending,
            false => self.0.poll_read(cx, buffer),
        }
    }

    fn poll_write(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize, StreamError>> {
        match self.1.get() {
            true => Poll::Pending,
            false => self.0.poll_write(cx, bytes),
        }
    }
}

#[test]
fn every_request_ends_in_time_and_the_next_counter_is_found() {
    let clock = ManualClock::default();
    let mut executor = Executor::new();
    let tasks = executor.handle();
    let main = async move {
        let identity = |node, incarnation| Identity { node, incarnation };
        let client = Node::new(&tasks, identity(2, 1), LIMITS);
        let timers = tasks.timers();
        for incarnation in 1..4 {
            let served = Served::start(&tasks, identity(1, incarnation)).unwrap();
            let (a, b) = duplex(4096);
            let is_frozen = Rc::new(Cell::new(false));
            served.take(Frozen(a, is_frozen.clone()), "the client");
            let (link, running) = client.attach(b);
            let connection = tasks.spawn(running).unwrap();
            let counter = link.lookup::<Message>(NAME, 16).await.unwrap();
            assert_eq!(link.peer().unwrap().incarnation, incarnation);
            let before = timers.now();
            let freeze = async {
                timers.sleep(Duration::from_millis(5_700)).await;
                is_frozen.set(true);
            };
            let load = Load::DEFAULT;
            let (report, ()) = join(until_gone(&tasks, counter, &load), freeze).await;
            let report = report.unwrap();
            assert_eq!((report.answered, report.peer_gone), (8 * 5, 8), "{report}");
            assert_eq!((report.otherwise, report.beyond), (0, Duration::ZERO));
            // That in a hurry was sent at 5 s, at 6.5 s and at 8 s; the third saw the end.
            assert_eq!(report.late, 2, "{report}");
            assert_eq!(report.told, Some(Ended::PeerGone));
            let took = timers.now().since(before);
            let silence = Duration::from_millis(5_700) + LIMITS.silence;
            assert!(took <= silence, "{took:?}");
            assert!(connection.await.is_some());
            let gone = link.lookup::<Message>(NAME, 16).await;
            assert_eq!(gone.err(), Some(LookupError::PeerGone));
        }
    };
    executor.block_on(main, &mut clock.idle(), &clock);
}
