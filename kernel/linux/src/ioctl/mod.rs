//! The requests of Linux's Xen devices (Linux, include/uapi/xen/{evtchn,gntalloc,gntdev,privcmd}.h) and of tap and loop devices, with their unsafe part in [`call`].

pub(crate) mod evtchn;
pub(crate) mod gntalloc;
pub(crate) mod gntdev;
pub(crate) mod loops;
pub(crate) mod net;
pub(crate) mod privcmd;
#[cfg(test)]
mod tests;
pub(crate) mod tun;
pub(crate) mod unmap_notify;

use core::ffi::c_void;
use std::os::fd::AsFd;

use rustix::io::Result;
use rustix::ioctl::{Direction, Ioctl, IoctlOutput, Opcode, ioctl, opcode};

/// `_IOC(_IOC_NONE, group, number, size)`: how these headers number their requests, whichever way the data goes.
const fn request(group: u8, number: u8, size: usize) -> Opcode {
    opcode::from_components(Direction::None, group, number, size)
}

/// One request, whose argument is the address of a struct, and whose return value comes back.
struct Request<const OPCODE: Opcode>(*mut c_void);

// SAFETY: `as_ptr` is the address that was given, and no output is made from it; whoever makes the value promises that the request
// `OPCODE` finds there what it expects (see `call`).
unsafe impl<const OPCODE: Opcode> Ioctl for Request<OPCODE> {
    type Output = i32;

    const IS_MUTATING: bool = true;

    fn opcode(&self) -> Opcode {
        OPCODE
    }

    fn as_ptr(&mut self) -> *mut c_void {
        self.0
    }

    unsafe fn output_from_ptr(output: IoctlOutput, _: *mut c_void) -> Result<i32> {
        Ok(output)
    }
}

/// Asks the device, and returns what it returns, mostly 0.
///
/// # Safety
///
/// The request `OPCODE` of the device `fd` takes a `T` (the first of which may be followed by more in the same allocation, if its
/// count says so), writes nothing but a valid `T` there, and touches no other memory of this process that is not of its own.
unsafe fn call<const OPCODE: Opcode, T: ?Sized>(fd: impl AsFd, argument: &mut T) -> Result<i32> {
    let request = Request::<OPCODE>((&raw mut *argument).cast());
    // SAFETY: the caller's promise; the argument is borrowed while the kernel uses it.
    unsafe { ioctl(fd, request) }
}
