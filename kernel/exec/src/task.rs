//! The handle of a spawned task.

use alloc::boxed::Box;
use alloc::rc::Rc;
use core::cell::RefCell;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use crate::Waiters;

/// A spawned task. As a future it is ready with the task's output. Dropping the handle lets the task go on by itself;
/// [`abort`](Task::abort) ends it.
pub struct Task<T> {
    pub(crate) state: Rc<TaskState<T>>,
}

pub(crate) struct TaskState<T> {
    inner: RefCell<Inner<T>>,
}

struct Inner<T> {
    output: Option<T>,
    ended: bool,
    aborted: bool,
    /// Who waits for the output.
    joiners: Waiters,
    /// The task itself, while it waits, so that an abort can make it run once more and end.
    itself: Waiters,
}

impl<T> TaskState<T> {
    pub(crate) fn new() -> Rc<Self> {
        Rc::new(Self {
            inner: RefCell::new(Inner {
                output: None,
                ended: false,
                aborted: false,
                joiners: Waiters::new(),
                itself: Waiters::new(),
            }),
        })
    }

    fn end(&self, output: Option<T>) {
        let mut inner = self.inner.borrow_mut();
        inner.output = output;
        inner.ended = true;
        inner.joiners.wake_all();
    }
}

impl<T> Task<T> {
    /// Ends the task the next time that it would run; its future is dropped then. Whoever awaits it gets `None`.
    pub fn abort(&self) {
        let mut inner = self.state.inner.borrow_mut();
        inner.aborted = true;
        inner.itself.wake_all();
    }

    /// Whether the task has ended, by itself or by an abort.
    pub fn is_finished(&self) -> bool {
        self.state.inner.borrow().ended
    }
}

impl<T> Future for Task<T> {
    /// The task's output; `None` if it was aborted, or its output was taken already.
    type Output = Option<T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let mut inner = self.state.inner.borrow_mut();
        if inner.ended {
            return Poll::Ready(inner.output.take());
        }
        inner.joiners.register(cx.waker());
        Poll::Pending
    }
}

impl<T> fmt::Debug for Task<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task")
            .field("finished", &self.is_finished())
            .finish()
    }
}

/// Runs `future` to its end or to an abort, and leaves the output in `state`.
///
/// The future comes in a box of its own: an async function has room for an argument twice, as it came and where it is pinned. And
/// its type is erased here, so that there is one such function for each type of output, not for each task.
pub(crate) async fn run<T>(mut future: Pin<Box<dyn Future<Output = T>>>, state: Rc<TaskState<T>>) {
    let output = core::future::poll_fn(|cx| {
        {
            let mut inner = state.inner.borrow_mut();
            if inner.aborted {
                return Poll::Ready(None);
            }
            inner.itself.register(cx.waker());
        }
        future.as_mut().poll(cx).map(Some)
    })
    .await;
    // Dropped before anybody hears of the end.
    drop(future);
    state.end(output);
}
