//! A connection to xenstored, and a command that runs over it.

use std::time::Duration;

use morgana_exec::{Executor, Timers};
use morgana_linux::{HasReactor, LinuxClock, LinuxXenstore, Reactor, ReactorIdle};
use morgana_xenstore_client::{Client, Config};

use crate::cli::{Cli, Common};
use crate::commands::{self, Command};
use crate::failure::Failure;
use crate::output::{self, Output};
use crate::paint::Paint;

/// The longest list of children that is read: several million of them.
const CHILDREN_BYTES: usize = 64 << 20;
/// Changed paths that wait to be shown.
const QUEUED_EVENTS: usize = 1024;
/// How long to wait for an answer, if nothing is said.
const PATIENCE: Duration = Duration::from_secs(30);

/// What commands work with.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) client: Client,
    pub(crate) timers: Timers,
    /// `--timeout`.
    pub(crate) timeout: Option<Duration>,
    pub(crate) out: Output,
    reactor: Reactor,
}

impl Session {
    /// Ready once nobody is left who reads standard output: commands that wait end then, without a word.
    pub(crate) fn reader_gone(&self) -> impl Future<Output = ()> + use<> {
        output::reader_gone(&self.reactor)
    }
}

/// Does what the command line asks for.
pub(crate) fn run(cli: Cli) -> Result<(), Failure> {
    // What can be refused without asking anybody is refused first.
    let command = Command::check(cli.task)?;
    let failed = |error: std::io::Error| Failure::Other(format!("no epoll instance: {error}"));
    let mut idle = ReactorIdle::new().map_err(failed)?;
    let stream = connect(&cli.common, idle.reactor())?;
    let mut executor = Executor::new();
    let handle = executor.handle();
    let config = Config {
        request_timeout: cli.common.timeout.unwrap_or(PATIENCE),
        children_bytes: CHILDREN_BYTES,
        queued_events: QUEUED_EVENTS,
        ..Config::default()
    };
    let client = Client::with_config(stream, &handle, config)
        .map_err(|error| Failure::Other(error.to_string()))?;
    let mut session = Session {
        client,
        timers: handle.timers(),
        timeout: cli.common.timeout,
        out: Output::new(Paint::choose(cli.common.color)),
        reactor: idle.reactor().clone(),
    };
    let done = async move {
        let done = commands::run(command, &mut session).await;
        // What was found before a failure is shown all the same.
        let flushed = session.out.flush();
        done.and(flushed)
    };
    executor.block_on(done, &mut idle, &LinuxClock)
}

fn connect(common: &Common, reactor: &Reactor) -> Result<LinuxXenstore, Failure> {
    match &common.socket {
        Some(path) => LinuxXenstore::connect_to(path, reactor),
        None => LinuxXenstore::connect(reactor),
    }
    .map_err(Failure::Connect)
}
