//! The server: what all its tasks share, and how it begins.

use alloc::rc::Rc;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::convert::Infallible;
use core::fmt;

use log::Level;
use morgana_block::BlockDevice;
use morgana_exec::{Handle, Sender, Timers, channel};
use morgana_hal::{Clock, DomId, Platform};
use morgana_journal::{Journal, Writer};
use morgana_record::{Entry, Name, Record};
use morgana_xenstore_client::{Client, KeyError};

use crate::domains::Domains;
use crate::keeper::{Taken, WAITING, keep};
use crate::{Options, finder};

/// A logger.
pub struct Logger<P: Platform, D: BlockDevice> {
    shared: Rc<Shared<P, D>>,
    tasks: Handle,
    writer: Writer<D>,
    entries: morgana_exec::Receiver<Taken>,
}

/// What all connections have of the logger.
pub(crate) struct Shared<P: Platform, D: BlockDevice> {
    pub(crate) platform: P,
    pub(crate) client: Client,
    pub(crate) timers: Timers,
    pub(crate) options: Options,
    pub(crate) journal: Journal<D>,
    pub(crate) entries: Sender<Taken>,
    pub(crate) domains: Domains,
    own: DomId,
    name: Name,
}

impl<P: Platform, D: BlockDevice + 'static> Logger<P, D> {
    /// A logger that keeps entries in this journal. Its tasks run on `tasks`' executor.
    ///
    /// # Errors
    ///
    /// [`KeyError`]: xenstore does not say which domain this is.
    pub async fn new(
        platform: &P,
        client: &Client,
        tasks: &Handle,
        (writer, journal): (Writer<D>, Journal<D>),
        options: Options,
    ) -> Result<Self, KeyError> {
        let own = DomId::new(client.read_number("domid").await?);
        let name = client.read_text("name").await.unwrap_or_default();
        let (sender, entries) = channel(WAITING);
        let shared = Rc::new(Shared {
            platform: platform.clone(),
            client: client.clone(),
            timers: tasks.timers(),
            options,
            journal,
            entries: sender,
            domains: Domains::default(),
            own,
            name: Name::Known(name),
        });
        Ok(Self {
            shared,
            tasks: tasks.clone(),
            writer,
            entries,
        })
    }

    /// Serves domains as they come and go.
    ///
    /// # Errors
    ///
    /// xenstore's, if it cannot be used at all, or no longer; or there is no room for a task.
    pub async fn serve(self) -> Result<Infallible, KeyError> {
        let Self {
            shared,
            tasks,
            writer,
            entries,
        } = self;
        let keeping = keep(writer, entries, shared.timers.clone());
        let finding = finder::find(shared, tasks);
        match morgana_exec::select(finding, keeping).await {
            morgana_exec::Either::First(found) => found,
            // It ends only with the last of those who send, of which the finder has one.
            morgana_exec::Either::Second(()) => core::future::pending().await,
        }
    }
}

impl<P: Platform, D: BlockDevice> Shared<P, D> {
    /// Says something in the log itself, and on the logger's console.
    pub(crate) fn note(&self, level: Level, message: impl fmt::Display, about: DomId) {
        log::log!(level, "{message}");
        let received = self.platform.clock().wall();
        let entry = Entry {
            domain: self.own,
            name: self.name.clone(),
            received,
            record: Record {
                time: received,
                level,
                target: "logger".into(),
                message: message.to_string(),
                fields: alloc::vec![("domain".into(), about.number().to_string())],
            },
        };
        let mut bytes = Vec::new();
        entry.encode(&mut bytes);
        // If there is no room it is on the console at least.
        let _ = self.entries.try_send(Taken {
            entry: bytes,
            received: received.unix_nanos(),
            told: None,
        });
    }

    /// What a domain is called: as the toolstack says if it lets this domain know, else as it says itself.
    pub(crate) async fn name(&self, domain: DomId, claimed: String) -> Name {
        let path = alloc::format!("/local/domain/{}/name", domain.number());
        match self.client.read_text(&path).await {
            Ok(name) => Name::Known(name),
            Err(_) => Name::Claimed(claimed),
        }
    }
}

impl<P: Platform, D: BlockDevice> fmt::Debug for Logger<P, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Logger")
            .field("journal", &self.shared.journal)
            .field("options", &self.shared.options)
            .finish_non_exhaustive()
    }
}
