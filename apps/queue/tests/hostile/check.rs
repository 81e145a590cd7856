//! What must hold for any bytes that a client sends to the service.

use std::convert::Infallible;
use std::rc::Rc;

use morgana_block::RamDisk;
use morgana_exec::{Executor, ManualClock};
use morgana_http::{Read, Write};
use morgana_queue::{JobId, JobQueue, Limits, NewJob, Queue};
use queue::{Service, Settings, Source, Store};

/// A client that says this and closes.
struct Client<'i> {
    says: &'i [u8],
    hears: Vec<u8>,
}

impl embedded_io_async::ErrorType for Client<'_> {
    type Error = Infallible;
}

impl Read for Client<'_> {
    async fn read(&mut self, room: &mut [u8]) -> Result<usize, Infallible> {
        let (now, later) = self.says.split_at(self.says.len().min(room.len()));
        room[..now.len()].copy_from_slice(now);
        self.says = later;
        Ok(now.len())
    }
}

impl Write for Client<'_> {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        self.hears.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    async fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

fn settings() -> Settings {
    Settings {
        queue: Limits {
            jobs: 8,
            dead: 2,
            bytes: 200,
            payload: 100,
            key: 8,
            keys: 4,
            attempts: 1,
            ..Limits::default()
        },
        ..Settings::default()
    }
}

/// A disk with a job that is leased, a dead letter, and one that is ready.
async fn disk(limits: Limits) -> Rc<RamDisk> {
    let disk = Rc::new(RamDisk::new(512, limits.device_bytes().div_ceil(512)).expect("a disk"));
    let queue = Queue::open(disk.clone(), || 1, limits, 1).await;
    let queue = queue.expect("a new queue");
    for _ in 0..3 {
        let job = NewJob {
            payload: b"work".to_vec(),
            ..NewJob::default()
        };
        queue.enqueue(job).await.expect("there is room");
    }
    let lease = queue.lease(1000).await.expect("a disk").expect("a job");
    queue.fail(lease.id, lease.token).await.expect("it is held");
    queue.lease(1000).await.expect("a disk");
    disk
}

/// Serves one connection; whatever it says, the queue is one afterwards, and on the disk it is the same.
pub(crate) fn check(input: &[u8]) {
    let (clock, mut executor) = (ManualClock::default(), Executor::new());
    let (timers, settings, says) = (executor.handle().timers(), settings(), input.to_vec());
    let main = async move {
        let disk = disk(settings.queue).await;
        let source = Source {
            device: disk.clone(),
            clock: || 1,
            random: Box::new(|| 2),
            limits: settings.queue,
        };
        let store = Store::open(source).await.expect("the queue");
        let server = Service::server(store, timers, settings, || 0);
        let mut client = Client {
            says: &says,
            hears: Vec::new(),
        };
        server.serve(&mut client).await;
        let answers = client.hears;
        assert!(answers.is_empty() || answers.starts_with(b"HTTP/1.1 "));
        drop(server);
        let limits = settings.queue;
        let queue = Queue::open(disk, || 1, limits, 3).await.expect("the queue");
        let now = queue.statistics().await.expect("a disk");
        let jobs = now.ready + now.delayed + now.leased + now.dead;
        assert!(jobs <= limits.jobs && now.dead <= limits.dead && now.bytes <= limits.bytes);
        let letters = queue.dead_letters(JobId(0), 10).await.expect("a disk");
        assert_eq!(letters.len(), now.dead);
    };
    executor.block_on(main, &mut clock.idle(), &clock);
}
