//! The wake path in all its interleavings: the model checker loom runs the executor and those who wake it in every order that the
//! memory model allows. A wake that is lost leaves a thread asleep for ever, which loom reports as a deadlock.
//!
//! `cargo xtask test loom` runs them.

extern crate std;

use alloc::sync::Arc;
use core::future::poll_fn;
use core::task::{Poll, Waker};

use loom::sync::atomic::{AtomicBool, Ordering};
use loom::sync::{Condvar, MutexGuard};
use loom::thread;
use morgana_hal::{Idle, Instant};

use crate::{Executor, ManualClock};

/// A lock that nobody poisons: a model ends at the first panic.
#[derive(Debug, Default)]
pub(crate) struct Mutex<T>(loom::sync::Mutex<T>);

impl<T> Mutex<T> {
    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        match self.0.lock() {
            Ok(guard) => guard,
            Err(poisoned) => poisoned.into_inner(),
        }
    }
}

/// What the platforms of Linux processes sleep on: once it is rung it stays readable until somebody drains it.
#[derive(Default)]
struct Doorbell {
    rung: Mutex<bool>,
    changed: Condvar,
}

impl Doorbell {
    fn ring(&self) {
        *self.rung.lock() = true;
        self.changed.notify_one();
    }

    fn wait(&self) {
        let mut rung = self.rung.lock();
        while !*rung {
            rung = match self.changed.wait(rung) {
                Ok(guard) => guard,
                Err(poisoned) => poisoned.into_inner(),
            };
        }
    }
}

impl Idle for &Doorbell {
    fn dispatch(&mut self) -> usize {
        usize::from(core::mem::take(&mut *self.rung.lock()))
    }

    fn wait(&mut self, _deadline: Option<Instant>) {
        Doorbell::wait(self);
    }
}

/// A task that waits, and a thread that brings what it waits for.
#[derive(Default)]
struct Scene {
    bell: Doorbell,
    waiting: Mutex<Option<Waker>>,
    brought: [AtomicBool; 2],
}

impl Scene {
    /// Leaves something, as a thread does that is none of the executor's: what it brings, the wake, then the bell.
    fn bring(&self, number: usize) {
        self.brought[number].store(true, Ordering::Release);
        let waiting = self.waiting.lock().clone();
        if let Some(waker) = waiting {
            waker.wake();
        }
        self.bell.ring();
    }

    fn has(&self, number: usize) -> bool {
        self.brought[number].load(Ordering::Acquire)
    }

    /// The executor's thread: a task that waits for the first `count`.
    fn wait(self: &Arc<Self>, count: usize) {
        let clock = ManualClock::default();
        let scene = self.clone();
        let mut registered = false;
        let all = poll_fn(move |cx| {
            // Once, and with no lock at later polls: it would show the task what it is to see by the wake alone.
            if !core::mem::replace(&mut registered, true) {
                *scene.waiting.lock() = Some(cx.waker().clone());
            }
            if (0..count).all(|number| scene.has(number)) {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        });
        Executor::new().block_on(all, &mut &self.bell, &clock);
    }
}

/// Checks all orders in which a running thread is interrupted twice at the most; all that there are would take hours.
fn model(test: impl Fn() + Sync + Send + 'static) {
    let mut models = loom::model::Builder::new();
    models.preemption_bound = Some(2);
    models.check(test);
}

#[test]
fn a_wake_by_another_thread_is_not_lost() {
    model(|| {
        let scene = Arc::new(Scene::default());
        let other = thread::spawn({
            let scene = scene.clone();
            move || scene.bring(0)
        });
        scene.wait(1);
        other.join().unwrap();
    });
}

#[test]
fn of_two_wakes_at_once_none_is_lost() {
    model(|| {
        let scene = Arc::new(Scene::default());
        let others = [0, 1].map(|number| {
            let scene = scene.clone();
            thread::spawn(move || scene.bring(number))
        });
        scene.wait(2);
        for other in others {
            other.join().unwrap();
        }
    });
}

/// The queue has each task once, however often it is woken: it polls nothing more than there are tasks.
#[test]
fn a_task_is_queued_once() {
    model(|| {
        let mut executor = Executor::new();
        let handle = executor.handle();
        let waiting = Arc::new(Mutex::<Option<Waker>>::default());
        let polled = alloc::rc::Rc::new(core::cell::Cell::new(0));
        let (seen, count) = (waiting.clone(), polled.clone());
        let task = poll_fn(move |cx| {
            *seen.lock() = Some(cx.waker().clone());
            count.set(count.get() + 1);
            Poll::<()>::Pending
        });
        handle.spawn(task).unwrap();
        executor.turn(Instant::ZERO);
        let wake = move || {
            let waker = waiting.lock().clone();
            if let Some(waker) = waker {
                waker.wake();
            }
        };
        let others = [thread::spawn(wake.clone()), thread::spawn(wake)];
        executor.turn(Instant::ZERO);
        for other in others {
            other.join().unwrap();
        }
        assert!(polled.get() <= 2, "one turn polls a task once");
        executor.turn(Instant::ZERO);
        executor.turn(Instant::ZERO);
        assert!((2..=3).contains(&polled.get()));
        assert!(!executor.has_ready());
    });
}
