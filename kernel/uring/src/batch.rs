//! The ring without an executor: a fixed number of aligned buffers, for a program that does nothing but move blocks (a load generator).
//!
//! Unsafe code relies on the same as in `uring`: a slot's buffer is not touched, resized or freed while `busy` says that the kernel has it, and the file stays
//! open as long as the ring.

use std::io::{self, ErrorKind};
use std::os::fd::{AsRawFd, OwnedFd};

use io_uring::types::Fd;
use io_uring::{IoUring, opcode};

/// What a buffer's address is a multiple of: what `O_DIRECT` asks for.
const ALIGNMENT: usize = 4096;

/// Which way a block goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    /// Into the slot's buffer.
    Read,
    /// From the slot's buffer.
    Write,
}

/// Blocks of one size on their way to and from one file, each in a slot of its own.
pub struct Batch {
    ring: IoUring,
    file: OwnedFd,
    /// One page longer than a block, so that an aligned block fits.
    buffers: Vec<Vec<u8>>,
    busy: Vec<bool>,
    block: usize,
}

impl Batch {
    /// `slots` blocks (1 to 4,096) of `block` bytes (at most 1 GiB), for `file`.
    ///
    /// # Errors
    ///
    /// The kernel's, or [`ErrorKind::InvalidInput`] beyond these limits.
    pub fn new(file: OwnedFd, slots: usize, block: usize) -> io::Result<Self> {
        if !(1..=4096).contains(&slots) || !(1..=1 << 30).contains(&block) {
            return Err(ErrorKind::InvalidInput.into());
        }
        Ok(Self {
            // The cast loses nothing: at most 4,096.
            ring: IoUring::new((slots as u32).next_power_of_two())?,
            file,
            buffers: vec![vec![0x5a; block + ALIGNMENT]; slots],
            busy: vec![false; slots],
            block,
        })
    }

    /// Queues a block of a slot that is free.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] for a slot that is not there or not free.
    pub fn push(&mut self, slot: usize, way: Way, offset: u64) -> io::Result<()> {
        if self.busy.get(slot) != Some(&false) {
            return Err(ErrorKind::InvalidInput.into());
        }
        let buffer = &mut self.buffers[slot];
        let start = buffer.as_ptr().align_offset(ALIGNMENT).min(ALIGNMENT);
        let block = &mut buffer[start..start + self.block];
        let (file, len) = (Fd(self.file.as_raw_fd()), block.len() as u32);
        let entry = match way {
            Way::Read => opcode::Read::new(file, block.as_mut_ptr(), len)
                .offset(offset)
                .build(),
            Way::Write => opcode::Write::new(file, block.as_ptr(), len)
                .offset(offset)
                .build(),
        };
        let entry = entry.user_data(slot as u64);
        // SAFETY: 1. The entry's memory is `len` initialised bytes of the slot's buffer, which is marked busy just below and then not touched until
        // its completion has been taken; `Drop` waits for that too, or leaks. 2. The descriptor is that of `self.file`, open as long.
        unsafe { self.ring.submission().push(&entry) }
            .map_err(|_| io::Error::from(ErrorKind::WouldBlock))?;
        self.busy[slot] = true;
        Ok(())
    }

    /// Hands over what was queued, waits for at least one block, and calls `done` for the slot of each that has come, with its number of bytes.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub fn wait(&mut self, mut done: impl FnMut(usize, io::Result<usize>)) -> io::Result<()> {
        loop {
            match self.ring.submit_and_wait(1) {
                Ok(_) => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        for completion in self.ring.completion() {
            let slot = completion.user_data() as usize;
            self.busy[slot] = false;
            done(slot, crate::uring::outcome(completion.result()));
        }
        Ok(())
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        while self.busy.contains(&true) {
            if self.wait(|_, _| {}).is_err() {
                // The kernel may still use the buffers, so they must not be freed.
                core::mem::forget(core::mem::take(&mut self.buffers));
                return;
            }
        }
    }
}
