//! The way of records to the machine's logger. (It is in images that have the feature `logger`.)

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::str::FromStr;
use core::time::Duration;

use log::kv::{Error, Key, Value, VisitSource};
use log::{LevelFilter, Record};
use morgana_exec::{Handle, Timers};
use morgana_hal::{DomId, Platform, WallTime};
use morgana_logs::{DEFAULT_QUEUE, Destination, Forwarder, record};
use morgana_xenstore_client::Client;

use crate::{BadArgument, CommandLine};

/// How long a domain's last records may take to be kept by the logger.
const LAST_RECORDS: Duration = Duration::from_secs(1);

/// What takes records for the logger. Clones are the same one.
#[derive(Clone)]
pub(crate) struct Forward {
    forwarder: Forwarder,
    to: Destination,
    /// Up to which level records go there.
    level: LevelFilter,
}

impl Forward {
    /// As `logger=` and `logger-level=` want it; the level is `usual`, if nothing says another. `None` if no logger is wanted.
    ///
    /// # Errors
    ///
    /// What makes no sense. It counts as not said.
    pub(crate) fn new(
        command_line: &CommandLine,
        usual: LevelFilter,
    ) -> (Option<Self>, Vec<BadArgument>) {
        let level = command_line.parse("logger-level", usual);
        let to = command_line.parse("logger", To(None));
        let forward = to.as_ref().ok().and_then(|to| to.0).map(|to| Self {
            forwarder: Forwarder::new(DEFAULT_QUEUE),
            to,
            level: *level.as_ref().unwrap_or(&usual),
        });
        let errors = [level.err(), to.err()].into_iter().flatten().collect();
        (forward, errors)
    }

    pub(crate) const fn level(&self) -> LevelFilter {
        self.level
    }

    /// Takes a record.
    pub(crate) fn put(&self, from: &Record<'_>, time: WallTime) {
        let mut fields = Fields(Vec::new());
        // What fails is the visitor, and this one does not.
        let _ = from.key_values().visit(&mut fields);
        self.forwarder.put(record::Record {
            time,
            level: from.level(),
            target: from.target().into(),
            message: from.args().to_string(),
            fields: fields.0,
        });
    }

    /// Begins to send records, now that there is a way to find the logger.
    pub(crate) fn connect<P: Platform>(&self, platform: &P, client: &Client, tasks: &Handle) {
        let Self { forwarder, to, .. } = self.clone();
        let (platform, client, timers) = (platform.clone(), client.clone(), tasks.timers());
        let driver = async move {
            let Err(error) = forwarder.drive(&platform, &client, &timers, to).await;
            log::warn!("no more records go to the logger: {error}");
        };
        if let Err(error) = tasks.spawn(driver) {
            log::warn!("no records go to the logger: {error}");
        }
    }

    /// Waits until the logger keeps all of them, but not for ever.
    pub(crate) async fn end(&self, timers: &Timers) {
        let kept = timers.timeout(LAST_RECORDS, self.forwarder.flush()).await;
        if kept.is_err() {
            log::debug!("the logger has not said that it keeps the last records");
        }
    }
}

/// A record's keys and values as texts.
struct Fields(Vec<(String, String)>);

impl<'kvs> VisitSource<'kvs> for Fields {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), Error> {
        if self.0.len() < record::MAX_FIELDS {
            self.0.push((key.to_string(), value.to_string()));
        }
        Ok(())
    }
}

/// What `logger=` says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct To(Option<Destination>);

impl FromStr for To {
    type Err = BadDestination;

    fn from_str(text: &str) -> Result<Self, BadDestination> {
        Ok(Self(match text {
            "off" => None,
            "auto" => Some(Destination::Published),
            number => {
                let number = number.parse().map_err(|_| BadDestination)?;
                Some(Destination::Domain(DomId::new(number)))
            }
        }))
    }
}

/// Neither `off`, `auto` nor a domain's number.
struct BadDestination;
