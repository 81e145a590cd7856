//! The log: `log`'s macros, through a buffer to the domain's console, and through a queue to the machine's logger.

use alloc::rc::Rc;

use log::LevelFilter;
use morgana_console::{DEFAULT_CAPACITY, Logger, Output};
use morgana_exec::{Handle, Timers};
use morgana_hal::Platform;
use morgana_xenstore_client::Client;

use crate::CommandLine;
use crate::forward::Forward;
use crate::global;

/// Where log records go.
#[derive(Clone)]
pub(crate) struct Log {
    console: Option<Output>,
    logger: Option<Forward>,
}

/// Starts to log: to the platform's console, records up to the level `log=LEVEL` of the command line (`off`, `error`, `warn`, `info`, `debug`, `trace`), by
/// default `info`. With `log=off` the console is left to the app ([`Platform::console`]). With `logger=auto` or `logger=DOMAIN` also to the machine's logger, or to
/// the one in that domain; up to `logger-level=LEVEL`, by default `info`, or what the console has if that is more.
pub(crate) fn start<P: Platform>(platform: &P, tasks: &Handle, command_line: &CommandLine) -> Log {
    let level = command_line.parse("log", LevelFilter::Info);
    let shown = *level.as_ref().unwrap_or(&LevelFilter::Info);
    let console = (shown != LevelFilter::Off)
        .then(|| console(platform, tasks))
        .flatten();
    let (logger, nonsense) = Forward::new(command_line, shown.max(LevelFilter::Info));
    if console.is_some() || logger.is_some() {
        let shown = console.clone().map(|output| Logger::new(output, shown));
        global::set_logger(shown, logger.clone(), platform.clone());
    }
    for error in level.err().into_iter().chain(nonsense) {
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
        if let Some(logger) = &self.logger {
            logger.connect(platform, client, tasks);
        }
    }

    /// Waits until all is where it is to go, but not for ever. What is logged later may go nowhere.
    pub(crate) async fn end(self, timers: &Timers) {
        if let Some(logger) = &self.logger {
            logger.end(timers).await;
        }
        if let Some(console) = &self.console {
            // If the console has ended there is nowhere left to say so.
            let _ = console.flush().await;
        }
        global::let_go();
    }
}
