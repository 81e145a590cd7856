//! The page that Xen and a guest share (`xen.h`).
//!
//! Xen writes to it at any time: these types are for layout (`offset_of!`), never to be put behind a reference.

pub use xen_sys::arch_shared_info as ArchSharedInfo;
pub use xen_sys::arch_vcpu_info as ArchVcpuInfo;
pub use xen_sys::shared_info as SharedInfo;
pub use xen_sys::vcpu_info as VcpuInfo;
pub use xen_sys::vcpu_time_info as VcpuTimeInfo;
