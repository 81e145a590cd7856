//! The stack as an application sees it, and the task that drives it.

use alloc::rc::Rc;
use core::cell::RefCell;
use core::convert::Infallible;
use core::fmt;
use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::Poll;

use morgana_exec::{Notify, Timers, yield_now};
use morgana_hal::Instant;
use morgana_net_device::Device;

use crate::address::Addresses;
use crate::config::AddressConfig;
use crate::engine::{Engine, Pass};
use crate::limits::Limits;
use crate::stats::Stats;

/// What all handles share.
pub(crate) struct Shared {
    pub(crate) engine: RefCell<Engine>,
    /// Tells the runner that there is something to send.
    pub(crate) work: Notify,
    timers: Timers,
}

impl Shared {
    pub(crate) fn now(&self) -> Instant {
        self.timers.now()
    }
}

/// A network stack. Cheap to clone; all clones are the same stack.
#[derive(Clone)]
pub struct Stack {
    pub(crate) shared: Rc<Shared>,
    pub(crate) timers: Timers,
}

impl fmt::Debug for Stack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stack")
            .field("addresses", &self.addresses())
            .finish_non_exhaustive()
    }
}

/// How a stack is to be.
#[derive(Clone, Debug, Default)]
pub struct StackConfig {
    /// Its addresses.
    pub addresses: AddressConfig,
    /// Its limits.
    pub limits: Limits,
    /// Random bits, which no stranger must know: sequence numbers and ports are made from them.
    pub seed: [u64; 2],
}

impl Stack {
    /// A stack over `device`, and the runner that must be spawned for anything to happen.
    pub fn new<D: Device>(device: D, config: StackConfig, timers: &Timers) -> (Self, Runner<D>) {
        let engine = Engine::new(
            &device.capabilities(),
            &config.addresses,
            config.limits,
            config.seed,
            timers.now(),
        );
        let stack = Self {
            shared: Rc::new(Shared {
                engine: RefCell::new(engine),
                work: Notify::new(),
                timers: timers.clone(),
            }),
            timers: timers.clone(),
        };
        let runner = Runner {
            shared: stack.shared.clone(),
            device,
        };
        (stack, runner)
    }

    /// The addresses now.
    pub fn addresses(&self) -> Addresses {
        self.shared.engine.borrow().addresses
    }

    /// Waits until the addresses differ from `seen`, and returns them.
    pub async fn addresses_after(&self, seen: Addresses) -> Addresses {
        poll_fn(|cx| {
            let mut engine = self.shared.engine.borrow_mut();
            if engine.addresses != seen {
                return Poll::Ready(engine.addresses);
            }
            engine.address_waiters.register(cx.waker());
            Poll::Pending
        })
        .await
    }

    /// Waits until there is an address that others can reach, and returns all.
    pub async fn configured(&self) -> Addresses {
        let mut addresses = self.addresses();
        while !addresses.is_configured() {
            addresses = self.addresses_after(addresses).await;
        }
        addresses
    }

    /// What the stack has seen and done.
    pub fn stats(&self) -> Stats {
        let engine = self.shared.engine.borrow();
        Stats {
            tcp_connections: engine.tcp.len(),
            tcp_parked_now: engine.tcp.parked,
            tcp_buffer_bytes: engine.tcp.memory,
            tcp_time_wait: engine.tcp.names.remembered(),
            udp_sockets: engine.udp.sockets.len(),
            ..engine.stats
        }
    }
}

/// Moves frames between a stack and its device.
pub struct Runner<D> {
    shared: Rc<Shared>,
    device: D,
}

impl<D: Device> fmt::Debug for Runner<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runner").finish_non_exhaustive()
    }
}

impl<D: Device> Runner<D> {
    /// Runs the stack, for as long as the future is polled.
    pub async fn run(mut self) -> Infallible {
        loop {
            let seen = self.shared.work.count();
            let now = self.shared.now();
            let pass = self.shared.engine.borrow_mut().pass(&mut self.device, now);
            if pass.more {
                yield_now().await;
            } else {
                self.wait(seen, pass).await;
            }
        }
    }

    /// Waits until there is something to do.
    async fn wait(&mut self, seen: u64, pass: Pass) {
        let timers = self.shared.timers.clone();
        let sleep = timers.sleep_until(pass.deadline.unwrap_or(Instant::FAR_FUTURE));
        let mut sleep = pin!(sleep);
        poll_fn(|cx| {
            let ready = self.device.poll_ready(cx).is_ready();
            let work = self.shared.work.poll_after(seen, cx).is_ready();
            let due = pass.deadline.is_some() && sleep.as_mut().poll(cx).is_ready();
            if ready || work || due {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }
}
