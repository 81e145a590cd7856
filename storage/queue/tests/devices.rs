//! Devices on which no queue can be, and those on which one was.

use std::cell::Cell;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use morgana_block::{BlockDevice, BlockError, Geometry, RamDisk, ReadOnly};
use morgana_queue::{JobQueue, Limits, MAX_KEY, MAX_PAYLOAD, NewJob, OpenError, Outcome, Queue};

/// A disk in memory never waits.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a disk in memory waits for nothing"),
    }
}

fn limits() -> Limits {
    Limits {
        jobs: 50,
        bytes: 1000,
        keys: 10,
        window: 50,
        ..Limits::default()
    }
}

fn sectors(size: u64) -> u64 {
    limits().device_bytes().div_ceil(size)
}

fn disk(sectors: u64) -> Rc<RamDisk> {
    Rc::new(RamDisk::new(512, sectors).expect("a disk"))
}

fn contents(disk: &RamDisk) -> Vec<u8> {
    let mut bytes = vec![0; disk.geometry().bytes() as usize];
    now(disk.read(0, &mut bytes)).expect("a whole disk");
    bytes
}

fn open(disk: impl BlockDevice + 'static, limits: Limits) -> Result<(), OpenError> {
    now(Queue::open(disk, || 0, limits, 1)).map(drop)
}

#[test]
fn a_device_that_is_too_small_is_refused_and_stays() {
    for sectors in [0, 1, 7, 8, sectors(512) - 1] {
        let disk = disk(sectors);
        assert_eq!(open(disk.clone(), limits()), Err(OpenError::TooSmall));
        assert!(contents(&disk).iter().all(|byte| *byte == 0));
    }
    assert_eq!(open(disk(sectors(512)), limits()), Ok(()));
    let large = RamDisk::new(4096, sectors(4096)).expect("a disk");
    assert_eq!(open(large, limits()), Ok(()));
}

#[test]
fn limits_that_no_queue_can_have_are_refused() {
    let payload = Limits {
        payload: MAX_PAYLOAD + 1,
        ..limits()
    };
    let key = Limits {
        key: MAX_KEY + 1,
        ..limits()
    };
    for limits in [payload, key] {
        let sectors = limits.device_bytes().div_ceil(512);
        assert_eq!(open(disk(sectors), limits), Err(OpenError::Limits));
    }
    let endless = Limits {
        jobs: usize::MAX,
        keys: usize::MAX,
        bytes: usize::MAX,
        ..limits()
    };
    assert_eq!(open(disk(sectors(512)), endless), Err(OpenError::TooSmall));
}

#[test]
fn a_device_with_something_else_is_refused_and_stays() {
    // Where partition tables, ext4, btrfs and others begin, and the last byte that is looked at.
    for place in [70, 510, 512, 1080, 32_769, 65_600, (128 << 10) - 1] {
        let disk = disk(sectors(512).max(1024));
        let mut sector = [0; 512];
        sector[place % 512] = 1;
        now(disk.write(place as u64 / 512, &sector)).expect("a disk");
        let before = contents(&disk);
        assert_eq!(
            open(disk.clone(), limits()),
            Err(OpenError::Foreign),
            "{place}"
        );
        assert!(contents(&disk) == before, "{place}");
    }
}

#[test]
fn a_device_that_only_can_be_read_is_refused() {
    let refused = open(ReadOnly(disk(sectors(512))), limits());
    assert_eq!(refused, Err(OpenError::Device(BlockError::ReadOnly)));
}

