//! What of the machine another program goes on with, besides the sockets of clients.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixListener;
use std::rc::Rc;

use morgana_reactor::Source;
use morgana_xenstored::{Descriptor, HandOver};

use super::sockets::{OnExec, number, on_exec};

/// What of the machine another program goes on with.
pub(crate) trait Machine {
    /// Says what becomes of it when another program takes over.
    ///
    /// # Errors
    ///
    /// The kernel's.
    fn on_exec(&self, fate: OnExec) -> io::Result<()>;

    /// Lets go of what the other program takes up anew.
    fn let_go(&self) {}

    /// Takes up again what was let go of, as there is no other program.
    fn take_back(&self) {}
}

/// The files of a daemon.
pub(crate) struct Files {
    pub(crate) listener: Rc<Source<UnixListener>>,
    pub(crate) pid_file: Option<File>,
}

impl Files {
    /// By which numbers they are found.
    pub(crate) fn left(&self, events: Descriptor) -> HandOver {
        HandOver {
            socket: number(self.listener.io()),
            events,
            pid_file: self.pid_file.as_ref().map_or(Descriptor::NONE, number),
        }
    }
}

impl Machine for Files {
    fn on_exec(&self, fate: OnExec) -> io::Result<()> {
        on_exec(self.listener.io().as_fd(), fate)?;
        let file = self.pid_file.as_ref();
        file.map_or(Ok(()), |file| on_exec(file.as_fd(), fate))
    }
}
