//! An application as a Linux process, on the emulation of Xen.

extern crate std;

use core::future::Future;
use std::eprintln;
use std::process::ExitCode;
use std::string::String;
use std::vec::Vec;

use morgana_emul::{Console, DomainConfig, EmulPlatform, Hypervisor, Outcome as End};
use morgana_hal::Exit;

use crate::{Domain, Outcome, run};

/// Runs `app`; the program's arguments are its command line.
pub fn start<A, F>(app: A) -> ExitCode
where
    A: FnOnce(Domain<EmulPlatform>) -> F + 'static,
    F: Future + 'static,
    F::Output: Outcome,
{
    let line = std::env::args().skip(1).collect::<Vec<String>>().join(" ");
    let config = DomainConfig {
        console: Console::Stdout,
        ..DomainConfig::default()
    };
    let domain = match Hypervisor::new().create(config) {
        Ok(domain) => domain,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::FAILURE;
        }
    };
    let end = domain
        .run(|platform, tasks, _reactor| async move { run(platform, tasks, &line, app).await });
    match end {
        End::Exited(Exit::Poweroff | Exit::Reboot) => ExitCode::SUCCESS,
        End::Exited(Exit::Crash) | End::Killed => ExitCode::FAILURE,
    }
}
