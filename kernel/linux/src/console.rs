//! The process's standard output and input, as the domain's console.

use core::task::{Context, Poll};
use std::io::{self, ErrorKind, Write};
use std::os::fd::BorrowedFd;

use morgana_hal::{ByteStream, StreamError};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::read;
use rustix::stdio::stdin;

use crate::{Direction, Reactor, Source};

/// Standard output and standard input.
///
/// Output goes out at once and blocks the process as long as its reader takes nothing: the descriptor is shared with whoever started the
/// process, so it is not made non-blocking.
#[derive(Debug)]
pub struct LinuxConsole {
    input: Input,
}

#[derive(Debug)]
enum Input {
    /// A terminal, a pipe, a socket: what can be waited for.
    Watched(Source<BorrowedFd<'static>>),
    /// A file, or nothing at all: reading it does not block.
    Plain,
}

impl LinuxConsole {
    pub(crate) fn new(reactor: &Reactor) -> Self {
        let input = match reactor.register(stdin()) {
            Ok(source) => Input::Watched(source),
            Err(_) => Input::Plain,
        };
        Self { input }
    }
}

impl ByteStream for LinuxConsole {
    fn poll_read(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<Result<usize, StreamError>> {
        if buffer.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let read = match &self.input {
            Input::Watched(source) => source.poll_io(Direction::Read, cx, |stdin| {
                if is_readable(stdin) {
                    Ok(read(stdin, &mut *buffer)?)
                } else {
                    Err(ErrorKind::WouldBlock.into())
                }
            }),
            Input::Plain => Poll::Ready(read(stdin(), buffer).map_err(io::Error::from)),
        };
        read.map(|read| match read {
            Ok(len @ 1..) => Ok(len),
            Ok(0) | Err(_) => Err(StreamError::Closed),
        })
    }

    fn poll_write(&self, _cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize, StreamError>> {
        let mut stdout = io::stdout().lock();
        let written = stdout.write_all(bytes).and_then(|()| stdout.flush());
        Poll::Ready(match written {
            Ok(()) => Ok(bytes.len()),
            Err(_) => Err(StreamError::Closed),
        })
    }
}

/// Whether a read returns at once. The descriptor blocks, so this is asked first.
fn is_readable(stdin: &BorrowedFd<'_>) -> bool {
    const NOW: Timespec = Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    let mut descriptors = [PollFd::new(stdin, PollFlags::IN)];
    poll(&mut descriptors, Some(&NOW)).is_ok_and(|ready| ready > 0)
}
