//! Writing what has changed: one commit at a time, for all who wait.
//!
//! A commit owns the log while it is under way, and whoever waits drives it. So it goes on if the one that began it is dropped.

use alloc::boxed::Box;
use core::cell::{Cell, RefCell};
use core::future::poll_fn;
use core::pin::Pin;
use core::task::{Context, Poll};

use morgana_block::{BlockDevice, BlockError};
use morgana_exec::Notify;

use crate::QueueError;
use crate::jobs::Jobs;
use crate::log::Log;

type Running<D> = Pin<Box<dyn Future<Output = (Log<D>, Result<(), BlockError>)>>>;

pub(crate) struct State<D> {
    pub(crate) jobs: Jobs,
    /// The latest time. It does not run backwards.
    pub(crate) now: u64,
    /// Steps with each change that somebody waits for.
    pub(crate) version: u64,
    /// Up to which change the log has all.
    durable: u64,
    /// Up to which change it will, when what is under way is done.
    committing: u64,
    /// Neither is there after a failure, and while a commit is driven.
    idle: Option<Log<D>>,
    running: Option<Running<D>>,
    pub(crate) failed: Option<BlockError>,
}

impl<D: BlockDevice + 'static> State<D> {
    pub(crate) fn new(jobs: Jobs, now: u64, log: Log<D>) -> Self {
        Self {
            jobs,
            now,
            version: 0,
            durable: 0,
            committing: 0,
            idle: Some(log),
            running: None,
            failed: None,
        }
    }

    /// What is under way, or else a commit of all changes.
    fn running(&mut self) -> Option<Running<D>> {
        if let Some(running) = self.running.take() {
            return Some(running);
        }
        let mut log = self.idle.take()?;
        self.committing = self.version;
        let (now, changes) = (self.now, self.jobs.changes());
        if log.fits(&changes) {
            return Some(Box::pin(async move {
                let result = log.append(now, changes).await;
                (log, result)
            }));
        }
        let snapshot = self.jobs.snapshot();
        Some(Box::pin(async move {
            let result = log.replace(now, snapshot).await;
            (log, result)
        }))
    }
}

/// Waits until the log has all changes up to `version`.
pub(crate) async fn durable<D: BlockDevice + 'static>(
    state: &RefCell<State<D>>,
    committed: &Notify,
    version: u64,
) -> Result<(), QueueError> {
    let waiting = Waiting {
        committed,
        done: Cell::new(false),
    };
    let result = poll_fn(|cx| poll(state, committed, version, cx)).await;
    waiting.done.set(true);
    result
}

fn poll<D: BlockDevice + 'static>(
    state: &RefCell<State<D>>,
    committed: &Notify,
    version: u64,
    cx: &mut Context<'_>,
) -> Poll<Result<(), QueueError>> {
    loop {
        let running = {
            let mut state = state.borrow_mut();
            if state.durable >= version {
                return Poll::Ready(Ok(()));
            }
            if let Some(error) = state.failed {
                return Poll::Ready(Err(QueueError::Device(error)));
            }
            state.running()
        };
        // Without one somebody drives it at this moment, further up.
        let polled = running.map(|mut running| (running.as_mut().poll(cx), running));
        let mut state = state.borrow_mut();
        match polled {
            Some((Poll::Ready((log, result)), _)) => {
                match result {
                    Ok(()) => {
                        state.durable = state.committing;
                        state.idle = Some(log);
                    }
                    Err(error) => state.failed = Some(error),
                }
                drop(state);
                committed.notify();
            }
            Some((Poll::Pending, running)) => {
                state.running = Some(running);
                return committed.poll_after(committed.count(), cx).map(|_| Ok(()));
            }
            None => return committed.poll_after(committed.count(), cx).map(|_| Ok(())),
        }
    }
}

/// One who waits. If it is dropped, the others are to drive what it drove.
struct Waiting<'a> {
    committed: &'a Notify,
    done: Cell<bool>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if !self.done.get() {
            self.committed.notify();
        }
    }
}
