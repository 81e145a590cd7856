//! The terminal that xenconsoled has for a domain.

use std::fs::File;
use std::time::Duration;

use morgana_exec::{Either, Timers, select};
use morgana_hal::DomId;
use morgana_linux::{HasReactor, Reactor, Source};
use morgana_xenstore_client::{Client, Watch};
use rustix::fs::{Mode, OFlags, open};
use rustix::termios::isatty;

use crate::failure::Failure;
use crate::session::Session;

/// Where Linux has pseudo-terminals. Whoever writes the node cannot have anything else opened.
const TERMINALS: &str = "/dev/pts/";

/// A terminal of xenconsoled's.
pub(super) struct Tty {
    path: String,
    pub(super) io: Source<File>,
}

impl Tty {
    pub(super) fn open(path: String, reactor: &Reactor) -> Result<Self, Failure> {
        let wrong = |why: &dyn core::fmt::Display| Failure::Failed(format!("{path}: {why}"));
        if !path.starts_with(TERMINALS) || path.contains("..") {
            return Err(wrong(&"no terminal of xenconsoled's"));
        }
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = open(path.as_str(), flags, Mode::empty()).map_err(|error| wrong(&error))?;
        if !isatty(&file) {
            return Err(wrong(&"no terminal"));
        }
        let io = reactor.register(File::from(file));
        let io = io.map_err(|error| wrong(&error))?;
        Ok(Self { path, io })
    }
}

/// The terminals that a domain has, one after the other: another one when xenconsoled begins again.
pub(super) struct Ttys {
    node: String,
    watch: Watch,
    client: Client,
    reactor: Reactor,
}

impl Ttys {
    pub(super) async fn of(session: &Session, domain: DomId) -> Result<Self, Failure> {
        let node = format!("/local/domain/{}/console/tty", domain.number());
        let watch = session.client.watch(&node).await;
        Ok(Self {
            node,
            watch: watch.map_err(Failure::of)?,
            client: session.client.clone(),
            reactor: session.platform.reactor().clone(),
        })
    }

    /// Ready when there may be another one.
    pub(super) async fn changed(&self) -> Result<(), Failure> {
        self.watch.next().await.map(drop).map_err(Failure::of)
    }

    /// Whether this is the domain's terminal.
    pub(super) async fn is_still(&self, tty: &Tty) -> Result<bool, Failure> {
        Ok(self.path().await?.is_some_and(|path| path == tty.path))
    }

    /// The terminal that can be opened next.
    pub(super) async fn next(&mut self, timers: &Timers, within: Duration) -> Result<Tty, Failure> {
        let found = async {
            loop {
                if let Some(path) = self.path().await? {
                    match Tty::open(path, &self.reactor) {
                        Ok(tty) => return Ok(tty),
                        // xenconsoled may be gone, and has left the node.
                        Err(error) => self.changed().await.map_err(|_| error)?,
                    }
                } else {
                    self.changed().await?;
                }
            }
        };
        match select(found, timers.sleep(within)).await {
            Either::First(found) => found,
            Either::Second(()) => Err(Failure::Failed(
                "the domain has no console: is xenconsoled running?".to_owned(),
            )),
        }
    }

    async fn path(&self) -> Result<Option<String>, Failure> {
        let path = self.client.read_text(&self.node).await;
        match path {
            Ok(path) if path.is_empty() => Ok(None),
            Ok(path) => Ok(Some(path)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(Failure::of(error)),
        }
    }
}
