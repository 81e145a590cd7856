//! The requests of loop devices (Linux, include/uapi/linux/loop.h).

use std::os::fd::{AsFd, AsRawFd};

use rustix::io::Result;
use rustix::ioctl::Opcode;

use super::{call, request};

/// `LO_NAME_SIZE`.
pub(crate) const NAME_BYTES: usize = 64;

/// `struct loop_info64`.
#[repr(C)]
struct Info {
    device: u64,
    inode: u64,
    rdevice: u64,
    offset: u64,
    size_limit: u64,
    number: u32,
    encrypt_type: u32,
    encrypt_key_size: u32,
    flags: u32,
    file_name: [u8; NAME_BYTES],
    crypt_name: [u8; 64],
    encrypt_key: [u8; 32],
    init: [u64; 2],
}

/// `struct loop_config`.
#[repr(C)]
struct Config {
    fd: u32,
    block_size: u32,
    info: Info,
    reserved: [u64; 8],
}

/// `LO_FLAGS_READ_ONLY`.
const READ_ONLY: u32 = 1;
/// `LO_FLAGS_AUTOCLEAR`: the file is let go when nobody has the device open any more.
const AUTOCLEAR: u32 = 4;
/// `LO_FLAGS_DIRECT_IO`: past the file's page cache, where its file system can.
const DIRECT_IO: u32 = 16;

/// `LOOP_CONFIGURE` (Linux 5.8 and later), `LOOP_CTL_GET_FREE`.
pub(super) const CONFIGURE: Opcode = request(b'L', 0x0a, 0);
pub(super) const GET_FREE: Opcode = request(b'L', 0x82, 0);

/// What may be done with the device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Writes {
    Refused,
    Allowed,
}

/// The number of a device that has no file; somebody else may be quicker to give it one.
pub(crate) fn free_number(control: impl AsFd) -> Result<u32> {
    // SAFETY: LOOP_CTL_GET_FREE takes no argument, and touches no memory of this process.
    let number = unsafe { call::<GET_FREE, u32>(control, &mut 0) }?;
    Ok(number.unsigned_abs())
}

/// Gives a device a file. `EBUSY`: it has one.
pub(crate) fn configure(
    device: impl AsFd,
    file: impl AsFd,
    name: [u8; NAME_BYTES],
    writes: Writes,
) -> Result<()> {
    let read_only = match writes {
        Writes::Refused => READ_ONLY,
        Writes::Allowed => 0,
    };
    let mut config = Config {
        fd: file.as_fd().as_raw_fd().unsigned_abs(),
        block_size: 0,
        info: Info {
            device: 0,
            inode: 0,
            rdevice: 0,
            offset: 0,
            size_limit: 0,
            number: 0,
            encrypt_type: 0,
            encrypt_key_size: 0,
            flags: AUTOCLEAR | DIRECT_IO | read_only,
            file_name: name,
            crypt_name: [0; 64],
            encrypt_key: [0; 32],
            init: [0; 2],
        },
        reserved: [0; 8],
    };
    // SAFETY: LOOP_CONFIGURE reads one `struct loop_config`, which this is (see the assertions and the tests of this module's folder), and
    // takes a reference of its own to the file, whose descriptor is open meanwhile.
    unsafe { call::<CONFIGURE, _>(device, &mut config) }.map(drop)
}

const _: () = assert!(size_of::<Info>() == 232);
const _: () = assert!(size_of::<Config>() == 304);

/// For the comparison with Linux's headers.
#[cfg(test)]
pub(super) const FLAGS_AT: usize =
    core::mem::offset_of!(Config, info) + core::mem::offset_of!(Info, flags);
#[cfg(test)]
pub(super) const NAME_AT: usize =
    core::mem::offset_of!(Config, info) + core::mem::offset_of!(Info, file_name);
