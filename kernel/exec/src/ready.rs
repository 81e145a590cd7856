//! The queue of tasks that want to run, and the wakers that fill it.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::task::Wake;

use crate::sync::{AtomicBool, Mutex, Ordering};

/// Slots of tasks that have been woken, oldest first. At most one entry for each live waker.
#[derive(Debug, Default)]
pub(crate) struct ReadyQueue(Mutex<VecDeque<usize>>);

impl ReadyQueue {
    pub(crate) fn len(&self) -> usize {
        self.0.lock().len()
    }

    pub(crate) fn pop(&self) -> Option<usize> {
        self.0.lock().pop_front()
    }
}

/// What a task's `Waker` points to.
#[derive(Debug)]
pub(crate) struct TaskWaker {
    slot: usize,
    /// True from the wake until the executor takes the task out of the queue.
    queued: AtomicBool,
    queue: Arc<ReadyQueue>,
}

impl TaskWaker {
    pub(crate) fn new(slot: usize, queue: &Arc<ReadyQueue>) -> Arc<Self> {
        Arc::new(Self {
            slot,
            queued: AtomicBool::new(false),
            queue: queue.clone(),
        })
    }

    /// To be called before the task is polled: a wake during the poll must queue it again.
    ///
    /// It reads what it overwrites, so that the poll sees what came before a wake that found the task queued already.
    pub(crate) fn taken(&self) {
        self.queued.swap(false, Ordering::AcqRel);
    }
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.queued.swap(true, Ordering::AcqRel) {
            self.queue.0.lock().push_back(self.slot);
        }
    }
}
