//! Descriptors that came through `exec` from the program before.

use std::fs;
use std::os::fd::{FromRawFd, OwnedFd};

use rustix::fs::OFlags;
use rustix::io::{FdFlags, fcntl_setfd};

/// Standard input, output and error are everybody's.
const FIRST: i32 = 3;

/// The descriptor of this number, if the program that this process was before has left it open for this one. It is closed on the next
/// `exec`, and had only once.
pub fn inherited(number: i32) -> Option<OwnedFd> {
    if number < FIRST || flags(number)?.contains(OFlags::CLOEXEC) {
        return None;
    }
    // SAFETY: (1) The number is of an open descriptor: the kernel has just told its flags. (2) Nobody in this process owns it: whatever
    // the standard library, rustix or this crate opens is closed on `exec`, and this one is not, so it was open before the process began;
    // those of a failed `exec` are set back by their owner before it goes on. (3) It is handed out once, as it is closed on `exec` from the
    // next line on.
    let descriptor = unsafe { OwnedFd::from_raw_fd(number) };
    fcntl_setfd(&descriptor, FdFlags::CLOEXEC).ok()?;
    Some(descriptor)
}

/// The flags of an open descriptor (proc(5), `/proc/PID/fdinfo`).
fn flags(number: i32) -> Option<OFlags> {
    let info = fs::read_to_string(format!("/proc/self/fdinfo/{number}")).ok()?;
    let line = info.lines().find_map(|line| line.strip_prefix("flags:"))?;
    let bits = u32::from_str_radix(line.trim(), 8).ok()?;
    Some(OFlags::from_bits_retain(bits))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::os::fd::AsRawFd;
    use std::os::unix::net::UnixStream;

    #[test]
    fn what_this_process_has_opened_is_not_inherited() {
        let (one, mut other) = UnixStream::pair().unwrap();
        let number = one.as_raw_fd();
        assert!(inherited(number).is_none());
        assert!(inherited(1).is_none() && inherited(-1).is_none() && inherited(i32::MAX).is_none());
        // As if it came from a program before: its owner forgets it.
        fcntl_setfd(&one, FdFlags::empty()).unwrap();
        std::mem::forget(one);
        let one = inherited(number).unwrap();
        assert!(inherited(number).is_none());
        other.write_all(b"x").unwrap();
        let mut byte = [0];
        UnixStream::from(one).read_exact(&mut byte).unwrap();
        assert_eq!(&byte, b"x");
    }
}
