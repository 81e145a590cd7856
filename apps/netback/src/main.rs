//! The back end of other domains' network interfaces: the program. As a unikernel it is a driver domain with a switch; as a Linux program
//! (`--xen`) it takes the place of xen-netback, with a tap device for each interface.
//!
//! Arguments on the domain's command line: `sources=any` lets guests send from any Ethernet address (`own`, by default: from their own only),
//! `report=SECONDS` says how often the counters are logged (60 by default; 0: never), and those of every app's log. On Linux
//! `cables=switch` makes it a switch there too.

#![cfg_attr(target_os = "none", no_std, no_main)]
#![forbid(unsafe_code)]

extern crate alloc;

mod arguments;
mod report;
mod switch;
#[cfg(not(target_os = "none"))]
mod taps;

use alloc::boxed::Box;

use morgana::{Domain, Platform};

use arguments::Arguments;

morgana::main!(serve);

/// Whatever goes wrong at the start, for the log.
type StartError = Box<dyn core::error::Error>;

/// A driver domain.
#[cfg(target_os = "none")]
async fn serve<P: Platform>(domain: Domain<P>) -> Result<(), StartError> {
    let arguments = Arguments::parse(domain.command_line())?;
    switch::run(&domain, arguments).await
}

/// A process of a Linux domain.
#[cfg(not(target_os = "none"))]
async fn serve<P: Platform + morgana_reactor::HasReactor>(
    domain: Domain<P>,
) -> Result<(), StartError> {
    use arguments::Cables;

    let arguments = Arguments::parse(domain.command_line())?;
    match Cables::parse(domain.command_line())? {
        Cables::Taps => taps::run(&domain, arguments).await,
        Cables::Switch => switch::run(&domain, arguments).await,
    }
}
