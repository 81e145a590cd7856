//! A disk that fails, and comes back.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use morgana_block::{BlockDevice, BlockError, Geometry, RamDisk};
use morgana_queue::{JobQueue, NewJob, QueueError};
use queue::Settings;

use crate::asker::Asker;
use crate::world::{Time, client, disk, serve, test};

/// A disk that fails when it is told to.
struct Frail(RamDisk, Cell<bool>);

impl BlockDevice for Frail {
    fn geometry(&self) -> Geometry {
        self.0.geometry()
    }

    async fn read(&self, sector: u64, into: &mut [u8]) -> Result<(), BlockError> {
        match self.1.get() {
            true => Err(BlockError::Io),
            false => self.0.read(sector, into).await,
        }
    }

    async fn write(&self, sector: u64, from: &[u8]) -> Result<(), BlockError> {
        match self.1.get() {
            true => Err(BlockError::Io),
            false => self.0.write(sector, from).await,
        }
    }

    async fn flush(&self) -> Result<(), BlockError> {
        match self.1.get() {
            true => Err(BlockError::Io),
            false => self.0.flush().await,
        }
    }
}

#[test]
fn a_disk_that_fails_is_told_and_opened_again() {
    test(|host| async move {
        let settings = Settings {
            reopen_time: Duration::from_millis(1),
            ..Settings::default()
        };
        let frail = Rc::new(Frail(disk(&settings.queue), Cell::new(false)));
        let address = serve(&host, &Time::default(), settings, frail.clone()).await;
        let queue = Asker(host.clone(), address);
        assert_eq!(queue.post("/jobs", b"first").await.code, 201);
        let lease = queue.post("/leases", b"").await;
        frail.1.set(true);
        let refused = queue.post("/jobs", b"second").await;
        assert_eq!((refused.code, refused.field("Retry-After")), (503, ""));
        assert_eq!(queue.get("/healthz").await.code, 503);
        assert_eq!(queue.post(&lease.path("acknowledge"), b"").await.code, 503);
        let client = client(&host, address);
        let failed = Err(QueueError::Device(BlockError::Io));
        assert_eq!(client.enqueue(NewJob::default()).await, failed);
        frail.1.set(false);
        while queue.get("/healthz").await.code != 200 {}
        // The lease is what it was, and the figures go on.
        assert_eq!(queue.post(&lease.path("acknowledge"), b"").await.code, 204);
        let stats = queue.get("/stats").await.text;
        assert!(
            stats.contains("\"leases\":1,\"acknowledged\":1,"),
            "{stats}"
        );
        assert!(
            stats.contains("\"enqueued\":1,") || stats.contains("\"enqueued\":2,"),
            "{stats}"
        );
    });
}
