//! Many at once over a slow device, some of whom give up: no job is lost, and none is with two workers.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use morgana_block::{BlockDevice, BlockError, Geometry, RamDisk, Traced};
use morgana_exec::{Executor, Handle, ManualClock, Timers, join_all};
use morgana_queue::{JobQueue, Limits, NewJob, Queue};

const MILLISECOND: Duration = Duration::from_millis(1);

/// Each write and flush takes a while, another one each time.
struct Slow<D> {
    device: D,
    timers: Timers,
    chance: Chance,
}

impl<D: BlockDevice> BlockDevice for Slow<D> {
    fn geometry(&self) -> Geometry {
        self.device.geometry()
    }

    async fn read(&self, sector: u64, into: &mut [u8]) -> Result<(), BlockError> {
        self.device.read(sector, into).await
    }

    async fn write(&self, sector: u64, from: &[u8]) -> Result<(), BlockError> {
        self.timers.sleep(MILLISECOND * self.chance.below(3)).await;
        self.device.write(sector, from).await
    }

    async fn flush(&self) -> Result<(), BlockError> {
        self.timers.sleep(MILLISECOND * self.chance.below(20)).await;
        self.device.flush().await
    }
}

/// Random numbers of a seed.
#[derive(Clone)]
struct Chance(Rc<Cell<u64>>);

impl Chance {
    fn below(&self, most: u32) -> u32 {
        let next = self
            .0
            .get()
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        self.0.set(next);
        (next >> 33) as u32 % most
    }
}

/// What the test knows.
#[derive(Default)]
struct Known {
    put: RefCell<BTreeSet<u64>>,
    with_workers: RefCell<BTreeSet<u64>>,
    done: RefCell<BTreeSet<u64>>,
}

/// Runs a future with time that goes on as soon as nothing is ready.
fn run<T: 'static>(main: impl AsyncFnOnce(Handle, Timers) -> T + 'static) -> T {
    let clock = ManualClock::default();
    let mut executor = Executor::new();
    let (tasks, timers) = (executor.handle(), executor.handle().timers());
    executor.block_on(main(tasks, timers), &mut clock.idle(), &clock)
}

#[test]
fn what_is_answered_holds_whoever_gives_up() {
    for seed in 0..30 {
        run(async move |_, timers| one(seed, timers).await);
    }
}

async fn one(seed: u64, timers: Timers) {
    let chance = Chance(Rc::new(Cell::new(seed)));
    let limits = Limits {
        jobs: 200,
        bytes: 10_000,
        keys: 10,
        ..Limits::default()
    };
    let disk = RamDisk::new(512, limits.device_bytes().div_ceil(512)).expect("a disk");
    let disk = Rc::new(disk);
    let slow = Slow {
        device: disk.clone(),
        timers: timers.clone(),
        chance: chance.clone(),
    };
    let device = Rc::new(Traced::new(slow));
    let queue = Queue::open(device.clone(), || 1, limits, seed).await;
    let (queue, known) = (queue.expect("a new queue"), Known::default());
    let before = device.counts().flushes;
    let producers = (0..10).map(|_| produce(&queue, &known, &chance, &timers));
    let workers = (0..10).map(|_| work(&queue, &known, &chance, &timers));
    morgana_exec::join(join_all(producers), join_all(workers)).await;
    // 100 jobs, and as many leases and acknowledgements: most share a flush with others.
    let flushes = device.counts().flushes - before;
    assert!(flushes < 200, "seed {seed}: {flushes} flushes");
    // What nobody has waited for is durable with the next that somebody does.
    queue
        .enqueue(NewJob::default())
        .await
        .expect("there is room");
    let live = queue.statistics().await.expect("a disk");
    drop(queue);
    let again = Queue::open(disk, || 1, limits, seed)
        .await
        .expect("the queue");
    let found = again.statistics().await.expect("a disk");
    assert_eq!(found, live, "seed {seed}");
    let (put, done) = (known.put.borrow().len(), known.done.borrow().len());
    assert!(
        put > 50 && done > 10,
        "seed {seed}: {put} put in, {done} done"
    );
    // Those whose acknowledgement nobody waited for may be done as well.
    let left = found.ready + found.leased;
    assert!(
        left + done <= 101 && left >= put - 100.min(put),
        "seed {seed}"
    );
    for id in known.put.borrow().difference(&known.with_workers.borrow()) {
        let there = again.contains(morgana_queue::JobId(*id));
        assert_eq!(there, Ok(true), "seed {seed}: job {id}");
    }
    for id in known.done.borrow().iter() {
        let there = again.contains(morgana_queue::JobId(*id));
        assert_eq!(there, Ok(false), "seed {seed}: job {id}");
    }
}

/// Waits at most so long for an answer; sometimes not long enough.
async fn impatient<T>(
    timers: &Timers,
    chance: &Chance,
    future: impl Future<Output = T>,
) -> Option<T> {
    let patience = if chance.below(4) == 0 {
        chance.below(15)
    } else {
        10_000
    };
    timers.timeout(MILLISECOND * patience, future).await.ok()
}

async fn produce(queue: &impl JobQueue, known: &Known, chance: &Chance, timers: &Timers) {
    for _ in 0..10 {
        timers.sleep(MILLISECOND * chance.below(10)).await;
        let job = NewJob {
            payload: vec![0; chance.below(100) as usize],
            ..NewJob::default()
        };
        let put = impatient(timers, chance, queue.enqueue(job)).await;
        if let Some(morgana_queue::Outcome::New(id)) = put.map(|put| put.expect("there is room")) {
            known.put.borrow_mut().insert(id.0);
        }
    }
}

async fn work(queue: &impl JobQueue, known: &Known, chance: &Chance, timers: &Timers) {
    for _ in 0..15 {
        timers.sleep(MILLISECOND * chance.below(15)).await;
        // The clock of the queue stands: no lease ends by itself. One that nobody waited for is with nobody, for ever.
        let leased = impatient(timers, chance, queue.lease(1000)).await;
        let Some(Ok(Some(lease))) = leased else {
            continue;
        };
        let first = known.with_workers.borrow_mut().insert(lease.id.0);
        assert!(first, "job {} is with two", lease.id.0);
        let done = queue.acknowledge(lease.id, lease.token);
        if let Some(done) = impatient(timers, chance, done).await {
            done.expect("it is held");
            known.done.borrow_mut().insert(lease.id.0);
        }
    }
}
