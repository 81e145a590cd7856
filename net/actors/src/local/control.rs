//! How an actor, or a supervisor, is told to stop.

use core::cell::Cell;
use core::task::{Context, Poll};

use morgana_exec::Notify;

/// What becomes of the messages that wait when an actor is told to stop. The one that is being handled is always handled to its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stop {
    /// They are handled first; new ones are refused from now on.
    Drain,
    /// They are dropped.
    Drop,
}

/// What was asked of a running actor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Order {
    Stop(Stop),
    /// Stop between two messages, and keep those that wait for whoever comes next: a restart of siblings.
    Pause,
}

/// The place where an order is left.
#[derive(Default)]
pub(crate) struct Control {
    order: Cell<Option<Order>>,
    notify: Notify,
}

impl Control {
    /// Gives an order. [`Stop::Drop`] outdoes every other one, and a pause none.
    pub(crate) fn give(&self, order: Order) {
        let stands = match (self.order.get(), order) {
            (None, _) | (Some(Order::Pause), _) | (_, Order::Stop(Stop::Drop)) => order,
            (Some(kept), _) => kept,
        };
        self.order.set(Some(stands));
        self.notify.notify();
    }

    pub(crate) fn order(&self) -> Option<Order> {
        self.order.get()
    }

    /// Forgets what was asked of the one before: the actor starts anew.
    pub(crate) fn restart(&self) {
        self.order.set(None);
    }

    pub(crate) fn poll(&self, cx: &mut Context<'_>) -> Poll<Order> {
        if let Some(order) = self.order.get() {
            return Poll::Ready(order);
        }
        // Registers only: this count is not exceeded without a notification.
        let _ = self.notify.poll_after(self.notify.count(), cx);
        Poll::Pending
    }
}
