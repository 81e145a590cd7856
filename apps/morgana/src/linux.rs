//! An application as a Linux process, on the emulation of Xen.

extern crate std;

use core::future::Future;
use std::process::ExitCode;

use morgana_emul::EmulPlatform;

use crate::{Domain, Outcome, run};

/// Runs `app` as the program's arguments say.
pub fn start<A, F>(app: A) -> ExitCode
where
    A: FnOnce(Domain<EmulPlatform>) -> F + Send + 'static,
    F: Future + 'static,
    F::Output: Outcome,
{
    morgana_linux_host::start(|platform, tasks, command_line| async move {
        run(platform, tasks, &command_line, app).await
    })
}
