//! Where messages are sent to.

use alloc::rc::{Rc, Weak};
use core::fmt;
use core::future::poll_fn;
use core::task::Poll;
use core::time::Duration;

use morgana_exec::{Either, Timers, select};

use super::actor::Ended;
use super::control::{Order, Stop};
use super::mailbox::{Mailbox, Refused};
use super::reply::{Reply, RequestError, slot};

/// The strong address of an actor: as long as there is one, the actor waits for messages. An actor that has none left handles what
/// waits and ends as [`Ended::Finished`]. It stays the same when a supervisor restarts the actor.
pub struct Address<M>(Rc<Mailbox<M>>);

/// An address that keeps nothing alive.
pub struct WeakAddress<M>(Weak<Mailbox<M>>);

/// The actor has ended, or takes no more; here is the message back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SendError<M>(pub M);

/// Why a message could not be sent at once; it comes back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum TrySendError<M> {
    /// As many messages wait as the mailbox may hold.
    Full(M),
    /// The actor has ended, or takes no more.
    Closed(M),
}

impl<M> Address<M> {
    pub(crate) fn of(mailbox: &Rc<Mailbox<M>>) -> Self {
        mailbox.add_address();
        Self(mailbox.clone())
    }

    /// Leaves `message` if there is room. Messages of one sender arrive in the order in which they were sent.
    ///
    /// # Errors
    ///
    /// [`TrySendError`], with the message.
    pub fn try_send(&self, message: M) -> Result<(), TrySendError<M>> {
        self.0.put(message).map_err(|refused| match refused {
            Refused::Full(message) => TrySendError::Full(message),
            Refused::Closed(message) => TrySendError::Closed(message),
        })
    }

    /// Waits for room, and leaves `message`. That it was left does not mean that it is handled: the actor may end before.
    ///
    /// Two actors that send to each other's full mailboxes in their handlers wait for ever: at least one of each pair
    /// has to use [`try_send`](Self::try_send), or a deadline.
    ///
    /// # Errors
    ///
    /// [`SendError`], with the message.
    pub async fn send(&self, message: M) -> Result<(), SendError<M>> {
        let mut message = Some(message);
        poll_fn(|cx| {
            let Some(unsent) = message.take() else {
                return Poll::Ready(Ok(()));
            };
            match self.0.put(unsent) {
                Ok(()) => Poll::Ready(Ok(())),
                Err(Refused::Closed(unsent)) => Poll::Ready(Err(SendError(unsent))),
                Err(Refused::Full(unsent)) => {
                    message = Some(unsent);
                    self.0.wait_for_room(cx);
                    Poll::Pending
                }
            }
        })
        .await
    }

    /// Sends what `make` makes of a [`Reply`], and waits for the answer for at most `within`, room in the mailbox included. An answer that comes
    /// later is dropped.
    ///
    /// # Errors
    ///
    /// [`RequestError`].
    pub async fn request<R>(
        &self,
        timers: &Timers,
        within: Duration,
        make: impl FnOnce(Reply<R>) -> M,
    ) -> Result<R, RequestError> {
        let (reply, answer) = slot();
        let exchange = async {
            match self.send(make(reply)).await {
                Ok(()) => answer.await,
                Err(_) => Err(RequestError::Ended),
            }
        };
        match select(exchange, timers.sleep(within)).await {
            // What was not answered since the connection is gone.
            Either::First(Err(_)) if self.0.is_ended_by(Ended::PeerGone) => {
                Err(RequestError::PeerGone)
            }
            Either::First(result) => result,
            Either::Second(()) => Err(RequestError::Late),
        }
    }

    /// Asks the actor to stop; [`ended`](Self::ended) tells when it has. A supervised actor that is stopped so is restarted if its rule says so.
    pub fn stop(&self, stop: Stop) {
        self.0.control.give(Order::Stop(stop));
    }

    /// Waits for the actor's end, and says why. A restart is no end.
    pub async fn ended(&self) -> Ended {
        poll_fn(|cx| self.0.poll_ended(cx)).await
    }

    /// Whether the actor takes no more messages.
    pub fn is_closed(&self) -> bool {
        self.0.is_closed()
    }

    /// How many messages wait.
    pub fn waiting(&self) -> usize {
        self.0.waiting()
    }

    /// An address that does not keep the actor alive.
    pub fn downgrade(&self) -> WeakAddress<M> {
        WeakAddress(Rc::downgrade(&self.0))
    }
}

impl<M> WeakAddress<M> {
    pub(crate) fn of(mailbox: &Rc<Mailbox<M>>) -> Self {
        Self(Rc::downgrade(mailbox))
    }

    /// A strong address, unless the actor has ended.
    pub fn upgrade(&self) -> Option<Address<M>> {
        let mailbox = self.0.upgrade()?;
        (!mailbox.is_closed()).then(|| Address::of(&mailbox))
    }

    /// Waits for the actor's end without keeping it alive.
    pub async fn ended(&self) -> Ended {
        match self.0.upgrade() {
            Some(mailbox) => poll_fn(|cx| mailbox.poll_ended(cx)).await,
            None => Ended::Finished,
        }
    }

    pub(crate) fn stop(&self, stop: Stop) {
        if let Some(mailbox) = self.0.upgrade() {
            mailbox.control.give(Order::Stop(stop));
        }
    }
}

impl<M> Clone for Address<M> {
    fn clone(&self) -> Self {
        Self::of(&self.0)
    }
}

impl<M> Drop for Address<M> {
    fn drop(&mut self) {
        self.0.remove_address();
    }
}

impl<M> Clone for WeakAddress<M> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<M> fmt::Debug for Address<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Address")
            .field("waiting", &self.waiting())
            .field("closed", &self.is_closed())
            .finish()
    }
}

impl<M> fmt::Debug for WeakAddress<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WeakAddress")
    }
}

impl<M> fmt::Debug for SendError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SendError")
    }
}

impl<M> fmt::Display for SendError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the actor takes no more messages")
    }
}

impl<M> core::error::Error for SendError<M> {}

impl<M> fmt::Debug for TrySendError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "Full",
            Self::Closed(_) => "Closed",
        })
    }
}

impl<M> fmt::Display for TrySendError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "the mailbox is full",
            Self::Closed(_) => "the actor takes no more messages",
        })
    }
}

impl<M> core::error::Error for TrySendError<M> {}
