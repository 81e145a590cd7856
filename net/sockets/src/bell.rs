//! Waking a program from another thread.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;

/// Ends the sleep of a program's run loop, from any thread: whoever wakes a task from outside rings it afterwards. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Bell(Arc<UnixStream>);

impl Bell {
    /// It, and what hears it.
    pub(crate) fn new() -> std::io::Result<(Self, Heard)> {
        let (rings, hears) = UnixStream::pair()?;
        rings.set_nonblocking(true)?;
        hears.set_nonblocking(true)?;
        Ok((Self(Arc::new(rings)), Heard(hears)))
    }

    /// Rings it.
    pub fn ring(&self) {
        // One that is full was rung often enough; one whose other end is closed has nobody to wake.
        let _ = (&*self.0).write(&[0]);
    }
}

/// The run loop's end.
#[derive(Debug)]
pub(crate) struct Heard(pub(crate) UnixStream);

impl Heard {
    /// Was heard: lets it ring again.
    pub(crate) fn clear(&self) {
        let mut bytes = [0; 64];
        while matches!((&self.0).read(&mut bytes), Ok(count) if count == bytes.len()) {}
    }
}
