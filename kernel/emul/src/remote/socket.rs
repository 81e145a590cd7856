//! Messages over a socket, some with descriptors.

use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::io::{self, Errno};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, Shutdown, SocketFlags, SocketType, recv, recvmsg, sendmsg,
    shutdown, socketpair,
};

use super::message::MAX_MESSAGE;

/// How many descriptors come with a message at the most.
const MAX_DESCRIPTORS: usize = 3;

/// One end of a connection.
#[derive(Debug)]
pub(crate) struct Socket(OwnedFd);

/// The other side is gone, or a message was too long.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Ended {
    Closed,
    TooLong,
}

impl Socket {
    pub(crate) fn new(socket: OwnedFd) -> Self {
        Self(socket)
    }

    /// Two ends.
    pub(crate) fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
        let (kind, flags) = (SocketType::SEQPACKET, SocketFlags::CLOEXEC);
        socketpair(AddressFamily::UNIX, kind, flags, None)
    }

    pub(crate) fn send(&self, message: &[u8], descriptors: &[BorrowedFd<'_>]) -> Result<(), Ended> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_DESCRIPTORS))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        if !descriptors.is_empty() && !control.push(SendAncillaryMessage::ScmRights(descriptors)) {
            return Err(Ended::TooLong);
        }
        loop {
            let sent = sendmsg(
                &self.0,
                &[IoSlice::new(message)],
                &mut control,
                SendFlags::NOSIGNAL,
            );
            match sent {
                Ok(_) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(_) => return Err(Ended::Closed),
            }
        }
    }

    /// Waits for a message. Descriptors that come with it are closed. Returns its length in `buffer`.
    pub(crate) fn receive(&self, buffer: &mut Buffer) -> Result<usize, Ended> {
        loop {
            match recv(&self.0, &mut buffer.0[..], RecvFlags::empty()) {
                Ok((len, _)) => return buffer.checked(len),
                Err(Errno::INTR) => {}
                Err(_) => return Err(Ended::Closed),
            }
        }
    }

    /// As [`receive`](Self::receive), and keeps the descriptors.
    pub(crate) fn receive_with_descriptors(
        &self,
        buffer: &mut Buffer,
    ) -> Result<(usize, Vec<OwnedFd>), Ended> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_DESCRIPTORS))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let len = loop {
            let mut parts = [IoSliceMut::new(&mut buffer.0)];
            match recvmsg(&self.0, &mut parts, &mut control, RecvFlags::CMSG_CLOEXEC) {
                Ok(received) => break received.bytes,
                Err(Errno::INTR) => {}
                Err(_) => return Err(Ended::Closed),
            }
        };
        let mut descriptors = Vec::new();
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(received) = message {
                descriptors.extend(received);
            }
        }
        Ok((buffer.checked(len)?, descriptors))
    }

    /// Ends the connection, whoever else holds its descriptor.
    pub(crate) fn close(&self) {
        // It may be closed already.
        let _ = shutdown(&self.0, Shutdown::Both);
    }
}

/// Room for one message, and a byte more, by which one sees that it was longer.
#[derive(Debug)]
pub(crate) struct Buffer(Vec<u8>);

impl Buffer {
    pub(crate) fn new() -> Self {
        Self(vec![0; MAX_MESSAGE + 1])
    }

    fn checked(&self, len: usize) -> Result<usize, Ended> {
        match len {
            // There are no empty messages.
            0 => Err(Ended::Closed),
            len if len > MAX_MESSAGE => Err(Ended::TooLong),
            len => Ok(len),
        }
    }

    pub(crate) fn message(&self, len: usize) -> &[u8] {
        &self.0[..len]
    }
}
