//! What the daemon runs on: a domain of Xen, or any Linux.

use core::convert::Infallible;

use morgana_hal::{DomId, Port};
use morgana_xenstored::{Command, Errno, IntroduceError, Rings};

use super::{files, update};

/// A Linux without Xen: no domain can be served.
#[derive(Debug)]
pub(crate) struct NoXen;

impl Rings for NoXen {
    type Stream = Infallible;

    fn attach(&self, _: DomId, _: Port) -> Result<Infallible, IntroduceError> {
        Err(IntroduceError::NoDomains)
    }

    fn successor(&self, program: &str) -> Result<(), &'static str> {
        update::check_file(program)
    }

    fn command(&self, command: &Command) -> Result<(), Errno> {
        files::command(command)
    }
}
