//! Where random bytes come from.

use std::sync::{Mutex, PoisonError};

use rustix::rand::{GetRandomFlags, getrandom};

use crate::random::SplitMix64;

#[derive(Debug)]
pub(crate) enum Entropy {
    /// The Linux kernel.
    Kernel,
    /// A seed, so that a run can be repeated.
    Seeded(Mutex<SplitMix64>),
}

impl Entropy {
    pub(crate) fn fill(&self, out: &mut [u8]) {
        match self {
            Self::Kernel => fill_from_kernel(out),
            Self::Seeded(random) => random
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .fill(out),
        }
    }
}

pub(crate) fn fill_from_kernel(out: &mut [u8]) {
    let mut filled = 0;
    while filled < out.len() {
        match getrandom(&mut out[filled..], GetRandomFlags::empty()) {
            Ok(count) => filled += count,
            Err(rustix::io::Errno::INTR) => {}
            // Without flags and with a valid buffer only a kernel older than 3.17 fails; to go on with guessable bytes is worse.
            Err(error) => panic!("the kernel has no random numbers: {error}"),
        }
    }
}
