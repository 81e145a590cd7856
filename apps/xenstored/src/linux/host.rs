//! What the daemon runs on: a domain of Xen, or any Linux.

use core::convert::Infallible;

use morgana_hal::{DomId, Port};
use morgana_xenstored::{Command, Errno, IntroduceError, Kept, Rings};

use super::journal::JournalFile;
use super::{files, update};

/// A Linux without Xen: no domain can be served.
#[derive(Debug)]
pub(crate) struct NoXen {
    pub(crate) journal: Option<JournalFile>,
}

impl Rings for NoXen {
    type Stream = Infallible;
    type Slot = Infallible;

    fn attach(&self, _: DomId, _: Port) -> Result<Infallible, IntroduceError> {
        Err(IntroduceError::NoDomains)
    }

    fn successor(&self, program: &str) -> Result<(), &'static str> {
        update::check_file(program)
    }

    fn keep(&self, frame: &[u8]) -> Kept {
        let journal = self.journal.as_ref();
        journal.map_or(Kept::No, |journal| journal.keep(frame))
    }

    fn keep_state(&self, state: &[u8]) -> Kept {
        let journal = self.journal.as_ref();
        journal.map_or(Kept::No, |journal| journal.keep_state(state))
    }

    fn command(&self, command: &Command) -> Result<(), Errno> {
        files::command(command)
    }
}
