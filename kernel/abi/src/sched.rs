//! Scheduling and the end of a domain (`sched.h`).

pub use xen_sys::sched_poll as Poll;
pub use xen_sys::sched_remote_shutdown as RemoteShutdown;
pub use xen_sys::sched_shutdown as Shutdown;

/// `SCHEDOP_yield`: no argument.
pub const SCHEDOP_YIELD: u32 = 0;
/// `SCHEDOP_block`: unmask upcalls and sleep until an event is pending, in one step. No argument.
pub const SCHEDOP_BLOCK: u32 = 1;
/// `SCHEDOP_shutdown`: argument [`Shutdown`].
pub const SCHEDOP_SHUTDOWN: u32 = 2;
/// `SCHEDOP_poll`: argument [`Poll`].
pub const SCHEDOP_POLL: u32 = 3;

/// `SHUTDOWN_poweroff`.
pub const SHUTDOWN_POWEROFF: u32 = 0;
/// `SHUTDOWN_reboot`.
pub const SHUTDOWN_REBOOT: u32 = 1;
/// `SHUTDOWN_suspend`.
pub const SHUTDOWN_SUSPEND: u32 = 2;
/// `SHUTDOWN_crash`.
pub const SHUTDOWN_CRASH: u32 = 3;
