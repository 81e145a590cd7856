//! The smallest app: it says hello, sleeps, and ends.
//!
//! An app is one async function. It is given its [`Domain`], which is all that it has of the world, and when it returns the domain
//! ends. [`morgana::main!`] makes it a program: a kernel that Xen boots, if it is built for Xen, and a Linux program otherwise. The function
//! doesn't know which: `P` is whatever platform the program was built for.
//!
//! The first two lines are the same in every app. On Xen there is no standard library and no `main` that an operating system
//! would call; on Linux there are both.

#![cfg_attr(target_os = "none", no_std, no_main)]
#![forbid(unsafe_code)]

use core::time::Duration;

use morgana::{BadArgument, Domain, Platform, log};

morgana::main!(hello);

/// Prints, sleeps for as many seconds as `seconds=` on the command line says (1, if it says nothing), prints, and ends.
///
/// An error that is returned is logged, and the domain ends with the crash code.
async fn hello<P: Platform>(domain: Domain<P>) -> Result<(), BadArgument> {
    let seconds = domain.command_line().parse("seconds", 1)?;
    log::info!("Hello from a domain of its own!");
    domain.timers().sleep(Duration::from_secs(seconds)).await;
    log::info!("Goodbye after {} ms.", domain.uptime().as_millis());
    Ok(())
}
