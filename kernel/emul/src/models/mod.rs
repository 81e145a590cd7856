//! How events reach a domain, in all interleavings: the model checker loom runs a domain's thread and those who notify it in every order
//! that the memory model allows. An event that is lost leaves the thread asleep for ever, which loom reports as a deadlock.
//!
//! `cargo xtask test loom` runs them.

pub(crate) mod doorbell;
pub(crate) mod event_page;

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use loom::sync::atomic::{AtomicU32, Ordering};
use loom::thread;
use morgana_exec::{Executor, ManualClock, Notify};
use morgana_hal::{Idle, Instant, Port};

use crate::events::LocalPorts;
use crate::upcall::Upcall;

/// [`EmulIdle`](crate::EmulIdle) without the host: what it asks of a reactor, the doorbell does.
struct ModelIdle<'a> {
    upcall: &'a Upcall,
    ports: LocalPorts,
    woken: bool,
}

impl<'a> ModelIdle<'a> {
    fn new(upcall: &'a Upcall) -> Self {
        Self {
            upcall,
            ports: LocalPorts::default(),
            woken: false,
        }
    }
}

impl Idle for ModelIdle<'_> {
    fn dispatch(&mut self) -> usize {
        if std::mem::take(&mut self.woken) {
            self.upcall.drain();
        }
        self.ports.dispatch(self.upcall)
    }

    fn wait(&mut self, _deadline: Option<Instant>) {
        self.upcall.sleep(|_| self.upcall.wait());
        self.woken = true;
    }
}

/// A domain with two ports, and what those who notify it leave for it first.
struct Scene {
    upcall: Upcall,
    left: [AtomicU32; 2],
}

impl Scene {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            upcall: Upcall::new().unwrap(),
            left: [AtomicU32::new(0), AtomicU32::new(0)],
        })
    }

    /// Ports whose pending bits are in different words.
    fn port(number: usize) -> Port {
        Port::new(5 + 64 * number as u32)
    }

    fn send(&self, number: usize, value: u32) {
        self.left[number].store(value, Ordering::Relaxed);
        self.upcall.raise(Self::port(number));
    }

    /// The domain's thread: waits on `arrivals` until somebody has left `value`.
    async fn receive(self: Arc<Self>, number: usize, value: u32, arrivals: Rc<Notify>) {
        let mut seen = 0;
        while self.left[number].load(Ordering::Relaxed) < value {
            seen = arrivals.after(seen).await;
        }
    }
}

/// Checks all orders in which a running thread is interrupted three times at the most.
fn model(test: impl Fn() + Sync + Send + 'static) {
    let mut models = loom::model::Builder::new();
    models.preemption_bound = Some(3);
    models.check(test);
}

#[test]
fn an_event_wakes_the_domain_and_shows_what_came_before_it() {
    model(|| {
        let scene = Scene::new();
        let sender = thread::spawn({
            let scene = scene.clone();
            move || {
                scene.send(0, 1);
                scene.send(0, 2);
            }
        });
        let mut idle = ModelIdle::new(&scene.upcall);
        let arrivals = idle.ports.open(Scene::port(0));
        let received = scene.clone().receive(0, 2, arrivals);
        Executor::new().block_on(received, &mut idle, &ManualClock::default());
        sender.join().unwrap();
    });
}

#[test]
fn of_the_events_of_two_senders_none_is_lost() {
    let mut models = loom::model::Builder::new();
    models.preemption_bound = Some(2);
    models.check(|| {
        let scene = Scene::new();
        let senders = [0, 1].map(|number| {
            let scene = scene.clone();
            thread::spawn(move || scene.send(number, 1))
        });
        let mut idle = ModelIdle::new(&scene.upcall);
        let [first, second] = [0, 1].map(|number| idle.ports.open(Scene::port(number)));
        let first = scene.clone().receive(0, 1, first);
        let second = scene.clone().receive(1, 1, second);
        let both = morgana_exec::join(first, second);
        Executor::new().block_on(both, &mut idle, &ManualClock::default());
        for sender in senders {
            sender.join().unwrap();
        }
    });
}

/// A sleeper hears of a late event in time to sleep no longer than until it is due.
#[test]
fn nobody_sleeps_past_a_late_event() {
    model(|| {
        let scene = Scene::new();
        let sender = thread::spawn({
            let scene = scene.clone();
            move || scene.upcall.set_late(Some(Instant::ZERO))
        });
        let known = Cell::new(false);
        while !known.get() {
            scene.upcall.drain();
            scene.upcall.sleep(|late| match late {
                Some(_) => known.set(true),
                None => scene.upcall.wait(),
            });
        }
        sender.join().unwrap();
    });
}

#[test]
fn who_is_killed_does_not_sleep_on() {
    model(|| {
        let scene = Scene::new();
        let killer = thread::spawn({
            let scene = scene.clone();
            move || scene.upcall.die()
        });
        while !scene.upcall.is_dead() {
            scene.upcall.sleep(|_| scene.upcall.wait());
            scene.upcall.drain();
        }
        killer.join().unwrap();
    });
}
