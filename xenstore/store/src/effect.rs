//! What the store's owner has to do besides sending.

use alloc::string::String;
use alloc::vec::Vec;

use morgana_hal::DomId;
use morgana_xenstore_wire::Header;

use crate::ConnectionId;
use crate::outgoing::{Outgoing, reply};

/// What the store's owner has to do besides sending.
#[derive(Clone, PartialEq, Eq, Debug)]
#[must_use]
pub enum Effect {
    /// Nothing.
    None,
    /// Map a domain's ring, then call [`Store::finish_introduce`](crate::Store::finish_introduce). A ring of it that is mapped already is
    /// to be let go first.
    Introduce(PendingIntroduce),
    /// Let go of a domain's ring: its connection is gone already.
    Release(DomId),
    /// Do what `CONTROL` asks for, then call [`Store::finish_command`](crate::Store::finish_command).
    Command(PendingCommand),
}

/// A request to serve another domain, not answered yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PendingIntroduce {
    pub(crate) asker: ConnectionId,
    pub(crate) header: Header,
    /// The domain.
    pub domain: DomId,
    /// The frame of its ring, as the toolstack knows it.
    pub frame: u64,
    /// The domain's port.
    pub port: u32,
}

/// A command that is not the store's affair, not answered yet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PendingCommand {
    pub(crate) asker: ConnectionId,
    pub(crate) header: Header,
    /// What is to be done.
    pub command: Command,
}

impl PendingCommand {
    /// Who asks.
    pub const fn asker(&self) -> ConnectionId {
        self.asker
    }

    /// The answer, for a command that is answered with words.
    pub fn answer(&self, words: &str) -> Outgoing {
        let payload = [words.as_bytes(), b"\0"].concat();
        reply(self.asker, &self.header, Ok(&payload))
    }
}

/// What `CONTROL` can ask of the daemon.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// Log from now on; a file of the log is opened anew.
    LogOn,
    /// Log nothing from now on.
    LogOff,
    /// Log to the file from now on.
    LogFile(String),
    /// Let another program take over: one step of it, word by word.
    LiveUpdate(Vec<String>),
    /// Put a line into the log.
    Print(String),
    /// Add a text to the end of a file.
    Append {
        /// The file.
        path: String,
        /// The text.
        text: String,
    },
}
