//! Going on with what another daemon has left.

use alloc::rc::Rc;
use alloc::vec::Vec;

use morgana_exec::Handle;
use morgana_hal::{ByteStream, DomId};
use morgana_xenstore_migration::Position;
use morgana_xenstore_store::{ConnectionId, Link, Loaded, Reach, Service};

use crate::line::RingLine;
use crate::server::Server;
use crate::slot::{Keeper, Standing};
use crate::{IntroduceError, Rings, Served};

/// A connection of the daemon before, which is to be served again, or given up.
#[derive(Debug)]
#[must_use]
pub struct Resumed {
    connection: ConnectionId,
    pub(crate) link: Link,
    /// Up to where the journal goes, if the daemon before has crashed.
    pub(crate) reached: Option<Position>,
}

impl Resumed {
    pub(crate) const fn new(
        connection: ConnectionId,
        link: Link,
        reached: Option<Position>,
    ) -> Self {
        Self {
            connection,
            link,
            reached,
        }
    }

    pub(crate) const fn connection(&self) -> ConnectionId {
        self.connection
    }

    /// How it is reached.
    pub const fn reach(&self) -> Reach {
        self.link.reach
    }
}

impl<R: Rings> Server<R> {
    /// A daemon that goes on with what another one has left. It serves nobody until each connection is resumed.
    pub fn resume(rings: R, tasks: &Handle, loaded: Loaded) -> (Self, Vec<Resumed>) {
        let server = Self::with_store(rings, tasks, loaded.store);
        let links = loaded.links.into_iter();
        let resumed = links.map(|(connection, link)| Resumed::new(connection, link, None));
        (server, resumed.collect())
    }

    /// Serves a local client again.
    ///
    /// # Errors
    ///
    /// [`IntroduceError::TooManyTasks`].
    pub fn resume_local(
        &self,
        resumed: Resumed,
        stream: impl ByteStream,
    ) -> Result<(), IntroduceError> {
        let rights = self.0.store.borrow().rights_of(resumed.connection);
        let session = self.session(resumed.connection, rights);
        session.inbox.refill(resumed.link.input);
        let (output, partial) = (&resumed.link.output, resumed.link.partial);
        session.outbox.refill(output, partial);
        self.start_local(session, resumed.link.reach, stream)
    }

    /// Serves a domain again by its ring, which goes on where it was.
    ///
    /// # Errors
    ///
    /// [`IntroduceError::TooManyTasks`].
    pub fn resume_ring(&self, resumed: Resumed, stream: impl Served) -> Result<(), IntroduceError> {
        let Reach::Ring(domain, _) = resumed.reach() else {
            return Err(IntroduceError::NoDomains);
        };
        let slot = self.0.rings.slot(domain);
        let keeper = slot.map(|memory| Keeper::take_up(memory, None).0);
        let standing = match resumed.link.service {
            Service::Open => Standing::Open,
            Service::Paused => Standing::Paused(None),
        };
        let line = RingLine::new(stream, keeper);
        self.serve_again(resumed, domain, line, standing)
    }

    pub(crate) fn serve_again(
        &self,
        resumed: Resumed,
        domain: DomId,
        line: RingLine<impl Served, R::Slot>,
        standing: Standing,
    ) -> Result<(), IntroduceError> {
        let Resumed {
            connection, link, ..
        } = resumed;
        let rights = self.0.store.borrow().rights_of(connection);
        let session = self.session(connection, rights);
        if standing == Standing::Open {
            session.inbox.refill(link.input);
            let outbox: &Rc<_> = &session.outbox;
            outbox.refill(&link.output, link.partial);
        } else {
            session.outbox.close();
        }
        self.start_serving(session, domain, line, standing)
    }

    /// Serves a domain again by its ring, which is taken up anew. One whose ring cannot be taken up has broken its connection.
    pub fn resume_domain(&self, resumed: Resumed) {
        let Reach::Ring(domain, port) = resumed.link.reach else {
            return self.abandon(resumed);
        };
        match self.0.rings.adopt(domain, port) {
            Ok(stream) => {
                if let Err(error) = self.resume_ring(resumed, stream) {
                    log::warn!("{domain} cannot be served: {error}");
                }
            }
            Err(error) => {
                log::warn!("{domain} cannot be served: {error}");
                self.abandon(resumed);
            }
        }
    }

    /// Gives a connection up: it is as if it had been broken.
    pub fn abandon(&self, resumed: Resumed) {
        self.0.store.borrow_mut().disconnect(resumed.connection);
    }
}
