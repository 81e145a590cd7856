//! The end of the domain.

use morgana_abi::sched;
use morgana_hal::Exit;

use super::hypercall;

/// Ends the domain.
pub(crate) fn shutdown(exit: Exit) -> ! {
    let reason = match exit {
        Exit::Poweroff => sched::SHUTDOWN_POWEROFF,
        Exit::Reboot => sched::SHUTDOWN_REBOOT,
        Exit::Crash => sched::SHUTDOWN_CRASH,
    };
    super::console::drain();
    loop {
        hypercall::shutdown(reason);
    }
}
