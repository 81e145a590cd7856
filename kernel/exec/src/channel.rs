//! A bounded queue from many tasks to one.

use alloc::collections::VecDeque;
use alloc::rc::Rc;
use core::cell::RefCell;
use core::fmt;
use core::future::poll_fn;
use core::task::{Context, Poll};

use crate::Waiters;

#[derive(Debug)]
struct Shared<T> {
    queue: VecDeque<T>,
    capacity: usize,
    senders: usize,
    receiver_gone: bool,
    waiting_to_send: Waiters,
    waiting_to_receive: Waiters,
}

/// The sending end. Clones send into the same queue.
#[derive(Debug)]
pub struct Sender<T>(Rc<RefCell<Shared<T>>>);

/// The receiving end.
#[derive(Debug)]
pub struct Receiver<T>(Rc<RefCell<Shared<T>>>);

/// The receiver is gone; here is the item back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Closed<T>(pub T);

/// Why an item could not be sent at once; it comes back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TrySendError<T> {
    /// The queue holds as many items as its capacity.
    Full(T),
    /// The receiver is gone.
    Closed(T),
}

impl<T> fmt::Display for Closed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the channel's receiver is gone")
    }
}

impl<T: fmt::Debug> core::error::Error for Closed<T> {}

impl<T> fmt::Display for TrySendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "the channel is full",
            Self::Closed(_) => "the channel's receiver is gone",
        })
    }
}

impl<T: fmt::Debug> core::error::Error for TrySendError<T> {}

/// A queue that holds at most `capacity` items (at least 1).
pub fn channel<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    let shared = Rc::new(RefCell::new(Shared {
        queue: VecDeque::new(),
        capacity: capacity.max(1),
        senders: 1,
        receiver_gone: false,
        waiting_to_send: Waiters::new(),
        waiting_to_receive: Waiters::new(),
    }));
    (Sender(shared.clone()), Receiver(shared))
}

impl<T> Sender<T> {
    /// Puts `item` into the queue if there is room.
    pub fn try_send(&self, item: T) -> Result<(), TrySendError<T>> {
        let mut shared = self.0.borrow_mut();
        if shared.receiver_gone {
            return Err(TrySendError::Closed(item));
        }
        if shared.queue.len() >= shared.capacity {
            return Err(TrySendError::Full(item));
        }
        shared.queue.push_back(item);
        shared.waiting_to_receive.wake_all();
        Ok(())
    }

    /// Waits for room, and puts `item` into the queue.
    pub async fn send(&self, item: T) -> Result<(), Closed<T>> {
        let mut item = Some(item);
        poll_fn(|cx| {
            let Some(unsent) = item.take() else {
                return Poll::Ready(Ok(()));
            };
            match self.try_send(unsent) {
                Ok(()) => Poll::Ready(Ok(())),
                Err(TrySendError::Closed(unsent)) => Poll::Ready(Err(Closed(unsent))),
                Err(TrySendError::Full(unsent)) => {
                    item = Some(unsent);
                    self.0.borrow_mut().waiting_to_send.register(cx.waker());
                    Poll::Pending
                }
            }
        })
        .await
    }

    /// Whether the receiver is gone.
    pub fn is_closed(&self) -> bool {
        self.0.borrow().receiver_gone
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.0.borrow_mut().senders += 1;
        Self(self.0.clone())
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let mut shared = self.0.borrow_mut();
        shared.senders -= 1;
        if shared.senders == 0 {
            shared.waiting_to_receive.wake_all();
        }
    }
}

impl<T> Receiver<T> {
    /// The oldest item; `None` once the queue is empty and all senders are gone.
    pub async fn receive(&self) -> Option<T> {
        poll_fn(|cx| self.poll_receive(cx)).await
    }

    /// As [`receive`](Self::receive).
    pub fn poll_receive(&self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let mut shared = self.0.borrow_mut();
        if let Some(item) = shared.queue.pop_front() {
            shared.waiting_to_send.wake_all();
            return Poll::Ready(Some(item));
        }
        if shared.senders == 0 {
            return Poll::Ready(None);
        }
        shared.waiting_to_receive.register(cx.waker());
        Poll::Pending
    }

    /// The oldest item, if there is one now.
    pub fn try_receive(&self) -> Option<T> {
        let mut shared = self.0.borrow_mut();
        let item = shared.queue.pop_front()?;
        shared.waiting_to_send.wake_all();
        Some(item)
    }

    /// How many items wait.
    pub fn len(&self) -> usize {
        self.0.borrow().queue.len()
    }

    /// Whether no item waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let unread = {
            let mut shared = self.0.borrow_mut();
            shared.receiver_gone = true;
            shared.waiting_to_send.wake_all();
            core::mem::take(&mut shared.queue)
        };
        // Dropped with no borrow held: an item may hold a sender of this very queue.
        drop(unread);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Executor, ManualClock, join};

    fn run<F: Future<Output = ()> + 'static>(future: F) {
        let clock = ManualClock::default();
        Executor::new().block_on(future, &mut clock.idle(), &clock);
    }

    #[test]
    fn a_full_queue_hands_the_item_back_and_a_send_waits() {
        run(async {
            let (sender, receiver) = channel(2);
            sender.try_send(1).unwrap();
            sender.try_send(2).unwrap();
            assert_eq!(sender.try_send(3), Err(TrySendError::Full(3)));
            let (sent, first) = join(sender.send(3), receiver.receive()).await;
            assert_eq!((sent, first), (Ok(()), Some(1)));
            drop(sender);
            assert_eq!(receiver.receive().await, Some(2));
            assert_eq!(receiver.receive().await, Some(3));
            assert_eq!(receiver.receive().await, None);
        });
    }

    #[test]
    fn a_dropped_receiver_frees_items_and_refuses_new_ones() {
        run(async {
            struct Holder(#[expect(dead_code, reason = "held for its destructor")] Sender<Holder>);
            let (sender, receiver) = channel(2);
            assert!(sender.try_send(Holder(sender.clone())).is_ok());
            drop(receiver);
            assert!(sender.is_closed());
            let refused = sender.try_send(Holder(sender.clone()));
            assert!(matches!(refused, Err(TrySendError::Closed(_))));
        });
    }
}
