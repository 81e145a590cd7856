//! The log: `log`'s macros, through a buffer, to the domain's console.

use alloc::rc::Rc;

use log::LevelFilter;
use morgana_console::{DEFAULT_CAPACITY, Logger, Output};
use morgana_exec::Handle;
use morgana_hal::Platform;

use crate::{CommandLine, global};

/// Starts to log to the platform's console: records up to the level `log=LEVEL` of the command line (`off`, `error`, `warn`, `info`,
/// `debug`, `trace`), by default `info`. `None` where there is no console. With `log=off` the console is left to the app
/// ([`Platform::console`]).
pub(crate) fn start<P: Platform>(
    platform: &P,
    tasks: &Handle,
    command_line: &CommandLine,
) -> Option<Output> {
    let level = command_line.parse("log", LevelFilter::Info);
    if level == Ok(LevelFilter::Off) {
        return None;
    }
    let console = Rc::new(platform.console()?);
    let output = Output::new(DEFAULT_CAPACITY, global::LINE_END);
    let driver = output.clone();
    tasks
        .spawn(async move { driver.drive(console).await })
        .ok()?;
    let logger = Logger::new(
        output.clone(),
        *level.as_ref().unwrap_or(&LevelFilter::Info),
    );
    log::set_max_level(logger.level());
    global::set_logger(logger, platform.clone());
    if let Err(error) = level {
        log::warn!("{error}; logging up to info");
    }
    Some(output)
}
