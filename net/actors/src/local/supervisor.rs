//! Supervision: starting children in order, and again when they end.

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::Cell;
use core::fmt;
use core::future::{Future, poll_fn};
use core::pin::Pin;
use core::task::Poll;
use core::time::Duration;

use morgana_exec::{Either, Handle, Task, TooManyTasks, select};

use super::actor::{Ended, Failure};
use super::child::Child;
use super::control::{Control, Order, Stop};
use super::policy::{Backoff, Intensity, Restart, Restarts, Strategy};

/// More children ended than [`Intensity`] allows.
const TOO_OFTEN: Failure = Failure("too many restarts");
/// The executor has no task left for a child.
const NO_TASK: Failure = Failure("no task is left for a child");

/// Something that keeps children running. As a [`Child`] it is one of another supervisor, which hears of its failure: so failures escalate.
pub struct Supervisor {
    strategy: Strategy,
    intensity: Intensity,
    backoff: Backoff,
    seed: Cell<u64>,
    children: Vec<Child>,
    control: Rc<Control>,
}

/// A supervisor that runs. Dropping this lets it go on by itself.
#[derive(Debug)]
pub struct Supervision {
    control: Rc<Control>,
    task: Task<Ended>,
}

impl Supervisor {
    /// One without children. `seed` decides about the jitter of `backoff`.
    pub fn new(strategy: Strategy, intensity: Intensity, backoff: Backoff, seed: u64) -> Self {
        Self {
            strategy,
            intensity,
            backoff,
            seed: Cell::new(seed),
            children: Vec::new(),
            control: Rc::default(),
        }
    }

    /// Adds a child: started after those before it, stopped before them.
    #[must_use]
    pub fn with(mut self, child: Child) -> Self {
        self.children.push(child);
        self
    }

    /// Starts it with nobody above it.
    ///
    /// # Errors
    ///
    /// [`TooManyTasks`]: a supervisor is a task.
    pub fn start(self, tasks: &Handle) -> Result<Supervision, TooManyTasks> {
        let control = self.control.clone();
        let handle = tasks.clone();
        let task = tasks.spawn(async move {
            let ended = supervise(&self, &handle).await;
            self.close(ended);
            ended
        })?;
        Ok(Supervision { control, task })
    }

    /// Makes it a child of another one. `patience` is how long all of its children together may take to stop.
    pub fn into_child(self, restart: Restart, patience: Duration) -> Child {
        let control = self.control.clone();
        let (supervisor, closed) = {
            let shared = Rc::new(self);
            (shared.clone(), shared)
        };
        Child {
            restart,
            patience,
            control,
            start: Box::new(move |tasks| {
                let (supervisor, tasks) = (supervisor.clone(), tasks.clone());
                Box::pin(async move { supervise(&supervisor, &tasks).await })
            }),
            close: Box::new(move |ended| closed.close(ended)),
        }
    }

    fn close(&self, ended: Ended) {
        for child in self.children.iter().rev() {
            (child.close)(ended);
        }
    }
}

impl Supervision {
    /// Asks it to stop all of its children, the last one first; as a future this is ready when they have.
    pub fn stop(&self, stop: Stop) {
        self.control.give(Order::Stop(stop));
    }
}

impl Future for Supervision {
    type Output = Ended;

    fn poll(mut self: Pin<&mut Self>, cx: &mut core::task::Context<'_>) -> Poll<Ended> {
        Pin::new(&mut self.task)
            .poll(cx)
            .map(|ended| ended.unwrap_or(Ended::Aborted))
    }
}

impl fmt::Debug for Supervisor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Supervisor")
            .field("strategy", &self.strategy)
            .field("children", &self.children)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.order())
    }
}

/// The tasks of the children that run. A supervisor that is dropped takes them with it.
struct Tasks(Vec<Option<Task<Ended>>>);

impl Drop for Tasks {
    fn drop(&mut self) {
        for task in self.0.iter().flatten() {
            task.abort();
        }
    }
}

async fn supervise(supervisor: &Supervisor, handle: &Handle) -> Ended {
    let children = &supervisor.children;
    let mut tasks = Tasks(children.iter().map(|_| None).collect());
    let seed = supervisor.seed.get();
    // The next restart of this supervisor draws other numbers.
    supervisor
        .seed
        .set(seed.wrapping_add(0x9E37_79B9_7F4A_7C15));
    let mut restarts = Restarts::new(supervisor.intensity, supervisor.backoff, seed);
    let mut to_start: Vec<usize> = (0..children.len()).collect();
    let ended = loop {
        if start(children, &mut tasks, &to_start, handle).is_err() {
            break Ended::Failed(NO_TASK);
        }
        let (index, ended) = match wait(supervisor, &mut tasks).await {
            Event::Child(index, ended) => (index, ended),
            Event::Order => break Ended::Stopped,
            Event::None => break Ended::Finished,
        };
        to_start.clear();
        if !children[index].restart.applies(ended) {
            (children[index].close)(ended);
            continue;
        }
        let Ok(delay) = restarts.next(handle.timers().now()) else {
            break Ended::Failed(TOO_OFTEN);
        };
        for other in supervisor.strategy.affected(index, children.len()) {
            if other == index || tasks.0[other].is_some() {
                to_start.push(other);
            }
        }
        for &other in to_start.iter().rev() {
            stop(&children[other], &mut tasks.0[other], Order::Pause, handle).await;
        }
        // Who is never restarted ends with its siblings' restart.
        to_start.retain(|&other| {
            let again = children[other].restart != Restart::Temporary;
            if !again {
                (children[other].close)(Ended::Stopped);
            }
            again
        });
        let asked = poll_fn(|cx| supervisor.control.poll(cx));
        if let Either::First(_) = select(asked, handle.timers().sleep(delay)).await {
            break Ended::Stopped;
        }
    };
    let order = match (ended, supervisor.control.order()) {
        (Ended::Stopped, Some(order)) => order,
        _ => Order::Pause,
    };
    for (child, task) in children.iter().zip(&mut tasks.0).rev() {
        stop(child, task, order, handle).await;
    }
    ended
}

fn start(
    children: &[Child],
    tasks: &mut Tasks,
    which: &[usize],
    handle: &Handle,
) -> Result<(), TooManyTasks> {
    for &index in which {
        children[index].control.restart();
        tasks.0[index] = Some(handle.spawn((children[index].start)(handle))?);
    }
    Ok(())
}

enum Event {
    Child(usize, Ended),
    Order,
    /// No child is left.
    None,
}

async fn wait(supervisor: &Supervisor, tasks: &mut Tasks) -> Event {
    poll_fn(|cx| {
        if supervisor.control.poll(cx).is_ready() {
            return Poll::Ready(Event::Order);
        }
        let mut any = false;
        for (index, slot) in tasks.0.iter_mut().enumerate() {
            let Some(task) = slot else { continue };
            any = true;
            if let Poll::Ready(ended) = Pin::new(task).poll(cx) {
                *slot = None;
                return Poll::Ready(Event::Child(index, ended.unwrap_or(Ended::Aborted)));
            }
        }
        if any {
            Poll::Pending
        } else {
            Poll::Ready(Event::None)
        }
    })
    .await
}

/// Stops a child, and waits for that as long as its patience lasts.
async fn stop(child: &Child, slot: &mut Option<Task<Ended>>, order: Order, handle: &Handle) {
    let Some(mut task) = slot.take() else { return };
    child.control.give(order);
    let in_time = handle.timers().timeout(child.patience, &mut task).await;
    if in_time.is_err() {
        task.abort();
        // The task ends at its next turn.
        task.await;
    }
}
