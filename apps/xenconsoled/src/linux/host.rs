//! Domain 0, as the daemon needs it.

use std::rc::Rc;

use morgana_hal::{Clock, DomId, Platform, Port, WallTime};
use morgana_linux::Linux;
use morgana_reactor::Reactor;
use morgana_xenconsoled::{AttachError, Host, Outlets, PlatformRing, attach};

use super::logs::{FileLog, Logs};
use super::terminal::Terminal;

/// The rings by Linux's devices, files for logs, pseudo-terminals.
#[derive(Debug)]
pub(crate) struct DomainZero {
    platform: Linux,
    reactor: Reactor,
    logs: Rc<Logs>,
}

impl DomainZero {
    pub(crate) fn new(platform: Linux, reactor: Reactor, logs: Rc<Logs>) -> Self {
        Self {
            platform,
            reactor,
            logs,
        }
    }
}

impl Outlets for DomainZero {
    type Log = FileLog;
    type Terminal = Terminal;

    fn open_log(&self, domain: DomId, name: &str) -> Option<FileLog> {
        if !self.logs.guests {
            return None;
        }
        let opened = self.logs.open_guest(&file_name(name));
        let complain = |error: &String| log::error!("{domain} is not logged: {error}");
        opened.inspect_err(complain).ok()
    }

    fn open_terminal(&self, domain: DomId) -> Option<(Terminal, Option<String>)> {
        match Terminal::open(&self.reactor) {
            Ok((terminal, path)) => Some((terminal, Some(path))),
            Err(error) => {
                log::error!("{domain} gets no terminal: {error}");
                None
            }
        }
    }
}

impl Host for DomainZero {
    type Ring = PlatformRing<Linux>;
    type Outlets = Self;

    fn attach(&self, domain: DomId, port: Port) -> Result<Self::Ring, AttachError> {
        attach(&self.platform, domain, port)
    }

    fn outlets(&self) -> &Self {
        self
    }

    fn wall(&self) -> WallTime {
        self.platform.clock().wall()
    }
}

/// A domain's name as a part of a file's: it leads nowhere else. (Names are chosen by whoever may create domains.)
fn file_name(name: &str) -> String {
    let allowed = |letter: char| match letter {
        '/' | '\0' => '_',
        control if control.is_control() => '_',
        letter => letter,
    };
    name.chars().take(200).map(allowed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_in_the_folder() {
        assert_eq!(file_name("web 1.example"), "web 1.example");
        assert_eq!(file_name("../../etc/passwd\n"), ".._.._etc_passwd_");
        assert_eq!(file_name(&"ä".repeat(300)).chars().count(), 200);
    }
}
