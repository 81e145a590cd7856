//! The daemon for Linux, and the helper of a stub-domain.

mod arguments;
mod daemon;
mod helper;
mod host;
mod hypervisor;
mod logs;
mod search;
mod terminal;

use std::error::Error;
use std::process::ExitCode;

use morgana_daemon::{Ready, Role, logging, role_in_background, start_daemon};

use arguments::{Arguments, Fork, Settings};

/// For arguments that make no sense.
const USAGE: u8 = 2;

/// Runs until the daemon serves in the background, or to its end.
pub(crate) fn main() -> ExitCode {
    let mut words = std::env::args().skip(1).peekable();
    if words.next_if(|word| word == search::COMMAND).is_some() {
        return search::main(words);
    }
    let settings = match Arguments::parse(words) {
        Ok(Arguments::Help) => {
            print!("{}", arguments::USAGE);
            return ExitCode::SUCCESS;
        }
        Ok(Arguments::Version) => {
            println!("xenconsoled of Morgana {}", env!("CARGO_PKG_VERSION"));
            return ExitCode::SUCCESS;
        }
        Ok(Arguments::Run(settings)) => settings,
        Err(error) => {
            eprintln!("xenconsoled: {error} (try --help)");
            return ExitCode::from(USAGE);
        }
    };
    match run(&settings) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log::error!("{error}");
            eprintln!("xenconsoled: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(settings: &Settings) -> Result<(), Box<dyn Error>> {
    let role = match settings.fork {
        Fork::Background => role_in_background(),
        Fork::Foreground => Role::Daemon(Ready::Nobody),
    };
    match role {
        Role::Starter => start_daemon().map(drop),
        Role::Daemon(ready) => {
            logging::start("xenconsoled", None, ready)?;
            match &settings.helps {
                None => daemon::run(settings, ready),
                Some(name) => helper::run(settings, name, ready),
            }
        }
    }
}
