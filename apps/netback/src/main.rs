//! A driver domain for network interfaces: the program.
//!
//! Arguments on the domain's command line: `sources=any` lets guests send from any Ethernet address (`own`, by default: from their own only),
//! `report=SECONDS` says how often the counters are logged (60 by default; 0: never), and those of every app's log.

#![cfg_attr(target_os = "none", no_std, no_main)]
#![forbid(unsafe_code)]

extern crate alloc;

mod arguments;
mod report;
mod switch;

use alloc::boxed::Box;

use morgana::{Domain, Platform};

morgana::main!(serve);

/// Whatever goes wrong at the start, for the log.
type StartError = Box<dyn core::error::Error>;

async fn serve<P: Platform>(domain: Domain<P>) -> Result<(), StartError> {
    let arguments = arguments::Arguments::parse(domain.command_line())?;
    switch::run(&domain, arguments).await
}
