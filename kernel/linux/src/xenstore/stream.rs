//! The kernel's xenstore device, or xenstored's own socket.

use core::cell::RefCell;
use core::task::{Context, Poll, ready};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

use morgana_exec::Waiters;
use morgana_hal::{ByteStream, StreamError};
use rustix::io::{Errno, write};

use super::pace::Pace;
use super::refusal;
use crate::device::open_file;
use crate::{OpenError, Reactor, Source};

/// The device, under its new and its old name.
pub(super) const DEVICES: [&str; 2] = ["/dev/xen/xenbus", "/proc/xen/xenbus"];
/// Where xenstored listens in the domain that it runs in as a daemon, usually domain 0.
const SOCKET: &str = "/run/xenstored/socket";

/// The process's connection to xenstored. Watches and transactions are its own, and end with it.
#[derive(Debug)]
pub struct LinuxXenstore {
    source: Source<OwnedFd>,
    /// For the device, which takes one message at a time; the socket takes what fits.
    pace: Option<RefCell<Pace>>,
    refused: RefCell<Refused>,
}

/// The answer to a request that the device has refused.
#[derive(Debug, Default)]
struct Refused {
    answer: Vec<u8>,
    /// How much of it is read.
    read: usize,
    readers: Waiters,
}

impl LinuxXenstore {
    /// Opens the first way that there is. `None` if there is none at all.
    pub(crate) fn open(reactor: &Reactor) -> Result<Option<Self>, OpenError> {
        for path in DEVICES {
            match open_file(path) {
                Ok(device) => {
                    let opened = Self::device(device, reactor);
                    return opened.map(Some).map_err(|error| failed(path, &error));
                }
                // The device is there but leads nowhere while the kernel knows of no xenstored.
                Err(Errno::NOENT | Errno::NXIO | Errno::NODEV) => {}
                Err(errno) => return Err(refused(path, errno.raw_os_error())),
            }
        }
        match UnixStream::connect(SOCKET) {
            Ok(stream) => {
                let opened = Self::socket(stream, reactor);
                opened.map(Some).map_err(|error| failed(SOCKET, &error))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(SOCKET, &error)),
        }
    }

    /// Over the kernel's device, which does not block.
    pub(super) fn device(device: OwnedFd, reactor: &Reactor) -> io::Result<Self> {
        Self::new(device, Some(RefCell::default()), reactor)
    }

    /// Over a connection to xenstored's socket.
    pub(super) fn socket(stream: UnixStream, reactor: &Reactor) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Self::new(stream.into(), None, reactor)
    }

    fn new(
        descriptor: OwnedFd,
        pace: Option<RefCell<Pace>>,
        reactor: &Reactor,
    ) -> io::Result<Self> {
        Ok(Self {
            source: reactor.register(descriptor)?,
            pace,
            refused: RefCell::default(),
        })
    }

    /// Reads from the answer to a request that the device has refused, if there is one; not in the middle of another message.
    fn read_refused(&self, pace: &Pace, buffer: &mut [u8]) -> Option<usize> {
        let mut refused = self.refused.borrow_mut();
        let begun = refused.read > 0;
        let rest = refused.answer.get(refused.read..)?;
        if !begun && !pace.is_between_answers() {
            return None;
        }
        let len = rest.len().min(buffer.len());
        if len == 0 {
            return None;
        }
        buffer[..len].copy_from_slice(&rest[..len]);
        refused.read += len;
        Some(len)
    }

    /// Writes to the device what it may be given now.
    fn write_device(
        &self,
        pace: &mut Pace,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<Result<usize, StreamError>> {
        let Some(count) = pace.writable(cx, bytes) else {
            return Poll::Pending;
        };
        let message = &bytes[..count];
        // The device takes a write at once, and never says that it is ready for one.
        let written = loop {
            match write(self.source.io(), message) {
                Err(Errno::INTR) => {}
                Err(errno) if pace.is_whole(message) => break self.refuse(message, errno),
                Ok(len @ 1..) => break Ok(len),
                Ok(0) | Err(_) => break Err(StreamError::Closed),
            }
        };
        if let Ok(len) = written {
            pace.written(&bytes[..len.min(count)]);
        }
        Poll::Ready(written)
    }

    /// The device has taken none of `message`, and forgotten it.
    fn refuse(&self, message: &[u8], errno: Errno) -> Result<usize, StreamError> {
        let answer = refusal::answer(message, errno).ok_or(StreamError::Closed)?;
        let mut refused = self.refused.borrow_mut();
        refused.answer = answer;
        refused.read = 0;
        refused.readers.wake_all();
        Ok(message.len())
    }
}

fn refused(path: &'static str, errno: i32) -> OpenError {
    OpenError::Xenstore { path, errno }
}

fn failed(path: &'static str, error: &io::Error) -> OpenError {
    refused(path, error.raw_os_error().unwrap_or(0))
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
        let pace = self.pace.as_ref().map(RefCell::borrow);
        let refused = pace.and_then(|pace| self.read_refused(&pace, buffer));
        let len = match refused {
            Some(len) => len,
            None => {
                let mut refused = self.refused.borrow_mut();
                refused.readers.register(cx.waker());
                drop(refused);
                ready!(self.source.poll_read(cx, buffer))?
            }
        };
        if let Some(pace) = &self.pace {
            pace.borrow_mut().read(&buffer[..len.min(buffer.len())]);
        }
        Poll::Ready(Ok(len))
    }

    fn poll_write(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize, StreamError>> {
        if bytes.is_empty() {
            return Poll::Ready(Ok(0));
        }
        if let Some(pace) = &self.pace {
            return self.write_device(&mut pace.borrow_mut(), cx, bytes);
        }
        self.source.poll_write(cx, bytes)
    }
}
