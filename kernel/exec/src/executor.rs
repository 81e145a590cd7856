//! The run loop and its tasks.

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use morgana_hal::{Clock, Idle, Instant};

use crate::ready::{ReadyQueue, TaskWaker};
use crate::task::{self, Task, TaskState};
use crate::timers::Timers;

/// How many tasks there can be at once.
pub const MAX_TASKS: usize = 8192;

/// How many passes go by the same reading of the clock while there is work to do: where Xen emulates the time stamp counter, a reading is a
/// trap, and costs more than many a pass.
const PASSES_A_READING: usize = 16;

type BoxedFuture = Pin<Box<dyn Future<Output = ()>>>;

struct Slot {
    /// `None` while the future is being polled.
    future: Option<BoxedFuture>,
    waker: Arc<TaskWaker>,
}

#[derive(Default)]
struct Tasks {
    slots: Vec<Option<Slot>>,
    /// Empty slots, to be used before `slots` grows.
    free: Vec<usize>,
}

struct Shared {
    tasks: RefCell<Tasks>,
    ready: Arc<ReadyQueue>,
    timers: Timers,
}

/// Runs the tasks of one domain on one thread.
#[derive(Debug)]
pub struct Executor {
    handle: Handle,
}

/// Spawns tasks and gives access to the timers. Cheap to clone; all clones belong to the same executor.
#[derive(Clone)]
pub struct Handle {
    shared: Rc<Shared>,
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle")
            .field("tasks", &self.tasks())
            .finish()
    }
}

/// All [`MAX_TASKS`] tasks are in use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TooManyTasks;

impl fmt::Display for TooManyTasks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "all {MAX_TASKS} tasks are in use")
    }
}

impl core::error::Error for TooManyTasks {}

impl Handle {
    /// Starts a task. It first runs after the caller has given up control.
    ///
    /// # Errors
    ///
    /// [`TooManyTasks`]; the future is dropped then.
    pub fn spawn<F>(&self, future: F) -> Result<Task<F::Output>, TooManyTasks>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        let state = TaskState::new();
        self.spawn_boxed(Box::pin(task::run(Box::pin(future), state.clone())))?;
        Ok(Task { state })
    }

    fn spawn_boxed(&self, future: BoxedFuture) -> Result<(), TooManyTasks> {
        let tasks = &mut *self.shared.tasks.borrow_mut();
        let index = match tasks.free.pop() {
            Some(index) => index,
            None if tasks.slots.len() < MAX_TASKS => {
                tasks.slots.push(None);
                tasks.slots.len() - 1
            }
            None => return Err(TooManyTasks),
        };
        let waker = TaskWaker::new(index, &self.shared.ready);
        Waker::from(waker.clone()).wake();
        tasks.slots[index] = Some(Slot {
            future: Some(future),
            waker,
        });
        Ok(())
    }

    /// The executor's timers.
    pub fn timers(&self) -> Timers {
        self.shared.timers.clone()
    }

    /// How many tasks there are now.
    pub fn tasks(&self) -> usize {
        let tasks = self.shared.tasks.borrow();
        tasks.slots.len() - tasks.free.len()
    }
}

impl Default for Executor {
    fn default() -> Self {
        Self::new()
    }
}

impl Executor {
    /// An executor without tasks, its clock at zero.
    pub fn new() -> Self {
        let shared = Shared {
            tasks: RefCell::default(),
            ready: Arc::default(),
            timers: Timers::default(),
        };
        Self {
            handle: Handle {
                shared: Rc::new(shared),
            },
        }
    }

    /// A handle for tasks.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Runs until `main` is done, and returns its output. Other tasks stay where they are and are dropped with the executor.
    pub fn block_on<F, I, C>(&mut self, main: F, idle: &mut I, clock: &C) -> F::Output
    where
        F: Future + 'static,
        F::Output: 'static,
        I: Idle,
        C: Clock,
    {
        let mut now = clock.now();
        self.turn(now);
        let state = TaskState::new();
        let main = Box::pin(task::run(Box::pin(main), state.clone()));
        // The main task runs even when the table is full of others.
        if self.handle.spawn_boxed(main).is_err() {
            panic!("block_on needs one free task of {MAX_TASKS}");
        }
        let mut main = Task { state };
        let mut passes = 0;
        loop {
            idle.dispatch();
            if passes % PASSES_A_READING == 0 {
                now = clock.now();
            }
            passes += 1;
            self.turn(now);
            if main.is_finished() {
                let mut cx = Context::from_waker(Waker::noop());
                if let Poll::Ready(Some(output)) = Pin::new(&mut main).poll(&mut cx) {
                    return output;
                }
            }
            if !self.has_ready() {
                idle.wait(self.next_deadline());
                passes = 0;
            }
        }
    }

    /// One pass at the time `now`: fires the timers that are due, then polls what is ready, each task at most once. For run loops
    /// other than [`block_on`](Self::block_on), such as a simulation's.
    pub fn turn(&mut self, now: Instant) {
        self.handle.shared.timers.advance(now);
        for _ in 0..self.handle.shared.ready.len() {
            let Some(index) = self.handle.shared.ready.pop() else {
                break;
            };
            self.poll(index);
        }
    }

    /// Whether a task wants to run now.
    pub fn has_ready(&self) -> bool {
        self.handle.shared.ready.len() > 0
    }

