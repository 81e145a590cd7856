//! From a bare platform to a running application, and to its end.

use core::future::{Future, pending};

use morgana_exec::{Either, Handle, Timers, select};
use morgana_hal::{Exit, Platform};
use morgana_xenstore_client::Client;

use crate::{CommandLine, Domain, Outcome, logging, power};

/// Runs an application in the domain `platform` until it returns, or the toolstack wants the domain to end. In the latter case
/// the application's future is dropped where it is.
pub async fn run<P, A, F>(platform: P, tasks: Handle, command_line: &str, app: A) -> Exit
where
    P: Platform,
    A: FnOnce(Domain<P>) -> F,
    F: Future,
    F::Output: Outcome,
{
    let command_line = CommandLine::new(command_line);
    let log = logging::start(&platform, &tasks, &command_line);
    let xenstore = match platform
        .xenstore()
        .map(|stream| Client::start(stream, &tasks))
    {
        Some(Ok(client)) => Some(client),
        Some(Err(error)) => {
            log::error!("no connection to xenstored: {error}");
            None
        }
        None => None,
    };
    let wish = wish(xenstore.clone(), tasks.timers());
    let domain = Domain::new(platform, tasks, command_line, xenstore);
    let exit = match select(app(domain), wish).await {
        Either::First(outcome) => outcome.exit(),
        Either::Second(exit) => exit,
    };
    if let Some(log) = log {
        // If the console has ended there is nowhere left to say so.
        let _ = log.flush().await;
    }
    exit
}

/// What the toolstack wants; never ready if it cannot tell.
async fn wish(xenstore: Option<Client>, timers: Timers) -> Exit {
    let Some(client) = xenstore else {
        return pending().await;
    };
    match power::requested(&client, &timers).await {
        Ok(exit) => {
            log::info!("the toolstack asks for {exit:?}");
            exit
        }
        Err(error) => {
            log::error!("the toolstack can no longer shut this domain down: {error}");
            pending().await
        }
    }
}
