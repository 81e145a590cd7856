//! The command line tool. Its README tells what it does; `morgana --help` has examples.

#![forbid(unsafe_code)]

mod ask;
mod cli;
mod console;
mod daemon;
mod domains;
mod failure;
mod find;
mod json;
mod log;
mod logger;
mod session;
mod signals;
mod time;

use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

use cli::Cli;
use failure::Failure;

fn main() -> ExitCode {
    let done = match Cli::try_parse() {
        Ok(cli) => session::run(cli),
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
            failure.tell();
            ExitCode::from(failure.status())
        }
    }
}
