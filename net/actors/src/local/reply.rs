//! Answers to requests.

use alloc::rc::Rc;
use core::cell::RefCell;
use core::fmt;
use core::future::{Future, poll_fn};
use core::task::{Poll, Waker};

/// Where the answer to one request goes. Dropped without an answer, the request ends with [`RequestError::NoReply`].
pub struct Reply<R>(Rc<RefCell<Slot<R>>>);

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
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Late => "no answer came in time",
            Self::Ended => "the actor takes no more messages",
            Self::NoReply => "the actor gave no answer",
        })
    }
}

impl core::error::Error for RequestError {}

impl<R> Reply<R> {
    /// Answers. An answer that nobody waits for any more is dropped.
    pub fn send(self, answer: R) {
        self.set(Ok(answer));
    }

    /// Whether somebody still waits for the answer.
    pub fn is_wanted(&self) -> bool {
        self.0.borrow().wanted
    }

    fn set(&self, answer: Result<R, RequestError>) {
        let mut slot = self.0.borrow_mut();
        if !slot.wanted || slot.answer.is_some() {
            drop(slot);
            return;
        }
        slot.answer = Some(answer);
        if let Some(asker) = slot.asker.take() {
            asker.wake();
        }
    }
}

impl<R> Drop for Reply<R> {
    fn drop(&mut self) {
        self.set(Err(RequestError::NoReply));
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
    (Reply(slot), answer)
}
