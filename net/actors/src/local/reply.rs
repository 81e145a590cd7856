//! Answers to requests.

use alloc::boxed::Box;
use alloc::rc::Rc;
use core::cell::RefCell;
use core::fmt;
use core::future::{Future, poll_fn};
use core::task::{Poll, Waker};

/// Where the answer to one request goes. Dropped without an answer, the request ends with [`RequestError::NoReply`].
pub struct Reply<R>(Asked<R>);

enum Asked<R> {
    Here(Rc<RefCell<Slot<R>>>),
    /// By another node: what sends the answer, or that there is none.
    There(Option<Box<dyn FnOnce(Option<R>)>>),
}

struct Slot<R> {
    answer: Option<Result<R, RequestError>>,
    /// Whoever asked is still there.
    wanted: bool,
    asker: Option<Waker>,
}

/// Why a request has no answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RequestError {
    /// Its time is over. It may have been handled or may yet be.
    Late,
    /// The actor takes no more messages; it has not seen the request.
    Ended,
    /// The actor dropped the reply: it did not want to answer, failed, or ended.
    NoReply,
    /// The actor is elsewhere, and the connection to there is gone. It may or may not have handled the request.
    PeerGone,
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Late => "no answer came in time",
            Self::Ended => "the actor takes no more messages",
            Self::NoReply => "the actor gave no answer",
            Self::PeerGone => "the actor's node can no longer be reached",
        })
    }
}

impl core::error::Error for RequestError {}

impl<R> Reply<R> {
    /// Answers. An answer that nobody waits for any more is dropped.
    pub fn send(mut self, answer: R) {
        self.set(Some(answer));
    }

    /// Whether somebody still waits for the answer.
    pub fn is_wanted(&self) -> bool {
        match &self.0 {
            Asked::Here(slot) => slot.borrow().wanted,
            Asked::There(send) => send.is_some(),
        }
    }

    /// The reply to a request of another node. `send` hears of the answer, or that there is none.
    pub(crate) fn there(send: impl FnOnce(Option<R>) + 'static) -> Self {
        Self(Asked::There(Some(Box::new(send))))
    }

    /// The reply to a request that can't be answered any more.
    pub(crate) fn nowhere() -> Self {
        Self(Asked::There(None))
    }

    fn set(&mut self, answer: Option<R>) {
        let slot = match &mut self.0 {
            Asked::Here(slot) => slot,
            Asked::There(send) => {
                if let Some(send) = send.take() {
                    send(answer);
                }
                return;
            }
        };
        let mut slot = slot.borrow_mut();
        if !slot.wanted || slot.answer.is_some() {
            drop(slot);
            return;
        }
        slot.answer = Some(answer.ok_or(RequestError::NoReply));
        if let Some(asker) = slot.asker.take() {
            asker.wake();
        }
    }
}

impl<R> Drop for Reply<R> {
    fn drop(&mut self) {
        self.set(None);
    }
}

impl<R> fmt::Debug for Reply<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reply")
    }
}

/// Marks the answer as unwanted once whoever asked is gone.
struct Asker<R>(Rc<RefCell<Slot<R>>>);

impl<R> Drop for Asker<R> {
    fn drop(&mut self) {
        self.0.borrow_mut().wanted = false;
    }
}

/// A reply and the future of its answer.
pub(crate) fn slot<R>() -> (Reply<R>, impl Future<Output = Result<R, RequestError>>) {
    let slot = Rc::new(RefCell::new(Slot {
        answer: None,
        wanted: true,
        asker: None,
    }));
    let asker = Asker(slot.clone());
    let answer = async move {
        poll_fn(|cx| {
            let mut slot = asker.0.borrow_mut();
            if let Some(answer) = slot.answer.take() {
                return Poll::Ready(answer);
            }
            slot.asker = Some(cx.waker().clone());
            Poll::Pending
        })
        .await
    };
    (Reply(Asked::Here(slot)), answer)
}
