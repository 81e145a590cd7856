//! What the daemon runs on: a domain of Xen, or any Linux.

use core::task::{Context, Poll};

use morgana_hal::{ByteStream, DomId, Port, StreamError};
use morgana_xenstored::{Command, Errno, Fault, Features, IntroduceError, Rings, Served};

use super::{files, update};

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

    fn port(&self) -> Port {
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

    fn successor(&self, program: &str) -> Result<(), &'static str> {
        update::check_file(program)
    }

    fn command(&self, command: &Command) -> Result<(), Errno> {
        files::command(command)
    }
}
