//! Domains of this machine: making, listing and ending them.

mod create;
mod list;
mod outlets;

use morgana_hal::DomId;
use morgana_linux::LinuxToolstack;
use morgana_toolstack::Host;

use outlets::Machine;

use crate::cli::{Domain, Domains};
use crate::failure::Failure;
use crate::session::Session;

/// The domains of this machine.
type Here = Host<LinuxToolstack, Machine>;

/// Does what the command line asks for.
pub(crate) async fn run(session: &Session, task: Domains) -> Result<(), Failure> {
    let host = Host {
        toolstack: LinuxToolstack::open().map_err(Failure::of)?,
        outlets: Machine,
        client: session.client.clone(),
        timers: session.timers.clone(),
    };
    match task {
        Domains::Create(arguments) => create::run(session, &host, arguments).await,
        Domains::Prepare(arguments) => create::prepare(session, &host, arguments).await,
        Domains::List(arguments) => list::run(&host, arguments).await,
        Domains::Stats(arguments) => list::stats(&host, arguments).await,
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

async fn find(host: &Here, whose: &Domain) -> Result<DomId, Failure> {
    let found = host.find(&whose.domain).await;
    found.map_err(|error| {
        let called = morgana_logs::record::Harmless(&whose.domain);
        Failure::Failed(format!("{called}: {error}"))
    })
}
