//! A disk in a file, on nothing but a reactor.

use std::fs::File;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use morgana_block::{BlockDevice, BlockError, Discard, Geometry, Writes};
use morgana_exec::join_all;
use morgana_file::{Access, FileDisk};
use morgana_reactor::Reactor;
use morgana_uring::Uring;

/// A reactor, a ring, and a file of some sectors.
struct World {
    reactor: Reactor,
    uring: Uring,
    path: PathBuf,
    _wake: (UnixStream, UnixStream),
}

impl World {
    fn new(name: &str, entries: u32, sectors: usize) -> Self {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        let mut file = File::create(&path).unwrap();
        file.write_all(&vec![0; sectors * 512]).unwrap();
        let wake = UnixStream::pair().unwrap();
        let reactor = Reactor::new(&wake.1).unwrap();
        let uring = Uring::new(entries, &reactor).unwrap();
        Self {
            reactor,
            uring,
            path,
            _wake: wake,
        }
    }

    fn open(&self, access: Access) -> FileDisk {
        FileDisk::open(&self.uring, &self.path, access).unwrap()
    }

    fn run<T>(&self, future: impl Future<Output = T>) -> T {
        let mut future = pin!(future);
        let mut cx = Context::from_waker(Waker::noop());
        loop {
            match future.as_mut().poll(&mut cx) {
                Poll::Ready(value) => return value,
                Poll::Pending => self.reactor.wait(None),
            }
        }
    }
}

fn content(number: u64) -> Vec<u8> {
    (0..4096u64)
        .map(|byte| (byte * 7 + number * 31) as u8)
        .collect()
}

#[test]
fn what_is_written_is_in_the_file_and_is_read() {
    let world = World::new("written", 8, 800);
    let disk = world.open(Access::ReadWrite);
    let geometry = Geometry::new(512, 800, Writes::Allowed).unwrap();
    assert_eq!(disk.geometry(), geometry);
    // More at once than the ring has entries.
    world.run(async {
        let writes = (0..100).map(|number| {
            let disk = &disk;
            async move { disk.write(number * 8, &content(number)).await.unwrap() }
        });
        join_all(writes).await;
        disk.flush().await.unwrap();
        let reads = (0..100).map(|number| {
            let disk = &disk;
            async move {
                let mut bytes = vec![0; 4096];
                disk.read(number * 8, &mut bytes).await.unwrap();
                assert_eq!(bytes, content(number));
            }
        });
        join_all(reads).await;
    });
    assert_eq!(world.uring.in_flight(), 0);
    let file = std::fs::read(&world.path).unwrap();
    assert_eq!(file, (0..100).flat_map(content).collect::<Vec<u8>>());
}

#[test]
fn the_edges_are_kept() {
    let world = World::new("edges", 4, 10);
    let disk = world.open(Access::ReadWrite);
    world.run(async {
        let mut sector = vec![0; 512];
        assert_eq!(
            disk.read(10, &mut sector).await,
            Err(BlockError::OutOfRange)
        );
        assert_eq!(disk.write(10, &sector).await, Err(BlockError::OutOfRange));
        assert_eq!(
            disk.read(0, &mut sector[1..]).await,
            Err(BlockError::Misaligned)
        );
        disk.write(9, &[3; 512]).await.unwrap();
        assert_eq!(
            disk.discard(9, 2, Discard::Plain).await,
            Err(BlockError::OutOfRange)
        );
        assert_eq!(
            disk.discard(9, 1, Discard::Secure).await,
            Err(BlockError::Unsupported)
        );
    });
    let frozen = world.open(Access::ReadOnly);
    assert_eq!(frozen.geometry().writes(), Writes::Refused);
    world.run(async {
        assert_eq!(frozen.write(0, &[0; 512]).await, Err(BlockError::ReadOnly));
        let mut sector = vec![0; 512];
        frozen.read(9, &mut sector).await.unwrap();
        assert_eq!(sector, [3; 512]);
    });
    // A file that became shorter behind our back.
    File::options()
        .write(true)
        .open(&world.path)
        .unwrap()
        .set_len(100)
        .unwrap();
    world.run(async {
        let mut sector = vec![0; 1024];
        assert_eq!(disk.read(0, &mut sector).await, Err(BlockError::Io));
    });
    assert!(FileDisk::open(&world.uring, "/dev/null", Access::ReadOnly).is_err());
    assert!(FileDisk::open(&world.uring, "/no/such/file", Access::ReadOnly).is_err());
}

#[test]
fn a_dropped_future_leaves_its_operation_to_its_course() {
    let world = World::new("dropped", 2, 64);
    let disk = Rc::new(world.open(Access::ReadWrite));
    for number in 0..20 {
        let write = disk.write(8, &content(number)).await_once();
        assert!(write.is_none_or(|done| done.is_ok()));
    }
    world.run(async {
        // The ring has room again once the kernel is done with what was dropped.
        disk.write(0, &content(99)).await.unwrap();
        let mut bytes = vec![0; 4096];
        disk.read(0, &mut bytes).await.unwrap();
        assert_eq!(bytes, content(99));
    });
    drop(disk);
    assert!(world.uring.in_flight() <= 2);
}

/// Polls a future once and drops it.
trait AwaitOnce: Future + Sized {
    fn await_once(self) -> Option<Self::Output> {
        match pin!(self).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(value) => Some(value),
            Poll::Pending => None,
        }
    }
}

impl<F: Future> AwaitOnce for F {}
