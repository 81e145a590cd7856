//! What a supervisor starts, and starts again.

use alloc::boxed::Box;
use alloc::rc::Rc;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::time::Duration;

use morgana_exec::Handle;

use super::actor::{Actor, Ended, run};
use super::address::Address;
use super::control::Control;
use super::mailbox::Mailbox;
use super::policy::Restart;

pub(crate) type Running = Pin<Box<dyn Future<Output = Ended>>>;

/// A child of a supervisor: an actor, or another supervisor.
pub struct Child {
    pub(crate) restart: Restart,
    /// How long it may take to stop before its task is dropped.
    pub(crate) patience: Duration,
    pub(crate) control: Rc<Control>,
    /// Makes it anew.
    pub(crate) start: Box<dyn Fn(&Handle) -> Running>,
    /// Ends it for good.
    pub(crate) close: Box<dyn Fn(Ended)>,
}

/// How a child is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ChildOptions {
    /// Whether it is restarted.
    pub restart: Restart,
    /// How many messages may wait in its mailbox (at least 1).
    pub capacity: usize,
    /// How long it may take to stop; after that it is dropped in the midst of its message.
    pub patience: Duration,
}

impl ChildOptions {
    /// Always restarted, 64 messages, 5 s.
    pub const DEFAULT: Self = Self {
        restart: Restart::Permanent,
        capacity: 64,
        patience: Duration::from_secs(5),
    };
}

impl Child {
    /// An actor, which `make` makes at the start and at each restart. Its address is valid from now on and through all restarts, and messages
    /// that wait are kept. It lives until its supervisor ends it, even if all other addresses are gone.
    pub fn actor<A: Actor>(
        options: ChildOptions,
        make: impl Fn() -> A + 'static,
    ) -> (Address<A::Message>, Self) {
        let mailbox = Mailbox::new(options.capacity);
        let address = Address::of(&mailbox);
        // The supervisor's own address keeps the actor.
        let kept = address.clone();
        let child = Self {
            restart: options.restart,
            patience: options.patience,
            control: mailbox.control.clone(),
            start: {
                let mailbox = mailbox.clone();
                Box::new(move |tasks| Box::pin(run(make(), mailbox.clone(), tasks.clone())))
            },
            close: Box::new(move |ended| {
                let _ = &kept;
                mailbox.close(ended);
            }),
        };
        (address, child)
    }
}

impl fmt::Debug for Child {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Child")
            .field("restart", &self.restart)
            .finish_non_exhaustive()
    }
}
