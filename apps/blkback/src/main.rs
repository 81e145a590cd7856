//! A driver domain for disks: the program.
//!
//! Arguments on the domain's command line: `size=MIB` is the size of each disk in memory (64), `limit=N` how many disks are served at once (24),
//! `persistent=N` how many pages of a guest stay mapped for each (512; in a Linux process 0), and those of every app's log.

#![cfg_attr(target_os = "none", no_std, no_main)]
#![forbid(unsafe_code)]

extern crate alloc;

mod disk;
mod host;
mod open;
mod serve;

use alloc::boxed::Box;

use morgana::Domain;

use host::Host;

morgana::main!(run);

/// Whatever goes wrong at the start, for the log.
type StartError = Box<dyn core::error::Error>;

async fn run<P: Host>(domain: Domain<P>) -> Result<(), StartError> {
    serve::run(&domain).await
}
