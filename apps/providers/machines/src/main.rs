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

use clap::Parser;
use clap::error::ErrorKind;

use cli::Cli;
use failure::Failure;

fn main() -> ExitCode {
    let done = match Cli::try_parse() {
        Ok(cli) => commands::run(&cli),
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
            ) =>
        {
            // Nobody is left to be told if that fails.
            let _ = error.print();
            Ok(())
        }
        Err(error) => Err(Failure::Usage(cli::complaint(&error))),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("morgana-machines: {failure}");
            ExitCode::from(failure.status())
        }
    }
}
