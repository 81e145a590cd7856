//! Watches as streams of changes.

use alloc::collections::VecDeque;
use alloc::rc::Rc;
use alloc::string::{String, ToString};
use core::future::poll_fn;
use core::task::{Context, Poll};

use morgana_exec::Waiters;
use morgana_xenstore_wire::{Path, PathError, Request, TransactionId};

use crate::Error;
use crate::connection::Connection;

/// What a watch tells.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Changed {
    /// This path was written, made, deleted, or got other permissions: once or more often. Relative, if the watch's path is.
    Path(String),
    /// Anything at or below the watched path may have changed: more happened than is kept.
    Anything,
}

/// A watch that is set. Dropping it takes it away.
///
/// It keeps each changed path once until it is asked for, and at most [`Config::queued_events`](crate::Config::queued_events) of them; beyond that it only says
/// [`Changed::Anything`]. Therefore look at the store after every change, and do not count changes.
#[derive(Debug)]
pub struct Watch {
    connection: Rc<Connection>,
    token: u32,
}

/// What the connection keeps of a watch.
#[derive(Debug)]
pub(crate) struct Events {
    path: String,
    queue: VecDeque<Changed>,
    /// Entries that the queue may have.
    limit: usize,
    pub(crate) waiters: Waiters,
    /// Whether the request is on its way, so that it must be taken back.
    pub(crate) sent: bool,
}

impl Events {
    /// Adds an event. Its path must at least be one.
    pub(crate) fn put(&mut self, path: &str) -> Result<(), PathError> {
        let changed = Path::parse_watch(path)?;
        let watched = Path::parse_watch(&self.path)?;
        if self.queue.front() == Some(&Changed::Anything) {
            return Ok(());
        }
        let known = |queued: &Changed| matches!(queued, Changed::Path(queued) if queued == path);
        if self.queue.iter().any(known) {
            return Ok(());
        }
        if self.queue.len() < self.limit && changed.is_at_or_below(watched) {
            self.queue.push_back(Changed::Path(path.to_string()));
        } else {
            self.queue.clear();
            self.queue.push_back(Changed::Anything);
        }
        self.waiters.wake_all();
        Ok(())
    }
}

impl Watch {
    /// Sets a watch.
    pub(crate) async fn set(connection: &Rc<Connection>, path: &str) -> Result<Self, Error> {
        Path::parse_watch(path)?;
        let token = {
            let mut state = connection.state.borrow_mut();
            if state.watches.len() >= connection.config.watches {
                return Err(Error::TooManyWatches);
            }
            // Ends: there are far fewer watches than tokens.
            let token = loop {
                state.last_token = state.last_token.wrapping_add(1);
                if !state.watches.contains_key(&state.last_token) {
                    break state.last_token;
                }
            };
            let events = Events {
                path: path.to_string(),
                queue: VecDeque::new(),
                limit: connection.config.queued_events,
                waiters: Waiters::new(),
                sent: false,
            };
            state.watches.insert(token, events);
            token
        };
        // From here on, dropping it cleans up: events may come before the answer.
        let watch = Self {
            connection: connection.clone(),
            token,
        };
        let text = token.to_string();
        let request = Request::Watch {
            path,
            token: &text,
            depth: None,
        };
        connection
            .call(request, TransactionId::NONE, Some(token))
            .await?;
        Ok(watch)
    }

    /// The next change. The first one comes right after the watch was set, and means that the watched path may exist already.
    ///
    /// # Errors
    ///
    /// [`Error::Closed`] once the connection has ended and all that was kept is told.
    pub async fn next(&self) -> Result<Changed, Error> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// As [`next`](Self::next).
    pub fn poll_next(&self, cx: &mut Context<'_>) -> Poll<Result<Changed, Error>> {
        let mut state = self.connection.state.borrow_mut();
        let closed = state.closed;
        let Some(events) = state.watches.get_mut(&self.token) else {
            // It is there as long as the watch is; see `Watch::drop`.
            return Poll::Ready(Err(self.connection_ended(closed)));
        };
        if let Some(changed) = events.queue.pop_front() {
            return Poll::Ready(Ok(changed));
        }
        if closed.is_some() {
            return Poll::Ready(Err(self.connection_ended(closed)));
        }
        events.waiters.register(cx.waker());
        Poll::Pending
    }

    fn connection_ended(&self, closed: Option<crate::Closed>) -> Error {
        Error::Closed(closed.unwrap_or(crate::Closed::Dropped))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut state = self.connection.state.borrow_mut();
        let closed = state.closed.is_some();
        let Some(events) = state.watches.get_mut(&self.token) else {
            return;
        };
        if !events.sent || closed {
            state.watches.remove(&self.token);
            return;
        }
        // The entry stays until the answer, so that watches which are being taken away count against the limit.
        let path = events.path.clone();
        let text = self.token.to_string();
        let request = Request::Unwatch {
            path: &path,
            token: &text,
        };
        state.enqueue_cleanup(&request, TransactionId::NONE, Some(self.token));
    }
}
