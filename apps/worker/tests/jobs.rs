//! A worker at a queue in memory, on a clock that jumps.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use fractal::Order;
use morgana_block::RamDisk;
use morgana_exec::{Executor, Handle, ManualClock, Timers};
use morgana_queue::{
    DeadLetter, JobId, JobQueue, Lease, Limits, NewJob, Outcome, Queue, QueueError, Statistics,
    Token,
};
use worker::{Desk, Done, Jobs, Lost, Report, Unheard, paint, work};

/// A queue that is waited at.
#[derive(Clone)]
struct Shelf {
    queue: Rc<Queue<RamDisk, Box<dyn Fn() -> u64>>>,
    timers: Timers,
}

impl JobQueue for Shelf {
    async fn enqueue(&self, job: NewJob) -> Result<Outcome, QueueError> {
        self.queue.enqueue(job).await
    }
    async fn lease(&self, time: u64) -> Result<Option<Lease>, QueueError> {
        self.queue.lease(time).await
    }
    async fn acknowledge(&self, id: JobId, token: Token) -> Result<(), QueueError> {
        self.queue.acknowledge(id, token).await
    }
    async fn extend(&self, id: JobId, token: Token, time: u64) -> Result<u64, QueueError> {
        self.queue.extend(id, token, time).await
    }
    async fn fail(&self, id: JobId, token: Token) -> Result<Outcome, QueueError> {
        self.queue.fail(id, token).await
    }
    async fn dead_letters(&self, from: JobId, most: usize) -> Result<Vec<DeadLetter>, QueueError> {
        self.queue.dead_letters(from, most).await
    }
    async fn requeue(&self, id: JobId) -> Result<(), QueueError> {
        self.queue.requeue(id).await
    }
    async fn purge(&self, id: JobId) -> Result<(), QueueError> {
        self.queue.purge(id).await
    }
    async fn statistics(&self) -> Result<Statistics, QueueError> {
        self.queue.statistics().await
    }
}

impl Jobs for Shelf {
    async fn wait(&self, time: u64) -> Result<Option<Lease>, QueueError> {
        self.timers.sleep(Duration::from_millis(100)).await;
        self.lease(time).await
    }
}

/// Hears all but the first so many.
#[derive(Clone, Default)]
struct Ear {
    deaf: Rc<Cell<u32>>,
    heard: Rc<RefCell<Vec<Done>>>,
}

impl Report for Ear {
    async fn tell(&self, done: Done) -> Result<(), Unheard> {
        if self.deaf.get() > 0 {
            self.deaf.set(self.deaf.get() - 1);
            return Err(Unheard);
        }
        self.heard.borrow_mut().push(done);
        Ok(())
    }
}

fn with<F: Future<Output = ()> + 'static>(
    test: impl FnOnce(Shelf, Ear, Desk, Handle) -> F + 'static,
) {
    let clock = ManualClock::default();
    let mut executor = Executor::new();
    let tasks = executor.handle();
    executor.block_on(
        async move {
            let limits = Limits {
                jobs: 50,
                bytes: 64 << 10,
                keys: 50,
                ..Limits::default()
            };
            let disk = RamDisk::new(512, limits.device_bytes().div_ceil(512)).unwrap();
            let timers = tasks.timers();
            let now: Box<dyn Fn() -> u64> = Box::new(move || timers.now().as_millis());
            let queue = Queue::open(disk, now, limits, 7).await.unwrap();
            let shelf = Shelf {
                queue: Rc::new(queue),
                timers: tasks.timers(),
            };
            test(shelf, Ear::default(), Desk::default(), tasks).await;
        },
        &mut clock.idle(),
        &clock,
    );
}

async fn put(shelf: &Shelf, job: &str) -> u64 {
    let job = NewJob {
        payload: job.into(),
        ..NewJob::default()
    };
    match shelf.enqueue(job).await {
        Ok(Outcome::New(JobId(id))) => id,
        other => panic!("{other:?}"),
    }
}

fn hire(shelf: &Shelf, ear: &Ear, desk: &Desk, tasks: &Handle) -> morgana_exec::Task<()> {
    let (shelf, ear, desk, timers) = (shelf.clone(), ear.clone(), desk.clone(), tasks.timers());
    let working = async move { work(&shelf, &ear, &desk, &timers).await };
    tasks.spawn(working).expect("room for a task")
}

/// Waits until nothing is left to do.
async fn empty(shelf: &Shelf) -> Statistics {
    loop {
        shelf.timers.sleep(Duration::from_millis(50)).await;
        let statistics = shelf.statistics().await.expect("statistics");
        if statistics.ready + statistics.delayed + statistics.leased == 0 {
            return statistics;
        }
    }
}

#[test]
fn jobs_are_done_told_and_acknowledged() {
    with(|shelf, ear, desk, tasks| async move {
        let first = put(&shelf, "poster 0 0 0 8 50").await;
        let other = put(&shelf, "poster 1 0 0 8 50").await;
        let again = put(&shelf, "poster 0 0 0 8 50").await;
        let working = hire(&shelf, &ear, &desk, &tasks);
        assert_eq!(empty(&shelf).await.dead, 0);
        let heard = ear.heard.borrow().clone();
        let jobs: Vec<u64> = heard.iter().map(|done| done.job).collect();
        assert_eq!(jobs, [first, other, again]);
        // The same picture is the same, whoever paints it.
        assert_eq!(heard[0].checksum, heard[2].checksum);
        assert_ne!(heard[0].checksum, heard[1].checksum);
        assert_eq!(desk.figures(), (false, 3, 0));
        desk.close();
        working.await;
    });
}

#[test]
fn a_job_that_nobody_hears_of_is_done_again_under_its_number() {
    with(|shelf, ear, desk, tasks| async move {
        ear.deaf.set(2);
        let job = put(&shelf, "poster 0 0 0 8 50").await;
        let _working = hire(&shelf, &ear, &desk, &tasks);
        empty(&shelf).await;
        let heard = ear.heard.borrow().clone();
        assert_eq!((heard.len(), heard[0].job, heard[0].attempt), (1, job, 3));
        assert_eq!(desk.figures(), (false, 1, 2));
    });
}

#[test]
fn a_job_without_sense_becomes_a_dead_letter_and_others_are_done() {
    with(|shelf, ear, desk, tasks| async move {
        put(&shelf, "make coffee").await;
        put(&shelf, "poster 0 0 0 8 50").await;
        let _working = hire(&shelf, &ear, &desk, &tasks);
        assert_eq!(empty(&shelf).await.dead, 1);
        assert_eq!(ear.heard.borrow().len(), 1);
    });
}

#[test]
fn a_worker_that_closes_leaves_the_rest_to_others() {
    with(|shelf, ear, desk, tasks| async move {
        desk.close();
        put(&shelf, "poster 0 0 0 8 50").await;
        hire(&shelf, &ear, &desk, &tasks).await;
        assert_eq!(shelf.statistics().await.unwrap().ready, 1);
    });
}

#[test]
fn a_lease_is_kept_while_the_work_goes_on_and_its_loss_ends_it() {
    with(|shelf, _, _, _| async move {
        let order = Order::parse(b"poster 0 0 0 16 10").unwrap();
        let (kept, period) = (Cell::new(0), Duration::ZERO);
        let keep = async || {
            kept.set(kept.get() + 1);
            if kept.get() < 5 { Ok(()) } else { Err(Lost) }
        };
        assert_eq!(paint(&order, &shelf.timers, period, keep).await, Err(Lost));
        assert_eq!(kept.get(), 5);
    });
}
