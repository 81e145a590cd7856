//! The log: `log`'s macros, through a buffer to the domain's console, and through a queue to the machine's logger.

use alloc::rc::Rc;
use core::str::FromStr;
use core::time::Duration;

use log::LevelFilter;
use morgana_console::{DEFAULT_CAPACITY, Logger, Output};
use morgana_exec::{Handle, Timers};
use morgana_hal::{DomId, Platform};
use morgana_logs::{DEFAULT_QUEUE, Destination, Forwarder};
use morgana_xenstore_client::Client;

use crate::CommandLine;
use crate::global::{self, Forward};

/// How long a domain's last records may take to be kept by the logger.
const LAST_RECORDS: Duration = Duration::from_secs(1);

/// Where log records go.
#[derive(Clone)]
pub(crate) struct Log {
    console: Option<Output>,
    logger: Option<(Forwarder, Destination)>,
}

/// Starts to log: to the platform's console, records up to the level `log=LEVEL` of the command line (`off`, `error`, `warn`, `info`, `debug`, `trace`), by
/// default `info`. With `log=off` the console is left to the app ([`Platform::console`]). With `logger=auto` or `logger=DOMAIN` also to the machine's logger, or to
/// the one in that domain; up to `logger-level=LEVEL`, by default `info`, or what the console has if that is more.
pub(crate) fn start<P: Platform>(platform: &P, tasks: &Handle, command_line: &CommandLine) -> Log {
    let level = command_line.parse("log", LevelFilter::Info);
    let shown = *level.as_ref().unwrap_or(&LevelFilter::Info);
    let sent = command_line.parse("logger-level", shown.max(LevelFilter::Info));
    let to = command_line.parse("logger", To(None));
    let console = (shown != LevelFilter::Off)
        .then(|| console(platform, tasks))
        .flatten();
    let logger = to.as_ref().ok().and_then(|to| to.0);
    let logger = logger.map(|to| (Forwarder::new(DEFAULT_QUEUE), to));
    let forward = logger.as_ref().map(|(forwarder, _)| Forward {
        forwarder: forwarder.clone(),
        level: *sent.as_ref().unwrap_or(&LevelFilter::Info),
    });
    if console.is_some() || forward.is_some() {
        let shown = console.clone().map(|output| Logger::new(output, shown));
        global::set_logger(shown, forward, platform.clone());
    }
    for error in [level.err(), sent.err(), to.err()].into_iter().flatten() {
        log::warn!("{error}; it counts as not said");
    }
    Log { console, logger }
}

fn console<P: Platform>(platform: &P, tasks: &Handle) -> Option<Output> {
    let console = Rc::new(platform.console()?);
    let output = Output::new(DEFAULT_CAPACITY, global::LINE_END);
    let driver = output.clone();
    tasks
        .spawn(async move { driver.drive(console).await })
        .ok()?;
    Some(output)
}

impl Log {
    /// Begins to send records to the logger, now that there is a way to find it.
    pub(crate) fn connect<P: Platform>(&self, platform: &P, client: &Client, tasks: &Handle) {
        let Some((forwarder, to)) = self.logger.clone() else {
            return;
        };
        let (platform, client, timers) = (platform.clone(), client.clone(), tasks.timers());
        let driver = async move {
            let Err(error) = forwarder.drive(&platform, &client, &timers, to).await;
            log::warn!("no more records go to the logger: {error}");
        };
        if let Err(error) = tasks.spawn(driver) {
            log::warn!("no records go to the logger: {error}");
        }
    }

    /// Waits until all is where it is to go, but not for ever. What is logged later may go nowhere.
    pub(crate) async fn end(self, timers: &Timers) {
        if let Some((forwarder, _)) = &self.logger {
            let kept = timers.timeout(LAST_RECORDS, forwarder.flush()).await;
            if kept.is_err() {
                log::debug!("the logger has not said that it keeps the last records");
            }
        }
        if let Some(console) = &self.console {
            // If the console has ended there is nowhere left to say so.
            let _ = console.flush().await;
        }
        global::let_go();
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
