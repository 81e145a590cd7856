//! A guest's terminal: a pseudo-terminal of Linux's, which `xl console` opens.

use core::task::{Context, Poll};
use std::io;
use std::os::fd::OwnedFd;

use morgana_hal::{ByteStream, StreamError};
use morgana_reactor::{Reactor, Source};
use rustix::fs::{Mode, OFlags, fcntl_setfl, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

/// The side of the daemon.
#[derive(Debug)]
pub(crate) struct Terminal {
    ours: Source<OwnedFd>,
    /// Kept open: what is shown while nobody looks stays until somebody does.
    _theirs: OwnedFd,
}

impl Terminal {
    /// Makes one, in which bytes pass as they are; returns it with the path of its other side.
    ///
    /// # Errors
    ///
    /// Linux's.
    pub(crate) fn open(reactor: &Reactor) -> io::Result<(Self, String)> {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&ours)?;
        unlockpt(&ours)?;
        let path = ptsname(&ours, Vec::new())?;
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let theirs = open(path.as_c_str(), flags, Mode::empty())?;
        let mut settings = tcgetattr(&theirs)?;
        settings.make_raw();
        tcsetattr(&theirs, OptionalActions::Now, &settings)?;
        fcntl_setfl(&ours, OFlags::NONBLOCK)?;
        let path = path.into_string().map_err(|_| io::ErrorKind::InvalidData)?;
        let terminal = Self {
            ours: reactor.register(ours)?,
            _theirs: theirs,
        };
        Ok((terminal, path))
    }
}

impl ByteStream for Terminal {
    fn poll_read(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<Result<usize, StreamError>> {
        self.ours.poll_read(cx, buffer)
    }

    fn poll_write(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize, StreamError>> {
        self.ours.poll_write(cx, bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::task::Waker;
    use std::fs::File;
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;

    /// Polls until there is an answer.
    fn answer<T>(reactor: &Reactor, mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>) -> T {
        loop {
            if let Poll::Ready(answer) = poll(&mut Context::from_waker(Waker::noop())) {
                return answer;
            }
            reactor.wait(None);
            reactor.collect();
        }
    }

    #[test]
    fn bytes_pass_as_they_are_and_wait_for_whoever_looks() {
        let (wake, _other) = UnixStream::pair().unwrap();
        let reactor = Reactor::new(&wake).unwrap();
        let (terminal, path) = Terminal::open(&reactor).unwrap();
        let sent = b"\x03\x1b[A\r\n\0\xff";
        let len = answer(&reactor, |cx| terminal.poll_write(cx, sent));
        assert_eq!(len, Ok(sent.len()));
        let mut other = File::options().read(true).write(true).open(path).unwrap();
        let mut shown = [0; 8];
        other.read_exact(&mut shown).unwrap();
        assert_eq!(&shown, sent);
        other.write_all(sent).unwrap();
        drop(other);
        let mut typed = [0; 16];
        let len = answer(&reactor, |cx| terminal.poll_read(cx, &mut typed));
        assert_eq!(&typed[..len.unwrap()], sent);
    }
}
