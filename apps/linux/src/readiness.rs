//! The host's sockets, for the user-mode network, by the emulation's reactor.

use core::task::{Context, Poll};
use std::io;
use std::os::fd::AsFd;

use morgana_emul::Reactor;
use morgana_usernet::{Direction, Readiness, Source};

#[derive(Clone, Debug)]
pub(crate) struct HostSockets(pub(crate) Reactor);

#[derive(Debug)]
pub(crate) struct HostSocket<T: AsFd>(morgana_emul::Source<T>);

impl Readiness for HostSockets {
    type Source<T: AsFd + 'static> = HostSocket<T>;

    fn register<T: AsFd + 'static>(&self, io: T) -> io::Result<HostSocket<T>> {
        self.0.register(io).map(HostSocket)
    }
}

impl<T: AsFd + 'static> Source<T> for HostSocket<T> {
    fn io(&self) -> &T {
        self.0.io()
    }

    fn poll_io<R>(
        &self,
        direction: Direction,
        cx: &mut Context<'_>,
        operation: impl FnMut(&T) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        let direction = match direction {
            Direction::Read => morgana_emul::Direction::Read,
            Direction::Write => morgana_emul::Direction::Write,
        };
        self.0.poll_io(direction, cx, operation)
    }
}