    /// When the next timer is due, if there is one.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.handle.shared.timers.next_deadline()
    }

    /// Polls one task, if its slot (still) has one.
    fn poll(&mut self, index: usize) {
        let tasks = &self.handle.shared.tasks;
        let Some((mut future, waker)) = tasks.borrow_mut().take(index) else {
            return;
        };
        waker.taken();
        let waker = Waker::from(waker);
        let ended = future
            .as_mut()
            .poll(&mut Context::from_waker(&waker))
            .is_ready();
        if ended {
            // Dropped before the slot is free, and with no borrow held: a destructor may spawn.
            drop(future);
            tasks.borrow_mut().release(index);
        } else {
            tasks.borrow_mut().put_back(index, future);
        }
    }
}

impl Drop for Executor {
    /// Drops all tasks, although handles in them keep the shared state alive.
    fn drop(&mut self) {
        loop {
            // Dropped with no borrow held: a destructor may spawn, which the next round drops.
            let tasks = self.handle.shared.tasks.take();
            if tasks.slots.is_empty() {
                return;
            }
        }
    }
}

impl Tasks {
    fn take(&mut self, index: usize) -> Option<(BoxedFuture, Arc<TaskWaker>)> {
        let slot = self.slots.get_mut(index)?.as_mut()?;
        Some((slot.future.take()?, slot.waker.clone()))
    }

    fn put_back(&mut self, index: usize, future: BoxedFuture) {
        if let Some(Some(slot)) = self.slots.get_mut(index) {
            slot.future = Some(future);
        }
    }

    fn release(&mut self, index: usize) {
        if let Some(slot) = self.slots.get_mut(index) {
            *slot = None;
            self.free.push(index);
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use crate::{ManualClock, yield_now};
    use core::time::Duration;
    use std::vec;

    #[test]
    fn a_task_that_wakes_itself_lets_others_run() {
        let clock = ManualClock::default();
        let mut executor = Executor::new();
        let handle = executor.handle();
        let spinning = handle
            .spawn(async {
                loop {
                    yield_now().await;
                }
            })
            .unwrap();
        let timers = handle.timers();
        // The spinning task is always ready, so the clock only moves because every pass reads it.
        let main = async move {
            for _ in 0..10 {
                yield_now().await;
            }
            timers.now()
        };
        executor.block_on(main, &mut clock.idle(), &clock);
        assert!(!spinning.is_finished());
    }

    #[test]
    fn outputs_come_through_the_handle_and_slots_are_used_again() {
        let clock = ManualClock::default();
        let mut executor = Executor::new();
        let handle = executor.handle();
        let sum = executor.block_on(
            async move {
                let mut sum = 0;
                for i in 0..100u32 {
                    sum += handle.spawn(async move { i }).unwrap().await.unwrap();
                }
                (sum, handle.tasks())
            },
            &mut clock.idle(),
            &clock,
        );
        assert_eq!(sum, (4950, 1));
    }

    #[test]
    fn an_abort_ends_a_waiting_task_and_drops_its_future() {
        let clock = ManualClock::default();
        let mut executor = Executor::new();
        let handle = executor.handle();
        let held = Rc::new(());
        let weak = Rc::downgrade(&held);
        let output = executor.block_on(
            async move {
                let task = handle
                    .spawn(async move {
                        core::future::pending::<()>().await;
                        drop(held);
                    })
                    .unwrap();
                yield_now().await;
                task.abort();
                task.await
            },
            &mut clock.idle(),
            &clock,
        );
        assert_eq!(output, None);
        assert!(weak.upgrade().is_none());
    }

    #[test]
    fn timers_fire_in_order_and_the_loop_sleeps_until_them() {
        let clock = ManualClock::default();
        let mut executor = Executor::new();
        let handle = executor.handle();
        let order = Rc::new(RefCell::new(vec![]));
        for ms in [30u64, 10, 20] {
            let (timers, order) = (handle.timers(), order.clone());
            handle
                .spawn(async move {
                    timers.sleep(Duration::from_millis(ms)).await;
                    order.borrow_mut().push((ms, timers.now().as_millis()));
                })
                .unwrap();
        }
        let timers = handle.timers();
        executor.block_on(
            async move { timers.sleep(Duration::from_millis(40)).await },
            &mut clock.idle(),
            &clock,
        );
        assert_eq!(*order.borrow(), [(10, 10), (20, 20), (30, 30)]);
    }

    #[test]
    #[cfg_attr(miri, ignore = "so many tasks take Miri minutes")]
    fn the_table_of_tasks_is_bounded() {
        let executor = Executor::new();
        let handle = executor.handle();
        for _ in 0..MAX_TASKS {
            handle.spawn(core::future::pending::<()>()).unwrap();
        }
        assert_eq!(handle.spawn(async {}).err(), Some(TooManyTasks));
    }

    #[test]
    fn dropping_the_executor_drops_tasks_that_hold_its_handle() {
        let executor = Executor::new();
        let handle = executor.handle();
        let held = Rc::new(());
        let weak = Rc::downgrade(&held);
        let inner = handle.clone();
        handle
            .spawn(async move {
                let _keep = (inner, held);
                core::future::pending::<()>().await;
            })
            .unwrap();
        drop(executor);
        assert!(weak.upgrade().is_none());
    }
}
