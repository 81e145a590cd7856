//! An application as a PV domain of Xen.

use core::future::Future;

use morgana_exec::Executor;
use morgana_hal::{Exit, Platform};
use morgana_pv::Pv;

use crate::{Domain, Outcome, run};

/// Runs `app` on the bare domain. The domain ends as this returns.
pub fn start<A, F>(pv: Pv, app: A) -> Exit
where
    A: FnOnce(Domain<Pv>) -> F + 'static,
    F: Future + 'static,
    F::Output: Outcome,
{
    let Some(mut idle) = pv.idle() else {
        return Exit::Crash;
    };
    let mut executor = Executor::new();
    let tasks = executor.handle();
    let main = async move { run(pv, tasks, pv.command_line(), app).await };
    executor.block_on(main, &mut idle, pv.clock())
}
