//! What the daemon runs on: a domain of Xen, or any Linux.

use core::task::{Context, Poll};
use std::io;
use std::os::unix::net::UnixStream;

use morgana_hal::{ByteStream, Clock, DomId, Idle, Instant, Port, StreamError};
use morgana_linux::LinuxClock;
use morgana_reactor::Reactor;
use morgana_xenstored::{Command, Errno, Fault, Features, IntroduceError, Rings, Served};

use super::files;

/// A Linux without Xen: no domain can be served.
#[derive(Debug)]
pub(crate) struct NoXen;

/// What there is none of.
#[derive(Debug)]
pub(crate) enum Never {}

impl ByteStream for Never {
    fn poll_read(&self, _: &mut Context<'_>, _: &mut [u8]) -> Poll<Result<usize, StreamError>> {
        match *self {}
    }

    fn poll_write(&self, _: &mut Context<'_>, _: &[u8]) -> Poll<Result<usize, StreamError>> {
        match *self {}
    }
}

impl Served for Never {
    fn advertise(&self, _: Features) {
        match *self {}
    }

    fn give_up(&self, _: Fault) {
        match *self {}
    }

    fn poll_reconnect(&self, _: &mut Context<'_>) -> Poll<()> {
        match *self {}
    }

    fn connect(&self) {
        match *self {}
    }
}

impl Rings for NoXen {
    type Stream = Never;

    fn attach(&self, _: DomId, _: Port) -> Result<Never, IntroduceError> {
        Err(IntroduceError::NoDomains)
    }

    fn command(&self, command: &Command) -> Result<(), Errno> {
        files::command(command)
    }
}

/// The end of the run loop where there are no event channels.
#[derive(Debug)]
pub(crate) struct HostIdle {
    reactor: Reactor,
    /// What the reactor's wake descriptor is: nothing ever comes out of it.
    _wake: (UnixStream, UnixStream),
}

impl HostIdle {
    pub(crate) fn new() -> io::Result<Self> {
        let wake = UnixStream::pair()?;
        let reactor = Reactor::new(&wake.0)?;
        Ok(Self {
            reactor,
            _wake: wake,
        })
    }

    pub(crate) fn reactor(&self) -> &Reactor {
        &self.reactor
    }
}

impl Idle for HostIdle {
    fn dispatch(&mut self) -> usize {
        self.reactor.collect();
        0
    }

    fn wait(&mut self, deadline: Option<Instant>) {
        let timeout = deadline.map(|deadline| deadline.since(LinuxClock.now()));
        self.reactor.wait(timeout);
    }
}
