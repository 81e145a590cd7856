//! The queue of one actor. It outlives the actor's restarts.

use alloc::collections::VecDeque;
use core::cell::{Cell, RefCell};
use core::task::{Context, Poll};

use alloc::rc::Rc;

use morgana_exec::Waiters;

use super::actor::Ended;
use super::control::{Control, Order, Stop};

pub(crate) struct Mailbox<M> {
    queue: RefCell<Queue<M>>,
    pub(crate) control: Rc<Control>,
    /// How many strong addresses there are.
    addresses: Cell<usize>,
    ended: Cell<Option<Ended>>,
    /// Who waits for the end.
    watchers: RefCell<Waiters>,
}

struct Queue<M> {
    messages: VecDeque<M>,
    capacity: usize,
    /// No further message comes in: the actor drains, or has ended.
    closed: bool,
    senders: Waiters,
    actor: Waiters,
}

/// What an actor does next.
pub(crate) enum Next<M> {
    Message(M),
    Stop,
    /// No strong address is left, so nobody can send any more.
    Orphaned,
}

/// Why a message was not taken.
pub(crate) enum Refused<M> {
    Full(M),
    Closed(M),
}

impl<M> Mailbox<M> {
    pub(crate) fn new(capacity: usize) -> Rc<Self> {
        Rc::new(Self {
            queue: RefCell::new(Queue {
                messages: VecDeque::new(),
                capacity: capacity.max(1),
                closed: false,
                senders: Waiters::new(),
                actor: Waiters::new(),
            }),
            control: Rc::default(),
            addresses: Cell::new(0),
            ended: Cell::new(None),
            watchers: RefCell::default(),
        })
    }

    pub(crate) fn put(&self, message: M) -> Result<(), Refused<M>> {
        let mut queue = self.queue.borrow_mut();
        if queue.closed {
            return Err(Refused::Closed(message));
        }
        if queue.messages.len() >= queue.capacity {
            return Err(Refused::Full(message));
        }
        queue.messages.push_back(message);
        queue.actor.wake_all();
        Ok(())
    }

    /// Has the task of `cx` woken when there is room, or none ever.
    pub(crate) fn wait_for_room(&self, cx: &mut Context<'_>) {
        self.queue.borrow_mut().senders.register(cx.waker());
    }

    pub(crate) fn poll_next(&self, cx: &mut Context<'_>) -> Poll<Next<M>> {
        let drain = match self.control.poll(cx) {
            Poll::Ready(Order::Stop(Stop::Drain)) => true,
            Poll::Ready(_) => return Poll::Ready(Next::Stop),
            Poll::Pending => false,
        };
        let mut queue = self.queue.borrow_mut();
        if drain && !queue.closed {
            queue.closed = true;
            queue.senders.wake_all();
        }
        if let Some(message) = queue.messages.pop_front() {
            queue.senders.wake_all();
            return Poll::Ready(Next::Message(message));
        }
        if drain {
            return Poll::Ready(Next::Stop);
        }
        if self.addresses.get() == 0 {
            return Poll::Ready(Next::Orphaned);
        }
        queue.actor.register(cx.waker());
        Poll::Pending
    }

    /// An actor starts anew: what the one before was draining for is over.
    pub(crate) fn open(&self) {
        if self.ended.get().is_none() {
            self.queue.borrow_mut().closed = false;
        }
    }

    /// Closes for good, drops what waits, and tells the watchers. Only the first reason counts.
    pub(crate) fn close(&self, ended: Ended) {
        let unread = {
            let mut queue = self.queue.borrow_mut();
            queue.closed = true;
            queue.senders.wake_all();
            core::mem::take(&mut queue.messages)
        };
        if self.ended.get().is_none() {
            self.ended.set(Some(ended));
        }
        self.watchers.borrow_mut().wake_all();
        // Dropped with no borrow held: a message may hold an address of this very mailbox.
        drop(unread);
    }

    pub(crate) fn is_ended_by(&self, ended: Ended) -> bool {
        self.ended.get() == Some(ended)
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.queue.borrow().closed
    }

    pub(crate) fn waiting(&self) -> usize {
        self.queue.borrow().messages.len()
    }

    pub(crate) fn poll_ended(&self, cx: &mut Context<'_>) -> Poll<Ended> {
        if let Some(ended) = self.ended.get() {
            return Poll::Ready(ended);
        }
        self.watchers.borrow_mut().register(cx.waker());
        Poll::Pending
    }

    pub(crate) fn add_address(&self) {
        self.addresses.set(self.addresses.get() + 1);
    }

    pub(crate) fn remove_address(&self) {
        self.addresses.set(self.addresses.get() - 1);
        if self.addresses.get() == 0 {
            self.queue.borrow_mut().actor.wake_all();
        }
    }
}
