//! Operations on a virtual processor (`vcpu.h`).

/// `VCPUOP_get_runstate_info`: argument [`RunstateInfo`].
pub const VCPUOP_GET_RUNSTATE_INFO: u32 = 4;
/// `VCPUOP_stop_periodic_timer`: no argument.
pub const VCPUOP_STOP_PERIODIC_TIMER: u32 = 7;
/// `VCPUOP_set_singleshot_timer`: argument [`SetSingleshotTimer`].
pub const VCPUOP_SET_SINGLESHOT_TIMER: u32 = 8;
/// `VCPUOP_stop_singleshot_timer`: no argument.
pub const VCPUOP_STOP_SINGLESHOT_TIMER: u32 = 9;

/// `struct vcpu_runstate_info`.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub struct RunstateInfo {
    /// `RUNSTATE_*`.
    pub state: i32,
    /// System time in nanoseconds when it was entered.
    pub state_entry_time: u64,
    /// Nanoseconds spent running, runnable, blocked and offline.
    pub time: [u64; 4],
}

/// `struct vcpu_set_singleshot_timer`.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub struct SetSingleshotTimer {
    /// System time in nanoseconds at which to fire.
    pub timeout_abs_ns: u64,
    /// `VCPU_SSHOTTMR_*`.
    pub flags: u32,
}
