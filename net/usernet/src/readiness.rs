//! What this crate needs of whoever runs it: to be woken by the host's sockets.

use core::task::{Context, Poll};
use std::io;
use std::os::fd::AsFd;

/// What a task wants to do with a socket.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// Read, or accept.
    Read,
    /// Write.
    Write,
}

/// Watches the host's sockets for the tasks of one executor.
pub trait Readiness: Clone + 'static {
    /// A socket that is watched.
    type Source<T: AsFd + 'static>: Source<T>;

    /// Watches a socket, which is non-blocking.
    ///
    /// # Errors
    ///
    /// The host's.
    fn register<T: AsFd + 'static>(&self, io: T) -> io::Result<Self::Source<T>>;
}

/// A socket that is watched. Dropping it ends the watch and closes the socket.
pub trait Source<T>: 'static {
    /// The socket itself.
    fn io(&self) -> &T;

    /// Tries `operation` when the socket may be ready for it, until it succeeds, fails, or would block; then the task is woken when it may
    /// go on.
    fn poll_io<R>(
        &self,
        direction: Direction,
        cx: &mut Context<'_>,
        operation: impl FnMut(&T) -> io::Result<R>,
    ) -> Poll<io::Result<R>>;
}
