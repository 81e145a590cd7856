//! Taking jobs and doing them.

use core::time::Duration;

use fractal::Order;
use morgana::log;
use morgana_exec::{Seldom, Timers};
use morgana_http::Connect;
use morgana_queue::{JobQueue, Lease, QueueError};
use morgana_queue_client::RemoteQueue;

use crate::Desk;
use crate::poster::{Lost, paint};
use crate::report::{Done, Report};

/// How long a lease lasts, in milliseconds; it is extended when a third of it is over.
const LEASE: u64 = 6_000;
/// How long the queue is asked to wait for a job, in milliseconds. So long a worker may take to see that it is to end.
const WAIT: u64 = 1_000;
/// How long after the queue has failed it is asked again: doubled each time, up to the second.
const PAUSES: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(2));

/// A queue that can be waited at.
pub trait Jobs: JobQueue {
    /// Leases a job for so long; if none is ready, waits for one for a while.
    ///
    /// # Errors
    ///
    /// As [`JobQueue::lease`].
    async fn wait(&self, time: u64) -> Result<Option<Lease>, QueueError>;
}

impl<C: Connect> Jobs for RemoteQueue<C> {
    async fn wait(&self, time: u64) -> Result<Option<Lease>, QueueError> {
        self.lease_within(time, WAIT).await
    }
}

/// Takes jobs and does them, until the desk closes.
pub async fn work(queue: &impl Jobs, report: &impl Report, desk: &Desk, timers: &Timers) {
    let (mut pause, mut failures) = (PAUSES.0, Seldom::default());
    while !desk.is_closing() {
        match queue.wait(LEASE).await {
            Ok(Some(lease)) => {
                pause = PAUSES.0;
                desk.begin();
                let is_done = attend(queue, report, timers, &lease).await;
                desk.finish(is_done);
            }
            Ok(None) => pause = PAUSES.0,
            Err(error) => {
                if let Some(times) = failures.again() {
                    log::warn!("no job ({times} times): {error}");
                }
                timers.sleep(pause).await;
                pause = (pause * 2).min(PAUSES.1);
            }
        }
    }
}

/// Does a job; whether it is done.
async fn attend(queue: &impl Jobs, report: &impl Report, timers: &Timers, lease: &Lease) -> bool {
    let (job, attempt) = (lease.id.0, lease.attempt);
    let order = match Order::parse(&lease.payload) {
        Ok(order) => order,
        Err(error) => {
            log::error!("job {job}: {error}");
            give_back(queue, lease).await;
            return false;
        }
    };
    let keep = async || {
        let extended = queue.extend(lease.id, lease.token, LEASE).await;
        match extended {
            Err(QueueError::NoLease) => Err(Lost),
            // The lease is still ours for a while.
            _ => Ok(()),
        }
    };
    let period = Duration::from_millis(LEASE / 3);
    let Ok(checksum) = paint(&order, timers, period, keep).await else {
        log::warn!("job {job}: its lease is lost");
        return false;
    };
    let done = Done {
        job,
        attempt,
        checksum,
    };
    if report.tell(done).await.is_err() {
        log::warn!("job {job}: nobody hears that it is done");
        give_back(queue, lease).await;
        return false;
    }
    match queue.acknowledge(lease.id, lease.token).await {
        Ok(()) => {
            log::info!("job {job}, attempt {attempt}: {checksum:08x}");
            true
        }
        Err(error) => {
            // It was told, and may be done and told again: by its number that is known.
            log::warn!("job {job}: not acknowledged: {error}");
            false
        }
    }
}

/// The job can be tried again. If the queue does not hear it, the lease ends by itself.
async fn give_back(queue: &impl Jobs, lease: &Lease) {
    if let Err(error) = queue.fail(lease.id, lease.token).await {
        log::warn!("job {}: not given back: {error}", lease.id.0);
    }
}
