//! Requests about network interfaces (Linux, include/uapi/linux/sockios.h), on any socket.

use std::os::fd::AsFd;

use rustix::io::Result;
use rustix::ioctl::Opcode;

use super::call;

/// `IFNAMSIZ`.
pub(crate) const NAME_BYTES: usize = 16;

/// `struct ifreq` (include/uapi/linux/if.h) with what these requests use of its union.
#[repr(C)]
struct InterfaceRequest<T> {
    name: [u8; NAME_BYTES],
    value: T,
}

/// `SIOCGIFFLAGS`, `SIOCSIFFLAGS`, `SIOCBRADDIF`.
const GET_FLAGS: Opcode = 0x8913;
const SET_FLAGS: Opcode = 0x8914;
const ADD_TO_BRIDGE: Opcode = 0x89a2;

/// `IFF_UP`.
const UP: u16 = 1;

/// Room for the union, whose largest member has 24 bytes.
type Flags = [u16; 12];
type Index = [i32; 6];

/// Brings an interface up.
pub(crate) fn bring_up(socket: impl AsFd, name: [u8; NAME_BYTES]) -> Result<()> {
    let mut request = InterfaceRequest::<Flags> {
        name,
        value: [0; 12],
    };
    // SAFETY: SIOCGIFFLAGS reads and writes one `struct ifreq`, which is 40 bytes on this architecture; any bytes are valid in it.
    unsafe { call::<GET_FLAGS, _>(&socket, &mut request) }?;
    request.value[0] |= UP;
    // SAFETY: SIOCSIFFLAGS reads the same.
    unsafe { call::<SET_FLAGS, _>(&socket, &mut request) }.map(drop)
}

/// Puts the interface of this index into a bridge. `EBUSY`: it is in one.
pub(crate) fn add_to_bridge(socket: impl AsFd, bridge: [u8; NAME_BYTES], index: i32) -> Result<()> {
    let mut request = InterfaceRequest::<Index> {
        name: bridge,
        value: [index, 0, 0, 0, 0, 0],
    };
    // SAFETY: SIOCBRADDIF reads one `struct ifreq`, which is 40 bytes on this architecture.
    unsafe { call::<ADD_TO_BRIDGE, _>(socket, &mut request) }.map(drop)
}

const _: () = assert!(size_of::<InterfaceRequest<Flags>>() == 40);
const _: () = assert!(size_of::<InterfaceRequest<Index>>() == 40);
