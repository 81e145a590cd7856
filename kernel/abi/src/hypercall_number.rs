//! Numbers of hypercalls (`xen.h`, `__HYPERVISOR_*`).

/// `__HYPERVISOR_set_trap_table`.
pub const SET_TRAP_TABLE: u64 = 0;
/// `__HYPERVISOR_mmu_update`.
pub const MMU_UPDATE: u64 = 1;
/// `__HYPERVISOR_stack_switch`.
pub const STACK_SWITCH: u64 = 3;
/// `__HYPERVISOR_memory_op`.
pub const MEMORY_OP: u64 = 12;
/// `__HYPERVISOR_multicall`.
pub const MULTICALL: u64 = 13;
/// `__HYPERVISOR_update_va_mapping`.
pub const UPDATE_VA_MAPPING: u64 = 14;
/// `__HYPERVISOR_set_timer_op`.
pub const SET_TIMER_OP: u64 = 15;
/// `__HYPERVISOR_xen_version`.
pub const XEN_VERSION: u64 = 17;
/// `__HYPERVISOR_console_io`.
pub const CONSOLE_IO: u64 = 18;
/// `__HYPERVISOR_grant_table_op`.
pub const GRANT_TABLE_OP: u64 = 20;
/// `__HYPERVISOR_vm_assist`.
pub const VM_ASSIST: u64 = 21;
/// `__HYPERVISOR_vcpu_op`.
pub const VCPU_OP: u64 = 24;
/// `__HYPERVISOR_mmuext_op`.
pub const MMUEXT_OP: u64 = 26;
/// `__HYPERVISOR_sched_op`.
pub const SCHED_OP: u64 = 29;
/// `__HYPERVISOR_callback_op`.
pub const CALLBACK_OP: u64 = 30;
/// `__HYPERVISOR_event_channel_op`.
pub const EVENT_CHANNEL_OP: u64 = 32;
/// `__HYPERVISOR_sysctl`.
pub const SYSCTL: u64 = 35;
/// `__HYPERVISOR_domctl`.
pub const DOMCTL: u64 = 36;