#[test]
fn a_queue_stays_on_a_device_of_its_size() {
    let small = disk(sectors(512));
    open(small.clone(), limits()).expect("a new queue");
    let grown = disk(sectors(512) + 8);
    now(grown.write(0, &contents(&small))).expect("it fits");
    let before = contents(&grown);
    assert_eq!(open(grown.clone(), limits()), Err(OpenError::Geometry));
    assert!(contents(&grown) == before);
    // With fewer jobs than there are it opens all the same, and has them all.
    let queue = now(Queue::open(small.clone(), || 0, limits(), 1)).expect("the queue");
    for _ in 0..20 {
        now(queue.enqueue(NewJob::default())).expect("there is room");
    }
    drop(queue);
    let fewer = Limits {
        jobs: 10,
        ..limits()
    };
    let queue = now(Queue::open(small, || 0, fewer, 1)).expect("the queue");
    assert_eq!(now(queue.statistics()).expect("a disk").ready, 20);
    assert!(now(queue.enqueue(NewJob::default())).is_err());
}

#[test]
fn a_key_is_free_again_after_its_window_whether_the_queue_was_opened_anew_or_not() {
    for anew in [false, true] {
        let (disk, time) = (disk(sectors(512)), Rc::new(Cell::new(0)));
        let open = || {
            let clock = time.clone();
            now(Queue::open(disk.clone(), move || clock.get(), limits(), 1)).expect("the queue")
        };
        let mut queue = open();
        let mut put = |at| {
            time.set(at);
            if anew {
                queue = open();
            }
            let keyed = NewJob {
                key: b"k".to_vec(),
                ..NewJob::default()
            };
            now(queue.enqueue(keyed)).expect("there is room")
        };
        let Outcome::New(first) = put(0) else {
            panic!("nothing has this key");
        };
        assert_eq!(put(49), Outcome::Duplicate(first));
        let Outcome::New(second) = put(50) else {
            panic!("its window is over");
        };
        assert!(second > first);
        // The window of the second one counts now, and not the end of the first one's.
        assert_eq!(put(99), Outcome::Duplicate(second));
        assert!(matches!(put(100), Outcome::New(third) if third > second));
        assert_eq!(now(queue.statistics()).expect("a disk").ready, 3);
    }
}

/// Counts what is read, and cannot read some sectors.
struct Watched {
    disk: Rc<RamDisk>,
    reads: Cell<usize>,
    unreadable: [u64; 2],
}

impl BlockDevice for Watched {
    fn geometry(&self) -> Geometry {
        self.disk.geometry()
    }

    async fn read(&self, sector: u64, into: &mut [u8]) -> Result<(), BlockError> {
        self.reads.set(self.reads.get() + 1);
        let read = sector..sector + into.len() as u64 / 512;
        if self.unreadable.iter().any(|bad| read.contains(bad)) {
            return Err(BlockError::Io);
        }
        self.disk.read(sector, into).await
    }

    async fn write(&self, sector: u64, from: &[u8]) -> Result<(), BlockError> {
        self.disk.write(sector, from).await
    }

    async fn flush(&self) -> Result<(), BlockError> {
        self.disk.flush().await
    }
}

/// Each read is a round trip to the back end. What lies behind the log needs not be readable.
#[test]
fn a_long_log_takes_few_reads() {
    let disk = disk(8 * 400);
    let half = 4 * 400;
    let watched = || {
        Rc::new(Watched {
            disk: disk.clone(),
            reads: Cell::new(0),
            unreadable: [half - 1, 2 * half - 1],
        })
    };
    let jobs = 1_000;
    let limits = Limits {
        jobs,
        bytes: 1_000,
        keys: 10,
        window: 50,
        ..Limits::default()
    };
    let queue = now(Queue::open(watched(), || 0, limits, 1)).expect("a new queue");
    for _ in 0..jobs {
        now(queue.enqueue(NewJob::default())).expect("there is room");
    }
    drop(queue);
    let second = watched();
    let queue = now(Queue::open(second.clone(), || 0, limits, 1)).expect("the queue");
    assert_eq!(now(queue.statistics()).expect("a disk").ready, jobs);
    // Two headers, and a thousand batches of a sector each and as much behind them, in windows of 128.
    assert!(second.reads.get() < 40, "{}", second.reads.get());
}
