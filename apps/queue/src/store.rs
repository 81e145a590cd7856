//! The queue of a disk, which is opened again after the disk has failed.

use alloc::boxed::Box;
use alloc::format;
use alloc::rc::Rc;
use alloc::string::String;
use core::cell::{Cell, RefCell};
use core::fmt;

use morgana_block::{BlockDevice, BlockError};
use morgana_exec::{Notify, Timers};
use morgana_queue::{JobQueue, Limits, OpenError, Queue, QueueError, Totals};

use crate::Settings;

/// What a queue is opened with.
pub struct Source<D, C> {
    /// The disk.
    pub device: Rc<D>,
    /// Milliseconds, by the clock of the day.
    pub clock: C,
    /// Random numbers.
    pub random: Box<dyn Fn() -> u64>,
    /// The limits and rules.
    pub limits: Limits,
}

impl<D: BlockDevice + 'static, C: Fn() -> u64 + Clone> Source<D, C> {
    async fn open(&self) -> Result<Rc<Queue<Rc<D>, C>>, OpenError> {
        let (device, clock) = (self.device.clone(), self.clock.clone());
        let queue = Queue::open(device, clock, self.limits, (self.random)()).await?;
        Ok(Rc::new(queue))
    }
}

impl<D, C> fmt::Debug for Source<D, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").finish_non_exhaustive()
    }
}

/// The queue of a disk.
#[derive(Debug)]
pub struct Store<D, C> {
    source: Source<D, C>,
    queue: RefCell<Rc<Queue<Rc<D>, C>>>,
    /// What happened before it was opened again.
    past: Cell<Totals>,
    failed: Cell<Option<BlockError>>,
    changed: Notify,
}

impl<D: BlockDevice + 'static, C: Fn() -> u64 + Clone> Store<D, C> {
    /// Opens the queue of a disk, or begins one on a disk that is all zero.
    ///
    /// # Errors
    ///
    /// [`OpenError`]; then nothing was changed on the disk, but after a failure of its own.
    pub async fn open(source: Source<D, C>) -> Result<Rc<Self>, OpenError> {
        let queue = source.open().await?;
        Ok(Rc::new(Self {
            source,
            queue: RefCell::new(queue),
            past: Cell::new(Totals::default()),
            failed: Cell::new(None),
            changed: Notify::new(),
        }))
    }

    /// The queue.
    ///
    /// # Errors
    ///
    /// [`QueueError::Device`] until it is open again.
    pub(crate) fn queue(&self) -> Result<Rc<Queue<Rc<D>, C>>, QueueError> {
        match self.failed.get() {
            Some(error) => Err(QueueError::Device(error)),
            None => Ok(self.queue.borrow().clone()),
        }
    }

    /// Notes a failure of the disk.
    pub(crate) fn note(&self, error: BlockError) {
        if self.failed.replace(Some(error)).is_none() {
            log::error!("the disk has failed: {error}");
            self.changed.notify();
        }
    }

    /// What has happened since the start.
    pub(crate) fn totals(&self) -> Totals {
        self.past.get() + self.queue.borrow().totals()
    }

    /// Opens the queue again whenever the disk has failed. It never ends.
    pub async fn keep_open(self: Rc<Self>, timers: Timers, settings: Settings) {
        loop {
            let seen = self.changed.count();
            if self.failed.get().is_none() {
                self.changed.after(seen).await;
            }
            timers.sleep(settings.reopen_time).await;
            match self.source.open().await {
                Ok(queue) => {
                    log::info!("the disk is back");
                    self.past.set(self.totals());
                    let old = self.queue.replace(queue);
                    self.failed.set(None);
                    // Who waits for a job of it is to wait for one of the other.
                    old.changed().notify();
                }
                Err(error) => log::error!("the queue cannot be opened again: {error}"),
            }
        }
    }

    /// Logs what there is.
    pub async fn log(&self) {
        if let Ok(queue) = self.queue()
            && let Ok(now) = queue.statistics().await
        {
            log::info!(
                "{} jobs ready, {} delayed, {} leased, {} dead letters",
                now.ready,
                now.delayed,
                now.leased,
                now.dead
            );
        }
    }
}

/// Why a queue could not be opened, for the operator; `bytes` is the size of the disk.
pub fn why_not(error: OpenError, settings: &Settings, bytes: u64) -> String {
    match error {
        OpenError::TooSmall => format!(
            "{error}: it has {bytes} bytes, and {} are needed",
            settings.queue.device_bytes()
        ),
        OpenError::Foreign => format!("{error}; it stays as it is"),
        error => format!("{error}"),
    }
}
