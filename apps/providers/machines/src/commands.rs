//! What is done.

use std::io::{self, Write};

use morgana_providers::{Error, Machine, MachineId, Provider};
use serde::Serialize;

use crate::cli::{Cli, Task};
use crate::failure::Failure;
use crate::open::open;
use crate::run;

/// Does what the command line asks for.
pub(crate) fn run(cli: &Cli) -> Result<(), Failure> {
    let mut provider = open(cli)?;
    let provider = provider.as_mut();
    match &cli.task {
        Task::Create(create) => print(&provider.create(&create.launch())?),
        Task::Run(create) => run::run(provider, &create.launch()),
        Task::List => provider.list()?.iter().try_for_each(print),
        Task::Stats(which) => {
            let id = which_one(provider, &which.machine)?;
            print(&provider.stats(&id)?)
        }
        Task::Pause(which) => act(provider, &which.machine, Provider::pause),
        Task::Unpause(which) => act(provider, &which.machine, Provider::unpause),
        Task::Shutdown(which) => act(provider, &which.machine, Provider::shutdown),
        Task::Destroy(which) => act(provider, &which.machine, Provider::destroy),
        Task::Console(which) => {
            let id = which_one(provider, &which.machine)?;
            let text = provider.console(&id)?;
            Ok(io::stdout().write_all(&text)?)
        }
    }
}

fn act(
    provider: &mut (dyn Provider + 'static),
    called: &str,
    what: impl FnOnce(&mut (dyn Provider + 'static), &MachineId) -> Result<(), Error>,
) -> Result<(), Failure> {
    let id = which_one(provider, called)?;
    Ok(what(provider, &id)?)
}

/// The machine of this id, or of this name.
fn which_one(provider: &mut (dyn Provider + 'static), called: &str) -> Result<MachineId, Error> {
    let all = provider.list()?;
    let by_id = all
        .into_iter()
        .find(|machine: &Machine| machine.id.as_str() == called);
    match by_id {
        Some(machine) => Ok(machine.id),
        None => Ok(provider.find(called)?.id),
    }
}

fn print(what: &impl Serialize) -> Result<(), Failure> {
    let line = serde_json::to_string(what).map_err(io::Error::from)?;
    Ok(writeln!(io::stdout(), "{line}")?)
}
