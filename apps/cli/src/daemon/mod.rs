//! `morgana daemon`: this machine's domains for other programs, over a Unix socket and over the network; and services, which are kept running.
//!
//! It has no state that would be lost with it: domains, and those that are built ahead, are in xenstore; what it was asked to keep is in a file.

mod backoff;
mod guests;
mod keeper;
#[cfg(test)]
mod keeper_tests;
mod keeping;
mod kept;
mod making;
mod network;
mod problem;
mod recipes;
mod request;
#[cfg(test)]
mod scratch;
mod service;
mod services;
mod socket;
mod state;
mod token;

use std::io::{self, Write};
use std::rc::Rc;

use morgana_exec::{Either, select};
use morgana_linux::HasReactor;

use crate::cli::Daemon;
use crate::failure::Failure;
use crate::session::Session;
use network::Network;
use service::Service;
use state::StateFile;

/// Serves until Ctrl-C or SIGTERM.
pub(crate) async fn run(session: Session, arguments: Daemon) -> Result<(), Failure> {
    let path = &arguments.socket;
    let wrong = |error: io::Error| Failure::Failed(format!("{}: {error}", path.display()));
    let tasks = session.tasks.clone();
    let reactor = session.platform.reactor().clone();
    let listener = morgana_daemon::listen(path, &reactor).map_err(wrong)?;
    let network = Network::listen(&arguments.network, &tasks, &reactor).map_err(Failure::Failed)?;
    let service = Rc::new(Service::new(session, StateFile::at(arguments.state))?);
    service.end_unfinished().await;
    service.begin_all().map_err(Failure::of)?;
    for (count, config) in &arguments.keep {
        service.keep(config, *count).map_err(Failure::of)?;
    }
    for config in arguments.run {
        let run = service.run(config, None, String::new());
        run.map_err(Failure::of)?;
    }
    let replenish = Rc::clone(&service);
    let started = tasks.spawn(async move { replenish.replenish().await });
    let _replenishing = started.map_err(Failure::of)?;
    writeln!(io::stdout(), "listening at {}", path.display())?;
    if let Some(network) = network {
        writeln!(io::stdout(), "listening at http://{}/", network.address()?)?;
        let serving = tasks.spawn(network.accept(Rc::clone(&service)));
        serving.map_err(Failure::of)?;
    }
    let accept = socket::accept(&service, listener, &reactor, &tasks);
    let ended = select(accept, service.session.interrupts.next()).await;
    // The next daemon would find it of no use.
    let _ = std::fs::remove_file(path);
    match ended {
        Either::First(never) => match never {},
        Either::Second(()) => Ok(()),
    }
}
