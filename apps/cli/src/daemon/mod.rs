//! `morgana daemon`: this machine's domains for other programs, over a socket.
//!
//! It has no state that would be lost with it: domains, and those that are built ahead, are in xenstore.

mod kept;
mod recipes;
mod request;
mod service;
mod socket;

use std::io::{self, Write};
use std::rc::Rc;

use morgana_exec::{Either, select};
use morgana_linux::HasReactor;

use crate::cli::Daemon;
use crate::failure::Failure;
use crate::session::Session;
use service::Service;

/// Serves until Ctrl-C or SIGTERM.
pub(crate) async fn run(session: Session, arguments: Daemon) -> Result<(), Failure> {
    let path = &arguments.socket;
    let wrong = |error: io::Error| Failure::Failed(format!("{}: {error}", path.display()));
    let tasks = session.tasks.clone();
    let reactor = session.platform.reactor().clone();
    let listener = socket::listen(path, &reactor).map_err(wrong)?;
    let service = Rc::new(Service::new(session)?);
    for (count, config) in &arguments.keep {
        service.keep(config, *count)?;
    }
    let replenish = Rc::clone(&service);
    let started = tasks.spawn(async move { replenish.replenish().await });
    let _replenishing = started.map_err(Failure::of)?;
    writeln!(io::stdout(), "listening at {}", path.display())?;
    let accept = socket::accept(&service, listener, &reactor, &tasks);
    let ended = select(accept, service.session().interrupts.next()).await;
    // The next daemon would find it of no use.
    let _ = std::fs::remove_file(path);
    match ended {
        Either::First(never) => match never {},
        Either::Second(()) => Ok(()),
    }
}
