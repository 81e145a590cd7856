//! The machine that the daemon runs on, if there is a Xen under it.

use core::task::{Context, Poll};
use std::cell::RefCell;
use std::io;
use std::rc::Rc;

use morgana_exec::Handle;
use morgana_hal::{Channel, DomId, DomainState, Events, Platform, Port, Virq};
use morgana_linux::{Linux, LinuxChannel, LinuxDomains};
use morgana_xenstored::{
    Command, Errno, IntroduceError, Kept, PlatformRing, Position, Rings, Server, attach, attach_by,
};

use super::journal::JournalFile;
use super::machine::{Files, Machine};
use super::slots::RingSlot;
use super::sockets::{OnExec, on_exec};
use super::{files, update};
use crate::serving;

/// The rings of domains, and Xen, which knows how domains are.
#[derive(Debug)]
pub(crate) struct XenRings {
    platform: Linux,
    domains: LinuxDomains,
    journal: Option<JournalFile>,
}

impl XenRings {
    pub(crate) fn new(
        platform: Linux,
        domains: LinuxDomains,
        journal: Option<JournalFile>,
    ) -> Self {
        Self {
            platform,
            domains,
            journal,
        }
    }
}

impl Rings for XenRings {
    type Stream = PlatformRing<Linux>;
    type Slot = RingSlot;

    fn attach(&self, domain: DomId, port: Port) -> Result<Self::Stream, IntroduceError> {
        attach(&self.platform, domain, port)
    }

    fn adopt(&self, domain: DomId, port: Port) -> Result<Self::Stream, IntroduceError> {
        attach_by(&self.platform, domain, self.platform.events().adopt(port))
    }

    fn successor(&self, program: &str) -> Result<(), &'static str> {
        update::check_file(program)
    }

    fn state(&self, domain: DomId) -> DomainState {
        self.domains.state(domain)
    }

    fn keep(&self, frame: &[u8]) -> Kept {
        let journal = self.journal.as_ref();
        journal.map_or(Kept::No, |journal| journal.keep(frame))
    }

    fn keep_state(&self, state: &[u8]) -> Kept {
        let journal = self.journal.as_ref();
        journal.map_or(Kept::No, |journal| journal.keep_state(state))
    }

    fn position(&self) -> Position {
        let journal = self.journal.as_ref();
        journal.map_or_else(Position::default, JournalFile::position)
    }

    fn slot(&self, domain: DomId) -> Option<RingSlot> {
        self.journal.as_ref()?.slot(domain)
    }

    fn forget_slot(&self, domain: DomId) {
        if let Some(journal) = &self.journal {
            journal.forget_slot(domain);
        }
    }

    fn command(&self, command: &Command) -> Result<(), Errno> {
        files::command(command)
    }
}

/// By which Xen tells that domains end; it can be let go of while somebody waits.
#[derive(Clone, Debug)]
pub(crate) struct Ends(Rc<RefCell<Option<LinuxChannel>>>);

impl Ends {
    pub(crate) fn new(channel: LinuxChannel) -> Self {
        Self(Rc::new(RefCell::new(Some(channel))))
    }
}

impl Channel for Ends {
    fn port(&self) -> Port {
        let channel = self.0.borrow();
        channel.as_ref().map_or(Port::new(0), Channel::port)
    }

    fn notify(&self) {}

    fn count(&self) -> u64 {
        self.0.borrow().as_ref().map_or(0, Channel::count)
    }

    fn poll_after(&self, seen: u64, cx: &mut Context<'_>) -> Poll<u64> {
        match &*self.0.borrow() {
            Some(channel) => channel.poll_after(seen, cx),
            None => Poll::Pending,
        }
    }
}

/// A domain of Xen, whose event channels another program goes on with.
pub(crate) struct XenMachine {
    pub(crate) files: Files,
    pub(crate) platform: Linux,
    pub(crate) ends: RefCell<Ends>,
    pub(crate) server: Server<XenRings>,
    pub(crate) tasks: Handle,
}

impl Machine for XenMachine {
    fn on_exec(&self, fate: OnExec) -> io::Result<()> {
        self.files.on_exec(fate)?;
        on_exec(self.platform.events().device(), fate)
    }

    /// The other program binds the virtual interrupt itself, and then looks how all domains are.
    fn let_go(&self) {
        self.ends.borrow().0.take();
    }

    fn take_back(&self) {
        let following = self.platform.events().virq(Virq::DomainException);
        let spawned = following.map(|channel| {
            // Whoever waits at the old one waits for ever.
            let ends = Ends::new(channel);
            let following = serving::follow_ends(self.server.clone(), ends.clone(), DomId::DOM0);
            self.ends.replace(ends);
            self.tasks.spawn(async { match following.await {} })
        });
        if !matches!(spawned, Ok(Ok(_))) {
            log::error!("domains that end are not noticed any longer");
        }
    }
}
