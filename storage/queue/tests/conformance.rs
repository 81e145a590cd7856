//! What every `JobQueue` does, and what the one on a device does besides.

mod rules;

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use morgana_block::{BlockDevice, BlockError, Faults, Faulty, Geometry, RamDisk, Traced};
use morgana_exec::{join_all, yield_now};
use morgana_queue::{JobQueue, Limits, NewJob, Outcome, Queue, QueueError};

/// Polls until it is done.
fn run<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    for _ in 0..100_000 {
        if let Poll::Ready(value) = future
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
        {
            return value;
        }
    }
    panic!("it does not end");
}

fn disk() -> Rc<RamDisk> {
    let bytes = Limits::default().device_bytes();
    Rc::new(RamDisk::new(512, bytes.div_ceil(512)).unwrap())
}

fn job(payload: &[u8]) -> NewJob {
    NewJob {
        payload: payload.to_vec(),
        ..NewJob::default()
    }
}

/// A device whose writes and flushes take a while.
struct Slow<D>(D);

impl<D: BlockDevice> BlockDevice for Slow<D> {
    fn geometry(&self) -> Geometry {
        self.0.geometry()
    }

    async fn read(&self, sector: u64, into: &mut [u8]) -> Result<(), BlockError> {
        self.0.read(sector, into).await
    }

    async fn write(&self, sector: u64, from: &[u8]) -> Result<(), BlockError> {
        yield_now().await;
        self.0.write(sector, from).await
    }

    async fn flush(&self) -> Result<(), BlockError> {
        // Longer than all who wait take to look once: each of them drives it.
        for _ in 0..1000 {
            yield_now().await;
        }
        self.0.flush().await
    }
}

#[test]
fn the_queue_on_a_device_conforms() {
    let time = Rc::new(Cell::new(0));
    let clock = time.clone();
    run(rules::conforms(
        async |limits| {
            let clock = clock.clone();
            let opened = Queue::open(disk(), move || clock.get(), limits, 1).await;
            opened.unwrap()
        },
        |milliseconds| time.set(time.get() + milliseconds),
    ));
}

#[test]
fn many_at_once_share_a_flush() {
    let device = Rc::new(Traced::new(Slow(disk())));
    let queue = run(Queue::open(device.clone(), || 0, Limits::default(), 1)).unwrap();
    let before = device.counts().flushes;
    let all = run(join_all((0..200).map(|_| queue.enqueue(job(b"x")))));
    assert!(all.iter().all(Result::is_ok));
    // The first one alone, and then all others.
    assert!(device.counts().flushes - before <= 2);
}

#[test]
fn a_commit_goes_on_when_the_one_that_began_it_is_dropped() {
    let queue = run(Queue::open(Slow(disk()), || 0, Limits::default(), 1)).unwrap();
    let mut first = Box::pin(queue.enqueue(job(b"a")));
    run(poll_fn(|cx| {
        assert!(first.as_mut().poll(cx).is_pending());
        Poll::Ready(())
    }));
    drop(first);
    run(queue.enqueue(job(b"b"))).unwrap();
    assert_eq!(run(queue.statistics()).unwrap().ready, 2);
}

#[test]
fn leases_survive_and_time_goes_on_with_a_clock_that_begins_anew() {
    let disk = disk();
    let queue = run(Queue::open(disk.clone(), || 5000, Limits::default(), 1)).unwrap();
    run(queue.enqueue(job(b"a"))).unwrap();
    let lease = run(queue.lease(1000)).unwrap().unwrap();
    drop(queue);
    let time = Rc::new(Cell::new(10));
    let clock = time.clone();
    let queue = run(Queue::open(disk, move || clock.get(), Limits::default(), 1)).unwrap();
    assert_eq!(queue.next_change(), Some(1010));
    time.set(1009);
    run(queue.acknowledge(lease.id, lease.token)).unwrap();
    let Outcome::New(next) = run(queue.enqueue(job(b"b"))).unwrap() else {
        panic!("it has no key")
    };
    assert!(next > lease.id);
}

#[test]
fn after_a_failure_nothing_is_done() {
    let faults = Faults {
        flushes: 5,
        ..Faults::default()
    };
    for seed in 0..20 {
        let disk = disk();
        let device = Faulty::new(disk.clone(), faults, seed);
        let Ok(queue) = run(Queue::open(device, || 0, Limits::default(), 1)) else {
            continue;
        };
        let answers = (0..100).map(|_| run(queue.enqueue(job(b"x"))));
        let answers: Vec<_> = answers.collect();
        let done = answers.iter().take_while(|answer| answer.is_ok()).count();
        assert!(done < 100);
        let failed = Err(QueueError::Device(BlockError::Io));
        assert!(answers[done..].iter().all(|answer| *answer == failed));
        let again = run(Queue::open(disk, || 0, Limits::default(), 2)).unwrap();
        assert!((done..=done + 1).contains(&run(again.statistics()).unwrap().ready));
    }
}

#[test]
fn who_waits_is_told_of_what_may_be_a_job_and_of_nothing_else() {
    let queue = run(Queue::open(disk(), || 0, Limits::default(), 1)).unwrap();
    let told = |what: &mut dyn FnMut()| {
        let before = queue.changed().count();
        what();
        queue.changed().count() != before
    };
    assert!(told(&mut || _ = run(queue.enqueue(job(b"a"))).unwrap()));
    let (mut first, mut second) = (None, None);
    // The end of its lease is the next time at which there may be a job.
    assert!(told(&mut || first = run(queue.lease(100)).unwrap()));
    assert!(told(&mut || _ = run(queue.enqueue(job(b"b"))).unwrap()));
    assert!(!told(&mut || second = run(queue.lease(200)).unwrap()));
    let (first, second) = (first.unwrap(), second.unwrap());
    assert!(!told(
        &mut || _ = run(queue.extend(second.id, second.token, 250)).unwrap()
    ));
    assert!(told(
        &mut || _ = run(queue.extend(second.id, second.token, 50)).unwrap()
    ));
    assert!(!told(
        &mut || run(queue.acknowledge(first.id, first.token)).unwrap()
    ));
    assert!(!told(&mut || assert_eq!(run(queue.lease(10)), Ok(None))));
    let late = |delay| NewJob { delay, ..job(b"c") };
    assert!(!told(&mut || _ = run(queue.enqueue(late(300))).unwrap()));
    assert!(told(&mut || _ = run(queue.enqueue(late(30))).unwrap()));
    assert!(!told(
        &mut || _ = run(queue.fail(second.id, second.token)).unwrap()
    ));
}
