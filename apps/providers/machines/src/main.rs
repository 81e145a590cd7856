//! Makes, lists and ends machines of any provider. The README tells more; `morgana-machines --help` has examples.

#![forbid(unsafe_code)]

mod cli;
mod commands;
#[cfg(feature = "ec2")]
mod ec2;
mod failure;
#[cfg(feature = "libvirt")]
mod libvirt;
mod open;
mod run;

use std::process::ExitCode;

fn main() -> ExitCode {
    morgana_command::start(|cli| commands::run(&cli))
}
