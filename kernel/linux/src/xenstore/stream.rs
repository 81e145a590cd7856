//! The kernel's xenstore device, or xenstored's own socket.

use core::cell::RefCell;
use core::task::{Context, Poll, ready};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

use morgana_hal::{ByteStream, StreamError};
use rustix::io::{Errno, read, write};

use super::pace::Pace;
use crate::device::open_file;
use crate::{Direction, OpenError, Reactor, Source};

/// The device, under its new and its old name.
const DEVICES: [&str; 2] = ["/dev/xen/xenbus", "/proc/xen/xenbus"];
/// Where xenstored listens in the domain that it runs in as a daemon, usually domain 0.
const SOCKET: &str = "/run/xenstored/socket";

/// The process's connection to xenstored. Watches and transactions are its own, and end with it.
#[derive(Debug)]
pub struct LinuxXenstore {
    source: Source<OwnedFd>,
    /// For the device, which takes one message at a time; the socket takes what fits.
    pace: Option<RefCell<Pace>>,
}

impl LinuxXenstore {
    /// Opens the first way that there is. `None` if there is none at all.
    pub(crate) fn open(reactor: &Reactor) -> Result<Option<Self>, OpenError> {
        for path in DEVICES {
            match open_file(path) {
                Ok(device) => {
                    let pace = Some(RefCell::default());
                    return Self::new(device, pace, reactor, path).map(Some);
                }
                // The device is there but leads nowhere while the kernel knows of no xenstored.
                Err(Errno::NOENT | Errno::NXIO | Errno::NODEV) => {}
                Err(errno) => return Err(refused(path, errno.raw_os_error())),
            }
        }
        match UnixStream::connect(SOCKET) {
            Ok(stream) => {
                stream
                    .set_nonblocking(true)
                    .map_err(|error| refused(SOCKET, error.raw_os_error().unwrap_or(0)))?;
                Self::new(stream.into(), None, reactor, SOCKET).map(Some)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(refused(SOCKET, error.raw_os_error().unwrap_or(0))),
        }
    }

    fn new(
        descriptor: OwnedFd,
        pace: Option<RefCell<Pace>>,
        reactor: &Reactor,
        path: &'static str,
    ) -> Result<Self, OpenError> {
        let source = reactor
            .register(descriptor)
            .map_err(|error| refused(path, error.raw_os_error().unwrap_or(0)))?;
        Ok(Self { source, pace })
    }
}

fn refused(path: &'static str, errno: i32) -> OpenError {
    OpenError::Xenstore { path, errno }
}

impl ByteStream for LinuxXenstore {
    fn poll_read(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<Result<usize, StreamError>> {
        if buffer.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let done = ready!(self.source.poll_io(Direction::Read, cx, |descriptor| {
            Ok(read(descriptor, &mut *buffer)?)
        }));
        let len = at_least_one(done)?;
        if let Some(pace) = &self.pace {
            pace.borrow_mut().read(&buffer[..len.min(buffer.len())]);
        }
        Poll::Ready(Ok(len))
    }

    fn poll_write(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize, StreamError>> {
        if bytes.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let Some(pace) = &self.pace else {
            let done = self.source.poll_io(Direction::Write, cx, |descriptor| {
                Ok(write(descriptor, bytes)?)
            });
            return done.map(at_least_one);
        };
        let mut pace = pace.borrow_mut();
        let Some(count) = pace.writable(cx, bytes) else {
            return Poll::Pending;
        };
        // The device takes a write at once, and never says that it is ready for one.
        let written = loop {
            match write(self.source.io(), &bytes[..count]) {
                Err(Errno::INTR) => {}
                done => break at_least_one(done.map_err(io::Error::from)),
            }
        };
        if let Ok(len) = written {
            pace.written(&bytes[..len.min(count)]);
        }
        Poll::Ready(written)
    }
}

fn at_least_one(done: io::Result<usize>) -> Result<usize, StreamError> {
    match done {
        Ok(len @ 1..) => Ok(len),
        Ok(0) | Err(_) => Err(StreamError::Closed),
    }
}
