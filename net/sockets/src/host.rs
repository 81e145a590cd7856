//! The run loop.

use core::future::Future;
use std::io;

use morgana_exec::{Executor, Handle, Timers};
use morgana_hal::{Clock as _, Idle, Instant};
use morgana_reactor::{LinuxClock, Reactor, allow_descriptors};

use crate::bell::{Bell, Heard};

/// What a program runs on: tasks, timers and sockets of one thread. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Host {
    tasks: Handle,
    reactor: Reactor,
    bell: Option<Bell>,
}

impl Host {
    /// On a run loop that is there already, whose reactor watches the sockets, too.
    pub const fn over(tasks: Handle, reactor: Reactor) -> Self {
        Self {
            tasks,
            reactor,
            bell: None,
        }
    }

    /// Where tasks are spawned.
    pub const fn tasks(&self) -> &Handle {
        &self.tasks
    }

    /// Timers, by the host's monotonic clock.
    pub fn timers(&self) -> Timers {
        self.tasks.timers()
    }

    /// The time.
    pub fn now(&self) -> Instant {
        LinuxClock.now()
    }

    /// What watches the process's descriptors.
    pub const fn reactor(&self) -> &Reactor {
        &self.reactor
    }

    /// What ends the program's sleep from another thread; none [over another run loop](Self::over), whose matter that is.
    pub fn bell(&self) -> Option<Bell> {
        self.bell.clone()
    }
}

/// Runs a program to the end of its main future. Tasks that are left are dropped.
///
/// # Errors
///
/// The kernel's, if there are no descriptors to begin with.
pub fn run<F>(main: impl FnOnce(Host) -> F) -> io::Result<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    allow_descriptors();
    let (bell, heard) = Bell::new()?;
    let reactor = Reactor::new(&heard.0)?;
    let mut executor = Executor::new();
    let host = Host {
        tasks: executor.handle(),
        reactor: reactor.clone(),
        bell: Some(bell),
    };
    let mut idle = HostIdle { reactor, heard };
    let output = executor.block_on(main(host), &mut idle, &LinuxClock);
    Ok(output)
}

struct HostIdle {
    reactor: Reactor,
    heard: Heard,
}

impl Idle for HostIdle {
    fn dispatch(&mut self) -> usize {
        self.reactor.collect();
        if self.reactor.take_woken() {
            self.heard.clear();
        }
        0
    }

    fn wait(&mut self, deadline: Option<Instant>) {
        let timeout = deadline.map(|deadline| deadline.since(LinuxClock.now()));
        self.reactor.wait(timeout);
    }
}
