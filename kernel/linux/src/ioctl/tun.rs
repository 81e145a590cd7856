//! The requests of /dev/net/tun (Linux, include/uapi/linux/if_tun.h).

use std::os::fd::AsFd;

use rustix::io::Result;
use rustix::ioctl::{IntegerSetter, Opcode, ioctl, opcode};

use super::call;

/// `struct ifreq` (include/uapi/linux/if.h) as this request uses it.
#[repr(C)]
struct InterfaceRequest {
    /// The interface's name, and a zero byte.
    name: [u8; NAME_BYTES],
    flags: i16,
    /// What else the union has room for.
    rest: [u8; 22],
}

/// `IFNAMSIZ`.
pub(crate) const NAME_BYTES: usize = 16;

/// `IFF_TAP`: Ethernet frames. `IFF_NO_PI`: nothing before them, but (`IFF_VNET_HDR`) a `virtio_net_hdr`.
const FLAGS: i16 = 0x0002 | 0x1000 | 0x4000;

/// `TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6`: blank checksums and large TCP frames are taken.
const OFFLOADS: usize = 0x01 | 0x02 | 0x04;

/// `TUNSETIFF`, `TUNSETOFFLOAD`.
const SET_INTERFACE: Opcode = opcode::write::<i32>(b'T', 202);
const SET_OFFLOAD: Opcode = opcode::write::<u32>(b'T', 208);

/// Makes the descriptor a tap device of this name, which is zero-terminated.
pub(crate) fn set_interface(fd: impl AsFd, name: [u8; NAME_BYTES]) -> Result<()> {
    let mut request = InterfaceRequest {
        name,
        flags: FLAGS,
        rest: [0; 22],
    };
    // SAFETY: TUNSETIFF reads and writes one `struct ifreq`, which is 40 bytes on this architecture; any bytes are valid in it.
    unsafe { call::<SET_INTERFACE, _>(fd, &mut request) }.map(drop)
}

/// Says that this side takes blank checksums and large TCP frames.
pub(crate) fn set_offload(fd: impl AsFd) -> Result<()> {
    // SAFETY: TUNSETOFFLOAD takes a number, and touches no memory of this process.
    unsafe { ioctl(fd, IntegerSetter::<SET_OFFLOAD>::new_usize(OFFLOADS)) }
}

const _: () = assert!(size_of::<InterfaceRequest>() == 40);
