//! Random bytes, by the kernel.

use rustix::io::Errno;
use rustix::rand::{GetRandomFlags, getrandom};

pub(crate) fn fill(out: &mut [u8]) {
    let mut filled = 0;
    while filled < out.len() {
        match getrandom(&mut out[filled..], GetRandomFlags::empty()) {
            Ok(count) => filled += count,
            Err(Errno::INTR) => {}
            // Without flags and with a valid buffer only a kernel older than 3.17 fails; to go on with guessable bytes is worse.
            Err(error) => panic!("the kernel has no random numbers: {error}"),
        }
    }
}
