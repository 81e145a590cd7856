//! The end of the domain.

use morgana_abi::sched;

/// How the domain ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    PowerOff,
    /// Start again.
    Reboot,
    /// Something is broken.
    Crash,
}

/// Ends the domain.
pub(crate) fn shutdown(exit: Exit) -> ! {
    let reason = match exit {
        Exit::PowerOff => sched::SHUTDOWN_POWEROFF,
        Exit::Reboot => sched::SHUTDOWN_REBOOT,
        Exit::Crash => sched::SHUTDOWN_CRASH,
    };
    loop {
        super::hypercall::shutdown(reason);
    }
}
