//! Domains of this machine: making, listing and ending them.

mod create;
mod list;
mod outlets;
mod wanted;

use morgana_hal::{DomId, Platform};
use morgana_linux::LinuxToolstack;
use morgana_toolstack::{Host, Names, Uuid};

pub(crate) use create::convert;
pub(crate) use list::{Figures, ending};
use outlets::Machine;
pub(crate) use wanted::{Base, Understood, Wanted};

use crate::cli::{Domain, Domains};
use crate::console;
use crate::failure::Failure;
use crate::session::Session;

/// The domains of this machine.
pub(crate) type Here = Host<LinuxToolstack, Machine>;

/// Does what the command line asks for.
pub(crate) async fn run(session: &Session, task: Domains) -> Result<(), Failure> {
    let host = here(session, Names::unwatched())?;
    match task {
        Domains::Create(arguments) => create::run(session, &host, arguments).await,
        Domains::Prepare(arguments) => create::prepare(session, &host, arguments).await,
        Domains::List(arguments) => list::run(&host, arguments).await,
        Domains::Stats(arguments) => list::stats(&host, arguments).await,
        Domains::Console(arguments) => {
            let domain = find(&host, &arguments.whose).await?;
            console::attach(session, &host, domain).await
        }
        Domains::Pause(whose) => host.pause(find(&host, &whose).await?).map_err(Failure::of),
        Domains::Unpause(whose) => host
            .unpause(find(&host, &whose).await?)
            .map_err(Failure::of),
        Domains::Destroy(whose) => {
            let domain = find(&host, &whose).await?;
            host.destroy(domain).await.map_err(Failure::of)
        }
        Domains::Shutdown(arguments) => {
            let domain = find(&host, &arguments.whose).await?;
            let how = if arguments.reboot {
                "reboot"
            } else {
                "poweroff"
            };
            host.shut_down(domain, how).await.map_err(Failure::of)?;
            if arguments.wait {
                host.ended(domain).await.map_err(Failure::of)?;
            }
            Ok(())
        }
    }
}

/// The way to this machine's domains.
pub(crate) fn here(session: &Session, names: Names) -> Result<Here, Failure> {
    Ok(Host {
        toolstack: LinuxToolstack::open().map_err(Failure::of)?,
        outlets: Machine,
        client: session.client.clone(),
        timers: session.timers.clone(),
        names,
    })
}

/// A new domain's.
pub(crate) fn uuid(session: &Session) -> Uuid {
    let mut random = [0; 16];
    session.platform.entropy(&mut random);
    Uuid::from_random(random)
}

async fn find(host: &Here, whose: &Domain) -> Result<DomId, Failure> {
    let found = host.find(&whose.domain).await;
    found.map_err(|error| {
        let called = morgana_logs::record::Harmless(&whose.domain);
        Failure::Failed(format!("{called}: {error}"))
    })
}
