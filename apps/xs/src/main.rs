//! A command line tool for xenstore. Its README tells what it does; `xs --help` has examples.

#![forbid(unsafe_code)]

mod base64;
mod cli;
mod commands;
mod dump;
mod escape;
mod failure;
mod json;
mod natural;
mod output;
mod paint;
mod path;
mod permissions;
mod picture;
mod session;
mod walk;
mod watching;
mod words;

use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

use cli::Cli;
use failure::Failure;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) if asked_for(&error) => {
            // Nobody is left to be told if that fails.
            let _ = error.print();
            return ExitCode::SUCCESS;
        }
        Err(error) => return finish(Err(Failure::Usage(cli::complaint(&error)))),
    };
    finish(session::run(cli))
}

/// Whether it is no error: `--help` and `--version`.
fn asked_for(error: &clap::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    )
}

/// Tells what went wrong, in one line.
fn finish(result: Result<(), Failure>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.tell();
            ExitCode::from(failure.status())
        }
    }
}
