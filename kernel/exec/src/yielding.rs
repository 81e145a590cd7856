//! Giving up control for one pass.

use core::future::poll_fn;
use core::task::Poll;

/// Lets all other ready tasks, events and timers have their turn, then goes on.
pub async fn yield_now() {
    let mut yielded = false;
    poll_fn(|cx| {
        if yielded {
            return Poll::Ready(());
        }
        yielded = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
