//! Messages that are sent later.

use core::time::Duration;

use morgana_exec::{Handle, Task, TooManyTasks};

use super::address::WeakAddress;

/// Periods are not shorter.
const LEAST_PERIOD: Duration = Duration::from_millis(1);

/// Something that sends an actor a message later. Dropping it cancels that.
#[derive(Debug)]
#[must_use = "dropping it cancels it"]
pub struct Timer(Task<()>);

impl Timer {
    pub(crate) fn of(task: Task<()>) -> Self {
        Self(task)
    }

    /// Whether it has done what it was to do.
    pub fn is_over(&self) -> bool {
        self.0.is_finished()
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.0.abort();
    }
}

pub(crate) fn send_after<M: 'static>(
    tasks: &Handle,
    to: WeakAddress<M>,
    delay: Duration,
    message: M,
) -> Result<Timer, TooManyTasks> {
    let sleep = tasks.timers().sleep(delay);
    let task = tasks.spawn(async move {
        sleep.await;
        if let Some(address) = to.upgrade() {
            let _ = address.send(message).await;
        }
    })?;
    Ok(Timer(task))
}

pub(crate) fn every<M: 'static>(
    tasks: &Handle,
    to: WeakAddress<M>,
    period: Duration,
    make: impl Fn() -> M + 'static,
) -> Result<Timer, TooManyTasks> {
    let period = period.max(LEAST_PERIOD);
    let timers = tasks.timers();
    let mut due = timers.now() + period;
    let task = tasks.spawn(async move {
        loop {
            timers.sleep_until(due).await;
            let Some(address) = to.upgrade() else {
                return;
            };
            let _ = address.try_send(make());
            // After a long sleep the ticks that were missed are not made up for.
            due = (due + period).max(timers.now());
        }
    })?;
    Ok(Timer(task))
}
