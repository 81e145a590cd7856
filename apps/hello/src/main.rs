//! The smallest app: it says hello, sleeps, and ends.
//!
//! Arguments on the domain's command line: `seconds=N` says how long it sleeps (1 by default).

#![cfg_attr(target_os = "none", no_std, no_main)]
#![forbid(unsafe_code)]

use core::time::Duration;

use morgana::{BadArgument, Domain, Platform, log};

morgana::main!(hello);

async fn hello<P: Platform>(domain: Domain<P>) -> Result<(), BadArgument> {
    let seconds = domain.command_line().parse("seconds", 1)?;
    log::info!("Hello from a domain of its own!");
    domain.timers().sleep(Duration::from_secs(seconds)).await;
    log::info!("Goodbye after {} ms.", domain.uptime().as_millis());
    Ok(())
}
