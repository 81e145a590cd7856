//! One guest from its coming to its end: waits for its console, serves it, and takes its last words.

use alloc::format;
use alloc::rc::Rc;
use alloc::string::String;
use core::cell::{Cell, RefCell};
use core::pin::pin;

use morgana_exec::{Either, Notify, Timers, select};
use morgana_hal::DomId;
use morgana_xenstore_client::{Client, Error, KeyError, Problem, Watch};

use crate::backlog::Backlog;
use crate::host::{LogOf, Outlets, Ring, TerminalOf};
use crate::place::Place;
use crate::rate::Traffic;
use crate::record::Record;
use crate::session::Session;
use crate::{Guests, Host, Options};

/// Told once the guest is gone.
#[derive(Debug, Default)]
pub(crate) struct Gone(Notify);

impl Gone {
    pub(crate) fn tell(&self) {
        self.0.notify();
    }

    async fn wait(&self) {
        self.0.after(0).await;
    }
}

/// What serves one guest.
pub(crate) struct Guest<H> {
    pub(crate) domain: DomId,
    pub(crate) host: Rc<H>,
    pub(crate) client: Client,
    pub(crate) timers: Timers,
    pub(crate) traffic: Rc<Traffic>,
    pub(crate) options: Options,
    pub(crate) which: Guests,
    pub(crate) gone: Rc<Gone>,
}

/// What a guest has for its whole life, however often its ring moves.
struct Belongings<H: Host> {
    record: Record<LogOf<H>>,
    terminal: Option<TerminalOf<H>>,
}

/// Why the ring is not served any longer.
enum End {
    /// The guest is gone.
    Gone,
    /// The toolstack has written another place, or none.
    Moved,
}

impl<H: Host> Guest<H> {
    /// Serves the guest until it is gone.
    ///
    /// # Errors
    ///
    /// xenstore's, with which nobody can be served.
    pub(crate) async fn attend(self) -> Result<(), Error> {
        let home = self.client.domain_path(self.domain).await?;
        let watch = self.client.watch(&format!("{home}/console")).await?;
        let mut belongings = None;
        let mut refused = None;
        loop {
            match self.place(&home).await? {
                // What could not be served is tried again when it has moved.
                Some(place) if refused != Some(place) => {
                    let belongings = match &mut belongings {
                        Some(belongings) => belongings,
                        none => none.insert(self.open(&home).await),
                    };
                    match self.serve(&home, &watch, place, belongings).await? {
                        Some(End::Gone) => return Ok(()),
                        Some(End::Moved) => {}
                        None => refused = Some(place),
                    }
                    continue;
                }
                // A later domain of the same number is another guest, and has another task.
                None if !self.has_home(&home).await? => return Ok(()),
                _ => {}
            }
            match select(self.gone.wait(), watch.next()).await {
                Either::First(()) => return Ok(()),
                Either::Second(changed) => drop(changed?),
            }
        }
    }

    /// Opens the log and the terminal, and says where the terminal is.
    async fn open(&self, home: &str) -> Belongings<H> {
        let name = self.client.read_text(&format!("{home}/name")).await;
        let name = name.unwrap_or_else(|_| format!("{}", self.domain.number()));
        let outlets = self.host.outlets();
        let terminal = match outlets.open_terminal(self.domain) {
            Some((terminal, path)) => {
                if let Some(path) = path {
                    tell_terminal(&self.client, self.domain, home, path).await;
                }
                Some(terminal)
            }
            None => None,
        };
        let log = outlets.open_log(self.domain, &name);
        Belongings {
            record: Record::new(log, self.options),
            terminal,
        }
    }

    /// Serves the ring at `place`. `None` if that cannot be done.
    async fn serve(
        &self,
        home: &str,
        watch: &Watch,
        place: Place,
        belongings: &mut Belongings<H>,
    ) -> Result<Option<End>, Error> {
        let ring = match self.host.attach(self.domain, place.port) {
            Ok(ring) => ring,
            Err(error) => {
                log::warn!("the console of {} cannot be served: {error}", self.domain);
                return Ok(None);
            }
        };
        ring.connected();
        log::debug!("the console of {} is served", self.domain);
        let limit = place.limit.min(self.options.most_unread);
        let session = Session {
            domain: self.domain,
            host: &*self.host,
            timers: &self.timers,
            traffic: &self.traffic,
            ring,
            terminal: belongings.terminal.as_ref(),
            backlog: RefCell::new(Backlog::new(limit, self.options.overflow)),
            moved: Notify::default(),
            unread: Cell::new(false),
            options: self.options,
        };
        let end = {
            // As in `Session::serve`.
            let end = pin!(self.end(home, watch, place));
            let served = pin!(session.serve(&mut belongings.record));
            match select(end, served).await {
                Either::First(end) => end?,
                Either::Second(error) => {
                    log::warn!(
                        "the console of {} is not served any longer: {error}",
                        self.domain
                    );
                    return Ok(None);
                }
            }
        };
        session.drain(&mut belongings.record).await;
        Ok(Some(end))
    }

    /// Waits until the guest is gone, or its console is elsewhere.
    async fn end(&self, home: &str, watch: &Watch, place: Place) -> Result<End, Error> {
        loop {
            match select(self.gone.wait(), watch.next()).await {
                Either::First(()) => return Ok(End::Gone),
                Either::Second(changed) => drop(changed?),
            }
            match self.place(home).await? {
                Some(same) if same == place => {}
                None if !self.has_home(home).await? => return Ok(End::Gone),
                _ => return Ok(End::Moved),
            }
        }
    }

    /// Whether the toolstack has not taken the domain's nodes away.
    async fn has_home(&self, home: &str) -> Result<bool, Error> {
        match self.client.read(home).await {
            Err(error @ Error::Closed(_)) => Err(error),
            Err(error) => Ok(!error.is_not_found()),
            Ok(_) => Ok(true),
        }
    }

    /// Where the console is. A place that makes no sense is none.
    async fn place(&self, home: &str) -> Result<Option<Place>, Error> {
        match Place::read(&self.client, home, self.which).await {
            Ok(place) => Ok(place),
            Err(error) => match refusal(&error) {
                Some(closed) => Err(closed),
                None => {
                    log::warn!("{}: {error}", self.domain);
                    Ok(None)
                }
            },
        }
    }
}

/// Writes where a guest's terminal is, for `xl console`.
pub(crate) async fn tell_terminal(client: &Client, domain: DomId, home: &str, path: String) {
    let written = client.write(&format!("{home}/console/tty"), path).await;
    if let Err(error) = written {
        log::error!("xl console will not find the terminal of {domain}: {error}");
    }
}

/// The error with which nobody can be served any longer, if it is one.
fn refusal(error: &KeyError) -> Option<Error> {
    match error.problem {
        Problem::Request(closed @ Error::Closed(_)) => Some(closed),
        _ => None,
    }
}
