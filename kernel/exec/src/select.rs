//! Waiting for the first of two futures, or for both.

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
