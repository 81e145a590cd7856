//! This domain's ways to xenstored and to other domains, and a command that runs with them.

use morgana_exec::{Executor, Handle, Timers};
use morgana_hal::DomId;
use morgana_linux::{HasReactor, Linux, LinuxClock, LinuxXenstore};
use morgana_xenstore_client::{Client, Config};

use crate::cli::{Cli, Task};
use crate::failure::Failure;
use crate::signals::Interrupts;
use crate::{ask, daemon, domains, find, log, logger};

/// Watches that may be set at once: the daemon has one for each domain's name. xenstored sets dom0 no limit.
const MAX_WATCHES: usize = 4096;

/// What commands work with.
pub(crate) struct Session {
    pub(crate) platform: Linux,
    pub(crate) client: Client,
    pub(crate) timers: Timers,
    pub(crate) interrupts: Interrupts,
    pub(crate) tasks: Handle,
}

impl Session {
    /// The logger: the one that was asked for, or the machine's.
    pub(crate) async fn logger(&self, called: Option<&str>) -> Result<DomId, Failure> {
        if let Some(called) = called {
            return find::domain(&self.client, called).await;
        }
        let logger = morgana_logs::logger(&self.client)
            .await
            .map_err(Failure::of)?;
        logger.ok_or_else(|| {
            Failure::Failed(
                "the machine has no logger: start one, and say `morgana logger DOMAIN` in dom0"
                    .to_owned(),
            )
        })
    }
}

/// Does what the command line asks for.
pub(crate) fn run(cli: Cli) -> Result<(), Failure> {
    if let Task::Ask(arguments) = &cli.task {
        return ask::run(arguments);
    }
    if let Task::Convert(arguments) = &cli.task {
        return domains::convert(arguments);
    }
    let (platform, mut idle) = Linux::open().map_err(Failure::of)?;
    let mut executor = Executor::new();
    let tasks = executor.handle();
    // The socket, where there is one, takes several requests at a time, which the kernel's device does not.
    let stream = LinuxXenstore::connect(platform.reactor()).map_err(Failure::of)?;
    let config = Config {
        watches: MAX_WATCHES,
        ..Config::default()
    };
    let session = Session {
        client: Client::with_config(stream, &tasks, config).map_err(Failure::of)?,
        timers: tasks.timers(),
        interrupts: Interrupts::new(&platform).map_err(Failure::of)?,
        platform,
        tasks,
    };
    let done = async move {
        match cli.task {
            Task::Log(arguments) => log::run(&session, arguments).await,
            Task::Logger(arguments) => logger::run(&session, arguments).await,
            // Done already: it needs none of this.
            Task::Ask(_) | Task::Convert(_) => Ok(()),
            Task::Daemon(arguments) => daemon::run(session, arguments).await,
            Task::Domains(task) => domains::run(&session, task).await,
        }
    };
    executor.block_on(done, &mut idle, &LinuxClock)
}
