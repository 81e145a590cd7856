//! Errors that hypercalls return, as negative numbers (`errno.h`).

/// `XEN_EPERM`: not permitted.
pub const EPERM: i64 = 1;
/// `XEN_ENOENT`: no such thing.
pub const ENOENT: i64 = 2;
/// `XEN_ESRCH`: no such domain.
pub const ESRCH: i64 = 3;
/// `XEN_EAGAIN`: try again.
pub const EAGAIN: i64 = 11;
/// `XEN_ENOMEM`: out of memory.
pub const ENOMEM: i64 = 12;
/// `XEN_EACCES`: access denied.
pub const EACCES: i64 = 13;
/// `XEN_EFAULT`: bad address.
pub const EFAULT: i64 = 14;
/// `XEN_EBUSY`: in use.
pub const EBUSY: i64 = 16;
/// `XEN_EEXIST`: exists already.
pub const EEXIST: i64 = 17;
/// `XEN_EINVAL`: bad argument.
pub const EINVAL: i64 = 22;
/// `XEN_ENOSPC`: no space left in some table.
pub const ENOSPC: i64 = 28;
/// `XEN_ENOSYS`: no such hypercall.
pub const ENOSYS: i64 = 38;
