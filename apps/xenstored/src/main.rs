//! The xenstore daemon for Linux: the program. Its README tells the options.

#![forbid(unsafe_code)]

mod arguments;
mod background;
mod daemon;
mod files;
mod host;
mod logfile;
mod logging;
mod pidfile;
mod socket;
mod timestamp;
mod xen;

use std::error::Error;
use std::process::ExitCode;

use arguments::{Arguments, Options};
use background::Role;

/// For arguments that make no sense.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let options = match Arguments::parse(std::env::args().skip(1)) {
        Ok(Arguments::Help) => {
            print!("{}", arguments::USAGE);
            return ExitCode::SUCCESS;
        }
        Ok(Arguments::Run(options)) => options,
        Err(error) => {
            eprintln!("xenstored: {error} (try --help)");
            return ExitCode::from(USAGE);
        }
    };
    match run(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log::error!("{error}");
            eprintln!("xenstored: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: Options) -> Result<(), Box<dyn Error>> {
    match background::role(options.fork) {
        Role::Starter => background::start_daemon(),
        Role::Daemon(ready) => {
            logging::start(options.log_file.as_deref(), ready)?;
            daemon::run(&options, ready)
        }
    }
}
