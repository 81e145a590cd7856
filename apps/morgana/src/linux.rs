//! An application as a Linux process: on the emulation of Xen, or on a real Xen.

extern crate std;

use core::future::Future;
use std::process::ExitCode;

use morgana_emul::EmulPlatform;
use morgana_linux::Linux;

use crate::{Domain, Outcome, run, run_until};

/// Runs the app as the program's arguments say: `emulated` or `on_xen`, which are the same function for two platforms. `help` is what there is to be said of
/// its command line.
pub fn start<A, F, B, G>(help: &str, emulated: A, on_xen: B) -> ExitCode
where
    A: FnOnce(Domain<EmulPlatform>) -> F + Send + 'static,
    F: Future + 'static,
    F::Output: Outcome,
    B: FnOnce(Domain<Linux>) -> G + 'static,
    G: Future + 'static,
    G::Output: Outcome,
{
    morgana_linux_host::start(
        help,
        |platform, tasks, command_line| async move {
            run(platform, tasks, &command_line, emulated).await
        },
        |platform, tasks, command_line, wish| async move {
            run_until(platform, tasks, &command_line, on_xen, wish.granted()).await
        },
    )
}
