//! Keeping what would be lost in a crash, and going on after one.

use alloc::vec::Vec;

use morgana_exec::Handle;
use morgana_xenstore_store::{Features, Link, Reach, Recovered, Service};

use crate::line::RingLine;
use crate::rings::Kept;
use crate::server::Server;
use crate::slot::{Keeper, Left, Standing};
use crate::takeover::Resumed;
use crate::{Fault, IntroduceError, Rings, Served};

impl<R: Rings> Server<R> {
    /// Keeps all that is to outlast a crash from now on, by [`Rings::keep_state`] and then [`Rings::keep`].
    pub fn keep_journal(&self) {
        self.0.store.borrow_mut().keep_changes();
        self.keep_all();
    }

    /// Has all that was changed kept. To be called before anything is sent.
    pub(crate) fn commit(&self) {
        let mut kept = Kept::Yes;
        let mut store = self.0.store.borrow_mut();
        store.take_changes(|frame| kept = self.0.rings.keep(frame));
        drop(store);
        match kept {
            Kept::Yes => {}
            Kept::Long => self.keep_all(),
            Kept::No => self.0.store.borrow_mut().drop_changes(),
        }
    }

    fn keep_all(&self) {
        let mut store = self.0.store.borrow_mut();
        let kept = store.lasting().map(|state| self.0.rings.keep_state(&state));
        match kept {
            Ok(Kept::Yes | Kept::Long) => {}
            Ok(Kept::No) => store.drop_changes(),
            Err(error) => {
                log::error!("nothing is kept for after a crash: {error}");
                store.drop_changes();
            }
        }
    }

    /// A daemon that goes on after another one has crashed. It serves no domain until each connection is resumed
    /// ([`recover_domain`](Self::recover_domain), [`recover_ring`](Self::recover_ring)).
    pub fn recover(rings: R, tasks: &Handle, recovered: Recovered) -> (Self, Vec<Resumed>) {
        let server = Self::with_store(rings, tasks, recovered.store);
        let resumed = recovered.rings.into_iter();
        let resumed = resumed.map(|(connection, domain, port)| {
            let link = Link {
                reach: Reach::Ring(domain, port),
                service: Service::Open,
                input: Vec::new(),
                output: Vec::new(),
                partial: 0,
            };
            Resumed::new(connection, link, Some(recovered.reached))
        });
        (server, resumed.collect())
    }

    /// Serves a domain again by its ring, to which it is connected anew. One whose ring cannot be taken up has broken its connection.
    pub fn recover_domain(&self, resumed: Resumed) {
        let Reach::Ring(domain, port) = resumed.reach() else {
            return self.abandon(resumed);
        };
        match self.0.rings.attach(domain, port) {
            Ok(stream) => match self.recover_ring(resumed, stream) {
                Ok(()) => log::info!("{domain} is served again"),
                Err(error) => log::warn!("{domain} cannot be served again: {error}"),
            },
            Err(error) => {
                log::warn!("{domain} cannot be served again: {error}");
                self.abandon(resumed);
            }
        }
    }

    /// Serves a domain again by this ring. It goes on with what was under way there, and hears once of all that it watches, as events may have been lost.
    ///
    /// # Errors
    ///
    /// [`IntroduceError::TooManyTasks`].
    pub fn recover_ring(
        &self,
        mut resumed: Resumed,
        stream: impl Served,
    ) -> Result<(), IntroduceError> {
        let Reach::Ring(domain, _) = resumed.reach() else {
            return Err(IntroduceError::NoDomains);
        };
        let connection = resumed.connection();
        let mut standing = Standing::Open;
        let mut keeper = None;
        if let Some(memory) = self.0.rings.slot(domain) {
            let (taken_up, left) = Keeper::take_up(memory, resumed.reached);
            standing = go_on_with(left, &mut resumed.link, &stream);
            keeper = Some(taken_up);
        }
        if let Standing::Paused(Some(fault)) = standing {
            log::warn!("{domain} is not served until it begins anew: {fault:?}");
            if self.features_of(domain).contains(Features::ERROR) {
                stream.give_up(fault);
            }
        }
        // The last daemon may have moved bytes and not said so.
        stream.wake();
        self.serve_again(resumed, domain, RingLine::new(stream, keeper), standing)?;
        if let Some(client) = self.0.clients.borrow().get(&connection)
            && client.outbox.is_open()
        {
            let store = self.0.store.borrow();
            client.outbox.replace_events(store.reminders(connection));
        }
        Ok(())
    }
}

/// Fills in what is to be done yet in a ring. How the connection is then.
fn go_on_with(left: Left, link: &mut Link, stream: &impl Served) -> Standing {
    let open = match left {
        // Whatever is in the ring is to be handled.
        Left::Nothing => return Standing::Open,
        Left::Damaged => return Standing::Paused(Some(Fault::Communication)),
        Left::Paused(fault) => return Standing::Paused(fault),
        Left::Open(open) => open,
    };
    let Some((unsent, partial)) = open.unsent(stream.written()) else {
        return Standing::Paused(Some(Fault::RingIndex));
    };
    if stream.go_on_at(open.consumed).is_err() {
        return Standing::Paused(Some(Fault::RingIndex));
    }
    link.output = unsent.to_vec();
    link.partial = partial;
    link.input = open.input;
    Standing::Open
}
