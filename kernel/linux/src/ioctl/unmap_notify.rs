//! What the kernel does when pages of `/dev/xen/gntalloc` or `/dev/xen/gntdev` are no longer used: the same request for both.

use std::os::fd::AsFd;

use morgana_hal::Port;
use rustix::io::Result;
use rustix::ioctl::Opcode;

use super::{call, request};

/// `IOCTL_GNTALLOC_SET_UNMAP_NOTIFY`, `IOCTL_GNTDEV_SET_UNMAP_NOTIFY`.
pub(super) const SET_UNMAP_NOTIFY: Opcode = request(b'G', 7, size_of::<UnmapNotify>());
/// `UNMAP_NOTIFY_CLEAR_BYTE`.
pub(super) const CLEAR_BYTE: u32 = 1;
/// `UNMAP_NOTIFY_SEND_EVENT`.
pub(super) const SEND_EVENT: u32 = 2;

/// `struct ioctl_gntalloc_unmap_notify`, `struct ioctl_gntdev_unmap_notify`.
#[repr(C)]
#[derive(Debug)]
pub(super) struct UnmapNotify {
    pub(super) index: u64,
    pub(super) action: u32,
    pub(super) event_channel_port: u32,
}

/// When the page with the byte at `index` (an offset in the device file, as for `mmap`) is neither mapped nor allocated by this process any more, that byte becomes 0,
/// and the peer of this port is notified. The kernel keeps the port open for that.
pub(crate) fn set(fd: impl AsFd, index: u64, port: Port) -> Result<()> {
    let mut notify = UnmapNotify {
        index,
        action: CLEAR_BYTE | SEND_EVENT,
        event_channel_port: port.number(),
    };
    // SAFETY: the request reads the struct, and writes nothing. What the kernel clears later is a byte of pages that a peer may write at any moment.
    unsafe { call::<SET_UNMAP_NOTIFY, _>(fd, &mut notify) }.map(drop)
}
