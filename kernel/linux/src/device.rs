//! Opening Linux's Xen devices.

use core::fmt;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use morgana_hal::EventError;
use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;

/// A device of Linux's for Xen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Device {
    pub(crate) path: &'static str,
    /// The kernel module that makes it.
    pub(crate) module: &'static str,
}

pub(crate) const EVTCHN: Device = Device {
    path: "/dev/xen/evtchn",
    module: "xen-evtchn",
};
pub(crate) const GNTDEV: Device = Device {
    path: "/dev/xen/gntdev",
    module: "xen-gntdev",
};
pub(crate) const GNTALLOC: Device = Device {
    path: "/dev/xen/gntalloc",
    module: "xen-gntalloc",
};

pub(crate) const PRIVCMD: Device = Device {
    path: "/dev/xen/privcmd",
    module: "xen-privcmd",
};
/// Memory that stays where it is, for hypercalls (Linux 4.18 and later).
pub(crate) const HYPERCALL: Device = Device {
    path: "/dev/xen/hypercall",
    module: "xen-privcmd",
};
/// The page of the domain's own xenstore ring, in the first domain.
pub(crate) const XSD_KVA: Device = Device {
    path: "/proc/xen/xsd_kva",
    module: "xenfs",
};
/// The kernel's port of that ring, in digits.
pub(crate) const XSD_PORT: Device = Device {
    path: "/proc/xen/xsd_port",
    module: "xenfs",
};

impl Device {
    /// Opens it; operations on it do not block.
    pub(crate) fn open(self) -> Result<OwnedFd, OpenError> {
        open_file(self.path).map_err(|errno| OpenError::Device {
            path: self.path,
            module: self.module,
            errno: errno.raw_os_error(),
        })
    }
}

/// Opens a device file to read and write, without blocking.
pub(crate) fn open_file(path: impl AsRef<Path>) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC;
    open(path.as_ref(), flags, Mode::empty())
}

/// Why this process cannot be part of a Xen domain. The text says what to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OpenError {
    /// A device of the kernel's cannot be opened.
    Device {
        /// Its file.
        path: &'static str,
        /// The kernel module that makes it.
        module: &'static str,
        /// Linux's error number (errno.h).
        errno: i32,
    },
    /// There is a way to xenstored, but it is not for this process.
    Xenstore {
        /// Its file.
        path: &'static str,
        /// Linux's error number (errno.h).
        errno: i32,
    },
    /// Xen does not tell this domain how others are.
    Domctl {
        /// Linux's error number (errno.h) for the last attempt.
        errno: i32,
    },
    /// Xen's interface for toolstacks is of a version that is not known here.
    ToolstackVersion {
        /// Xen's (`XEN_DOMCTL_INTERFACE_VERSION`), if that could be found out.
        xens: Option<u32>,
        /// The one that is known.
        known: u32,
    },
    /// Xen does not let this domain read its console.
    HypervisorConsole {
        /// Linux's error number (errno.h) for the last attempt.
        errno: i32,
    },
    /// The kernel's end of the domain's own xenstore ring cannot be connected to.
    OwnRing(EventError),
    /// The kernel has no descriptor left for an epoll instance.
    Reactor {
        /// Linux's error number (errno.h).
        errno: i32,
    },
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = |errno| io::Error::from_raw_os_error(errno);
        match *self {
            Self::Device {
                path,
                module,
                errno,
            } => {
                write!(f, "{path}: {}", said(errno))?;
                match Errno::from_raw_os_error(errno) {
                    // Devices of modules that are not loaded, or not on Xen.
                    Errno::NOENT | Errno::NXIO | Errno::NODEV => write!(
                        f,
                        "; as root: modprobe {module} (this Linux must run in a domain of Xen)"
                    ),
                    Errno::ACCESS | Errno::PERM => {
                        f.write_str("; run this as root, or as a user who may use the device")
                    }
                    _ => Ok(()),
                }
            }
            Self::Xenstore { path, errno } => {
                write!(f, "{path}, the way to xenstored: {}", said(errno))
            }
            Self::Domctl { errno } => write!(
                f,
                "Xen does not tell this domain how others are: {}",
                said(errno)
            ),
            Self::ToolstackVersion { xens, known } => {
                f.write_str("Xen's interface for toolstacks has ")?;
                match xens {
                    Some(xens) => write!(f, "version {xens:#x}")?,
                    None => f.write_str("an unknown version")?,
                }
                write!(f, "; this program knows {known:#x} (Xen 4.17) only")
            }
            Self::HypervisorConsole { errno } => write!(
                f,
                "Xen does not let this domain read its console: {}",
                said(errno)
            ),
            Self::OwnRing(error) => write!(f, "the domain's own xenstore ring: {error}"),
            Self::Reactor { errno } => write!(f, "no epoll instance: {}", said(errno)),
        }
    }
}

impl core::error::Error for OpenError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_device_says_what_to_do() {
        let device = Device {
            path: "/dev/xen/nothing",
            module: "xen-nothing",
        };
        let error = device.open().unwrap_err().to_string();
        assert!(error.starts_with("/dev/xen/nothing: "), "{error}");
        assert!(error.contains("modprobe xen-nothing"), "{error}");
    }

    #[test]
    fn a_forbidden_device_says_who_may() {
        let error = OpenError::Device {
            path: GNTALLOC.path,
            module: GNTALLOC.module,
            errno: Errno::ACCESS.raw_os_error(),
        };
        let error = error.to_string();
        assert!(
            error.contains("/dev/xen/gntalloc") && error.contains("root"),
            "{error}"
        );
        assert!(!error.contains("modprobe"), "{error}");
    }
}
