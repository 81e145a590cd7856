//! One access to the device, in as many requests as it takes.

use alloc::collections::VecDeque;
use alloc::rc::Rc;
use core::future::poll_fn;
use core::ops::Range;

use morgana_block::BlockError;
use morgana_hal::Platform;

use crate::shared::Shared;
use crate::{Request, Ticket};

/// A request under way. Dropping it lets the request run on its own.
pub(crate) struct InFlight<P: Platform> {
    shared: Rc<Shared<P>>,
    ticket: Option<Ticket>,
}

impl<P: Platform> InFlight<P> {
    /// Gets a place for the request.
    pub(crate) async fn submit(
        shared: &Rc<Shared<P>>,
        request: &Request<'_>,
    ) -> Result<Self, BlockError> {
        let ticket = poll_fn(|cx| shared.poll_submit(cx, request)).await?;
        Ok(Self {
            shared: shared.clone(),
            ticket: Some(ticket),
        })
    }

    /// Waits for the outcome; what was read goes to `into`.
    pub(crate) async fn collect(mut self, into: &mut [u8]) -> Result<(), BlockError> {
        let Some(ticket) = self.ticket else {
            return Err(BlockError::Gone);
        };
        let outcome = poll_fn(|cx| self.shared.poll_collect(cx, ticket, into)).await;
        self.ticket = None;
        outcome
    }
}

impl<P: Platform> Drop for InFlight<P> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            self.shared.detach(ticket);
        }
    }
}

/// Moves `bytes` bytes in requests that `request` makes of a range of them, and hands each that is under way to `finish` in order. All requests that
/// there is room for are under way at once.
pub(crate) async fn in_pieces<'a, P: Platform>(
    shared: &Rc<Shared<P>>,
    bytes: usize,
    request: impl Fn(Range<usize>) -> Request<'a>,
    mut finish: impl AsyncFnMut(InFlight<P>, Range<usize>) -> Result<(), BlockError>,
) -> Result<(), BlockError> {
    let mut window: VecDeque<(InFlight<P>, Range<usize>)> = VecDeque::new();
    let mut at = 0;
    while at < bytes {
        let piece = shared.max_bytes().unwrap_or(SMALLEST_REQUEST);
        let range = at..bytes.min(at + piece);
        at = range.end;
        // Whoever holds places gives them up before waiting for more, so that two large accesses do not wait for each other.
        let submitted = loop {
            let request = request(range.clone());
            let room =
                poll_fn(|cx| core::task::Poll::Ready(shared.poll_submit(cx, &request))).await;
            match (room, window.pop_front()) {
                (core::task::Poll::Ready(ticket), first) => {
                    if let Some(first) = first {
                        window.push_front(first);
                    }
                    break InFlight {
                        shared: shared.clone(),
                        ticket: Some(ticket?),
                    };
                }
                (core::task::Poll::Pending, Some((first, range))) => finish(first, range).await?,
                (core::task::Poll::Pending, None) => {
                    break InFlight::submit(shared, &request).await?;
                }
            }
        };
        window.push_back((submitted, range));
    }
    while let Some((first, range)) = window.pop_front() {
        finish(first, range).await?;
    }
    Ok(())
}

/// What every back end takes in one request.
const SMALLEST_REQUEST: usize = morgana_blkif::MAX_SEGMENTS * morgana_hal::PAGE_SIZE;
