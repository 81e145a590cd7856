//! What an actor is, and how it runs.

use alloc::rc::Rc;
use core::fmt;
use core::future::{Future, poll_fn};
use core::time::Duration;

use morgana_exec::{Handle, Timers, TooManyTasks, yield_now};

use super::address::{Address, WeakAddress};
use super::control::Stop;
use super::mailbox::{Mailbox, Next};
use super::timer::{self, Timer};

/// How many messages an actor handles before other tasks have their turn.
const MESSAGES_A_TURN: u32 = 32;

/// Something that has a state of its own and handles one message after the other.
pub trait Actor: 'static {
    /// What it is sent.
    type Message: 'static;

    /// Called once before the first message, and again for each new value after a restart.
    ///
    /// # Errors
    ///
    /// A [`Failure`] ends the actor, as in [`handle`](Self::handle).
    fn started(
        &mut self,
        context: &Context<Self::Message>,
    ) -> impl Future<Output = Result<(), Failure>> {
        let _ = context;
        core::future::ready(Ok(()))
    }

    /// Handles a message. The next one waits until this is done.
    ///
    /// # Errors
    ///
    /// A [`Failure`] ends the actor; the message is lost, and those that wait are kept if a supervisor restarts it.
    fn handle(
        &mut self,
        message: Self::Message,
        context: &Context<Self::Message>,
    ) -> impl Future<Output = Result<Flow, Failure>>;

    /// Called once when it has ended, unless its supervisor lost patience with it.
    fn stopped(&mut self, why: Ended) {
        let _ = why;
    }
}

/// What an actor does after a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flow {
    /// Handle the next one.
    Continue,
    /// End: its work is done. What waits is dropped.
    Finish,
}

/// Why an actor can't go on, in a word or two that its program knows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Failure(pub &'static str);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl core::error::Error for Failure {}

/// Why an actor, or a supervisor, is no more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ended {
    /// By itself: its work was done, or it had no address left.
    Finished,
    /// It was told to stop.
    Stopped,
    /// It failed.
    Failed(Failure),
    /// It did not stop within the time that its supervisor gives.
    Aborted,
    /// It was elsewhere, and the connection to there is gone. What has become of it is not known.
    PeerGone,
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Finished => f.write_str("finished"),
            Self::Stopped => f.write_str("stopped"),
            Self::Failed(failure) => write!(f, "failed: {failure}"),
            Self::Aborted => f.write_str("did not stop in time"),
            Self::PeerGone => f.write_str("its node can no longer be reached"),
        }
    }
}

/// What an actor knows of where it runs.
pub struct Context<M> {
    mailbox: Rc<Mailbox<M>>,
    tasks: Handle,
}

impl<M: 'static> Context<M> {
    /// The actor's own address; weak, as otherwise it would keep itself alive.
    pub fn address(&self) -> WeakAddress<M> {
        WeakAddress::of(&self.mailbox)
    }

    /// The executor's timers.
    pub fn timers(&self) -> Timers {
        self.tasks.timers()
    }

    /// The executor.
    pub fn tasks(&self) -> &Handle {
        &self.tasks
    }

    /// Sends `message` to the actor itself after `delay`; it waits for room then. Dropping the timer cancels it.
    ///
    /// # Errors
    ///
    /// [`TooManyTasks`]: a timer is a task.
    pub fn send_after(&self, delay: Duration, message: M) -> Result<Timer, TooManyTasks> {
        timer::send_after(&self.tasks, self.address(), delay, message)
    }

    /// Sends a message to the actor itself once every `period` (at least 1 ms). What finds no room is left out, so that they never pile up.
    ///
    /// # Errors
    ///
    /// [`TooManyTasks`]: a timer is a task.
    pub fn every(
        &self,
        period: Duration,
        make: impl Fn() -> M + 'static,
    ) -> Result<Timer, TooManyTasks> {
        timer::every(&self.tasks, self.address(), period, make)
    }

    /// Tells the actor, by a message, when and why `watched` has ended. At once if it has already. The watch keeps neither of them alive.
    ///
    /// # Errors
    ///
    /// [`TooManyTasks`]: a watch is a task.
    pub fn watch<N: 'static>(
        &self,
        watched: &Address<N>,
        make: impl FnOnce(Ended) -> M + 'static,
    ) -> Result<Timer, TooManyTasks> {
        let (watched, own) = (watched.downgrade(), self.address());
        let task = self.tasks.spawn(async move {
            let ended = watched.ended().await;
            if let Some(own) = own.upgrade() {
                let _ = own.send(make(ended)).await;
            }
        })?;
        Ok(Timer::of(task))
    }
}

impl<M> fmt::Debug for Context<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Context")
    }
}

/// Starts an actor that nobody supervises, with room for `capacity` messages (at least 1) that wait.
///
/// # Errors
///
/// [`TooManyTasks`]: an actor is a task.
pub fn spawn<A: Actor>(
    tasks: &Handle,
    capacity: usize,
    actor: A,
) -> Result<Address<A::Message>, TooManyTasks> {
    let mailbox = Mailbox::new(capacity);
    let address = Address::of(&mailbox);
    let context = tasks.clone();
    tasks.spawn(async move {
        let ended = run(actor, mailbox.clone(), context).await;
        mailbox.close(ended);
    })?;
    Ok(address)
}

/// Stops each of two actors when the other one has failed.
///
/// # Errors
///
/// [`TooManyTasks`]: a link is two tasks.
pub fn link<A: 'static, B: 'static>(
    tasks: &Handle,
    first: &Address<A>,
    second: &Address<B>,
) -> Result<(), TooManyTasks> {
    one_way(tasks, first.downgrade(), second.downgrade())?;
    one_way(tasks, second.downgrade(), first.downgrade())
}

fn one_way<A: 'static, B: 'static>(
    tasks: &Handle,
    first: WeakAddress<A>,
    second: WeakAddress<B>,
) -> Result<(), TooManyTasks> {
    tasks.spawn(async move {
        if matches!(
            first.ended().await,
            Ended::Failed(_) | Ended::Aborted | Ended::PeerGone
        ) {
            second.stop(Stop::Drop);
        }
    })?;
    Ok(())
}

/// Runs `actor` on `mailbox` until it ends. The mailbox is left open.
pub(crate) async fn run<A: Actor>(
    mut actor: A,
    mailbox: Rc<Mailbox<A::Message>>,
    tasks: Handle,
) -> Ended {
    mailbox.open();
    let context = Context { mailbox, tasks };
    let ended = match actor.started(&context).await {
        Ok(()) => handle_all(&mut actor, &context).await,
        Err(failure) => Ended::Failed(failure),
    };
    actor.stopped(ended);
    ended
}

async fn handle_all<A: Actor>(actor: &mut A, context: &Context<A::Message>) -> Ended {
    let mut handled = 0u32;
    loop {
        let message = match poll_fn(|cx| context.mailbox.poll_next(cx)).await {
            Next::Message(message) => message,
            Next::Stop => return Ended::Stopped,
            Next::Orphaned => return Ended::Finished,
        };
        match actor.handle(message, context).await {
            Ok(Flow::Continue) => {}
            Ok(Flow::Finish) => return Ended::Finished,
            Err(failure) => return Ended::Failed(failure),
        }
        handled = handled.wrapping_add(1);
        if handled.is_multiple_of(MESSAGES_A_TURN) {
            yield_now().await;
        }
    }
}
