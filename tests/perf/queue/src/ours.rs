//! Our queue: in this process, or as a service.

use std::cell::Cell;
use std::net::SocketAddr;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use morgana_exec::join_all;
use morgana_file::{Access, FileDisk};
use morgana_queue::{JobQueue, Limits, NewJob, Queue, QueueError};
use morgana_queue_client::{RemoteQueue, Settings};
use morgana_sockets::run;
use morgana_uring::Uring;

use crate::{PAYLOAD, Work, rate};

/// How long a lease is, in milliseconds.
const LEASE: u64 = 600_000;

pub(crate) fn disk(path: String, work: Work) -> Result<(f64, f64)> {
    let limits = Limits {
        jobs: work.jobs,
        keys: 1,
        ..Limits::default()
    };
    let file = std::fs::File::create(&path).context("cannot make the file")?;
    file.set_len(limits.device_bytes().next_multiple_of(1 << 20))?;
    run(|host| async move {
        let uring = Uring::new(32, host.reactor())?;
        let disk = FileDisk::open(&uring, &path, Access::ReadWrite)?;
        let queue = Queue::open(disk, || 1, limits, 1).await?;
        measure(&queue, work).await
    })?
}

pub(crate) fn http(address: SocketAddr, work: Work) -> Result<(f64, f64)> {
    run(|host| async move {
        let settings = Settings {
            idle: work.together,
            ..Settings::default()
        };
        let timers = host.timers();
        let queue = RemoteQueue::new(host, address, timers, settings);
        measure(&queue, work).await
    })?
}

async fn measure(queue: &impl JobQueue, work: Work) -> Result<(f64, f64)> {
    let left = Cell::new(work.jobs);
    let next = || {
        let more = left.get() > 0;
        left.set(left.get().saturating_sub(1));
        more
    };
    let began = Instant::now();
    let putting = async || {
        while next() {
            let job = NewJob {
                payload: PAYLOAD.to_vec(),
                ..NewJob::default()
            };
            queue.enqueue(job).await?;
        }
        Ok::<(), QueueError>(())
    };
    for ended in join_all((0..work.together).map(|_| putting())).await {
        ended?;
    }
    let enqueue = rate(work.jobs, began);
    let (began, done) = (Instant::now(), Cell::new(0));
    let finishing = async || {
        while let Some(lease) = queue.lease(LEASE).await? {
            queue.acknowledge(lease.id, lease.token).await?;
            done.set(done.get() + 1);
        }
        Ok::<(), QueueError>(())
    };
    for ended in join_all((0..work.together).map(|_| finishing())).await {
        ended?;
    }
    ensure!(done.get() == work.jobs, "{} jobs came back", done.get());
    Ok((enqueue, rate(work.jobs, began)))
}
