//! Waiting for the first of two futures, for both, or for many.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::Poll;

/// Which of two futures was ready first, with its output.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Either<A, B> {
    /// The first argument.
    First(A),
    /// The second argument.
    Second(B),
}

/// Runs both until one is ready, and drops the other. Where both are ready in the same pass the first wins.
pub async fn select<A: Future, B: Future>(first: A, second: B) -> Either<A::Output, B::Output> {
    let mut first = pin!(first);
    let mut second = pin!(second);
    poll_fn(|cx| {
        if let Poll::Ready(output) = first.as_mut().poll(cx) {
            return Poll::Ready(Either::First(output));
        }
        second.as_mut().poll(cx).map(Either::Second)
    })
    .await
}

/// Runs both to their ends.
pub async fn join<A: Future, B: Future>(first: A, second: B) -> (A::Output, B::Output) {
    let mut first = pin!(first);
    let mut second = pin!(second);
    let mut outputs = (None, None);
    poll_fn(|cx| {
        if outputs.0.is_none()
            && let Poll::Ready(output) = first.as_mut().poll(cx)
        {
            outputs.0 = Some(output);
        }
        if outputs.1.is_none()
            && let Poll::Ready(output) = second.as_mut().poll(cx)
        {
            outputs.1 = Some(output);
        }
        match (outputs.0.take(), outputs.1.take()) {
            (Some(first), Some(second)) => Poll::Ready((first, second)),
            unfinished => {
                outputs = unfinished;
                Poll::Pending
            }
        }
    })
    .await
}

/// Runs all to their ends, begun in their order, and gives their outputs in that order.
pub async fn join_all<F: Future>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let mut running: Vec<_> = futures
        .into_iter()
        .map(|future| (Box::pin(future), None))
        .collect();
    poll_fn(|cx| {
        let mut all = true;
        for (future, output) in &mut running {
            if output.is_none() {
                match future.as_mut().poll(cx) {
                    Poll::Ready(done) => *output = Some(done),
                    Poll::Pending => all = false,
                }
            }
        }
        if all { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    running
        .into_iter()
        .filter_map(|(_, output)| output)
        .collect()
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use crate::{Executor, ManualClock};
    use core::time::Duration;

    #[test]
    fn many_run_side_by_side_and_keep_their_order() {
        let clock = ManualClock::default();
        let mut executor = Executor::new();
        let timers = executor.handle().timers();
        let (outputs, took) = executor.block_on(
            async move {
                let sleeps = [30u64, 10, 20].map(|ms| {
                    let timers = timers.clone();
                    async move {
                        timers.sleep(Duration::from_millis(ms)).await;
                        ms
                    }
                });
                (join_all(sleeps).await, timers.now().as_millis())
            },
            &mut clock.idle(),
            &clock,
        );
        assert_eq!((outputs, took), (std::vec![30, 10, 20], 30));
    }
}
