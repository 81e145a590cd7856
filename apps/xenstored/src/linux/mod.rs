//! The daemon for Linux.

mod daemon;
mod files;
mod host;
mod journal;
mod machine;
mod slots;
mod socket;
mod sockets;
mod takeover;
mod update;
mod xen;

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use morgana_daemon::{Ready, Role, logging, role_in_background, start_daemon};

use crate::arguments::{self, Arguments, Fork, Options, Output, Start};

/// For arguments that make no sense, and for a journal that cannot be used: the next start would end in the same way (xenstored.service).
const HOPELESS: u8 = 2;

/// Runs until the daemon serves in the background, or to its end.
pub(crate) fn main() -> ExitCode {
    let options = match Arguments::parse(std::env::args().skip(1)) {
        Ok(Arguments::Run(Options { event: Some(_), .. })) => {
            eprintln!("xenstored: --event is for a stub-domain, which a Linux program is not");
            return ExitCode::from(HOPELESS);
        }
        Ok(Arguments::Help) => {
            print!("{}", arguments::USAGE);
            return ExitCode::SUCCESS;
        }
        Ok(Arguments::Run(options)) if options.start == Start::Check => {
            return check_state(&options);
        }
        Ok(Arguments::Run(options)) => options,
        Err(error) => {
            eprintln!("xenstored: {error} (try --help)");
            return ExitCode::from(HOPELESS);
        }
    };
    match run(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log::error!("{error}");
            eprintln!("xenstored: {error}");
            match error.is::<daemon::Unusable>() {
                true => ExitCode::from(HOPELESS),
                false => ExitCode::FAILURE,
            }
        }
    }
}

/// Says whether the state at standard input could be gone on with.
fn check_state(options: &Options) -> ExitCode {
    let state = rustix::io::dup(rustix::stdio::stdin()).map_err(Into::into);
    match state.and_then(|state| takeover::read(state.into(), options.quota)) {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: Options) -> Result<(), Box<dyn Error>> {
    let role = match options.fork {
        // It is in the background already.
        Fork::Background if options.start == Start::TakeOver => Role::Daemon(Ready::Starter),
        Fork::Background => role_in_background(),
        Fork::Foreground => Role::Daemon(Ready::Nobody),
    };
    match role {
        Role::Starter => {
            let id = start_daemon()?;
            if options.output == Output::ProcessId {
                println!("{id}");
            }
            Ok(())
        }
        Role::Daemon(ready) => {
            logging::start(
                "xenstored",
                options.log_file.as_deref().map(Path::new),
                ready,
            )?;
            daemon::run(&options, ready)
        }
    }
}
