//! The commands, one file each.

mod chmod;
mod domains;
mod dump;
mod exists;
mod load;
mod ls;
mod mkdir;
mod read;
mod rm;
mod view;
mod wait;
mod watch;
mod write;

use crate::cli::Task;
use crate::failure::Failure;
use crate::session::Session;

/// A command whose arguments make sense.
#[derive(Debug)]
pub(crate) enum Command {
    Ls(ls::Ls),
    Read(read::Read),
    Write(write::Write),
    Rm(rm::Rm),
    Mkdir(mkdir::Mkdir),
    Exists(exists::Exists),
    Watch(watch::Watch),
    View(view::View),
    Wait(wait::Wait),
    Chmod(chmod::Chmod),
    Dump(dump::Dump),
    Load(load::Load),
    Domains,
}

impl Command {
    /// Checks the arguments, as far as that is possible without asking anybody.
    pub(crate) fn check(task: Task) -> Result<Self, Failure> {
        Ok(match task {
            Task::Ls(arguments) => Self::Ls(ls::Ls::check(arguments)?),
            Task::Read(arguments) => Self::Read(read::Read::check(arguments)?),
            Task::Write(arguments) => Self::Write(write::Write::check(arguments)?),
            Task::Rm(arguments) => Self::Rm(rm::Rm::check(arguments)?),
            Task::Mkdir(arguments) => Self::Mkdir(mkdir::Mkdir::check(arguments)?),
            Task::Exists(arguments) => Self::Exists(exists::Exists::check(arguments)?),
            Task::Watch(arguments) => Self::Watch(watch::Watch::check(arguments)?),
            Task::View(arguments) => Self::View(view::View::check(arguments)?),
            Task::Wait(arguments) => Self::Wait(wait::Wait::check(arguments)?),
            Task::Chmod(arguments) => Self::Chmod(chmod::Chmod::check(arguments)?),
            Task::Dump(arguments) => Self::Dump(dump::Dump::check(arguments)?),
            Task::Load(arguments) => Self::Load(load::Load::check(arguments)?),
            Task::Domains => Self::Domains,
        })
    }
}

/// Runs it.
pub(crate) async fn run(command: Command, session: &mut Session) -> Result<(), Failure> {
    match command {
        Command::Ls(command) => command.run(session).await,
        Command::Read(command) => command.run(session).await,
        Command::Write(command) => command.run(session).await,
        Command::Rm(command) => command.run(session).await,
        Command::Mkdir(command) => command.run(session).await,
        Command::Exists(command) => command.run(session).await,
        Command::Watch(command) => command.run(session).await,
        Command::View(command) => command.run(session).await,
        Command::Wait(command) => command.run(session).await,
        Command::Chmod(command) => command.run(session).await,
        Command::Dump(command) => command.run(session).await,
        Command::Load(command) => command.run(session).await,
        Command::Domains => domains::run(session).await,
    }
}
