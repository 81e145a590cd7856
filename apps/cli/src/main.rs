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

fn main() -> ExitCode {
    morgana_command::start(session::run)
}
