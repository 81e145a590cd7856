//! Polling only what was woken.

use alloc::sync::Arc;
use alloc::task::Wake;
use core::future::{Future, poll_fn};
use core::pin::pin;
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::{Context, Poll, Waker};

/// Runs `future`, but polls it only when it was woken itself, and not when something else in the same task was. A task that moves data wakes
/// often; what waits beside for something rare then costs one look at a flag.
///
/// It is to stay in the task that polls it first.
pub(crate) async fn when_woken<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut flag: Option<Arc<Flag>> = None;
    poll_fn(|cx| {
        let flag = flag.get_or_insert_with(|| Flag::new(cx.waker()));
        if !flag.woken.swap(false, Ordering::Acquire) {
            return Poll::Pending;
        }
        let waker = Waker::from(flag.clone());
        future.as_mut().poll(&mut Context::from_waker(&waker))
    })
    .await
}

struct Flag {
    woken: AtomicBool,
    task: Waker,
}

impl Flag {
    /// Woken from the beginning, so that the future is begun.
    fn new(task: &Waker) -> Arc<Self> {
        Arc::new(Self {
            woken: AtomicBool::new(true),
            task: task.clone(),
        })
    }
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.woken.store(true, Ordering::Release);
        self.task.wake_by_ref();
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use core::cell::Cell;
    use morgana_exec::Notify;

    #[test]
    fn it_is_polled_at_first_and_when_woken() {
        let (polls, notify) = (Cell::new(0), Notify::new());
        let inner = poll_fn(|cx| {
            polls.set(polls.get() + 1);
            notify.poll_after(0, cx)
        });
        let mut outer = pin!(when_woken(inner));
        let mut cx = Context::from_waker(Waker::noop());
        for _ in 0..3 {
            assert!(outer.as_mut().poll(&mut cx).is_pending());
            assert_eq!(polls.get(), 1);
        }
        notify.notify();
        assert_eq!(outer.as_mut().poll(&mut cx), Poll::Ready(1));
        assert_eq!(polls.get(), 2);
    }
}
