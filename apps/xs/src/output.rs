//! Standard output.

use std::fmt::Display;
use std::future::{pending, poll_fn};
use std::io::{self, BufWriter, ErrorKind, IsTerminal, Stdout, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::task::{Context, Poll};

use morgana_linux::{Direction, Reactor, Source};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::failure::Failure;
use crate::paint::{Paint, Painted, Style};

/// Bytes that wait to be written at once.
const BUFFER: usize = 16 * 1024;

/// Where results go. It is buffered; what is to be seen at once is flushed.
#[derive(Debug)]
pub(crate) struct Output {
    out: BufWriter<Stdout>,
    audience: Audience,
    paint: Paint,
}

/// Who reads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Audience {
    /// Somebody at a terminal, who wants each line when it is there.
    Person,
    /// A program or a file.
    Program,
}

impl Output {
    pub(crate) fn new(paint: Paint) -> Self {
        let out = io::stdout();
        let audience = if out.is_terminal() {
            Audience::Person
        } else {
            Audience::Program
        };
        Self {
            out: BufWriter::with_capacity(BUFFER, out),
            audience,
            paint,
        }
    }

    /// Writes a line.
    pub(crate) fn line(&mut self, text: impl Display) -> Result<(), Failure> {
        writeln!(self.out, "{text}")?;
        match self.audience {
            Audience::Person => self.flush(),
            Audience::Program => Ok(()),
        }
    }

    /// Writes bytes as they are.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        Ok(self.out.write_all(bytes)?)
    }

    /// Lets all that was written be seen.
    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        Ok(self.out.flush()?)
    }

    /// `text` as what it is.
    pub(crate) fn paint<T: Display>(&self, style: Style, text: T) -> Painted<T> {
        self.paint.as_what(style, text)
    }
}

/// Ready once nobody is left who reads standard output. Of a plain file that cannot be known.
pub(crate) fn reader_gone(reactor: &Reactor) -> impl Future<Output = ()> + use<> {
    let copy = io::stdout().as_fd().try_clone_to_owned();
    let source = copy.and_then(|copy| reactor.register(copy)).ok();
    async move {
        match source {
            Some(source) => poll_fn(|cx| poll_gone(&source, cx)).await,
            None => pending().await,
        }
    }
}

fn poll_gone(source: &Source<OwnedFd>, cx: &mut Context<'_>) -> Poll<()> {
    // Its readers' end is told as if it could be written.
    let look = |out: &OwnedFd| {
        let mut fds = [PollFd::new(out, PollFlags::empty())];
        let now = Timespec::default();
        poll(&mut fds, Some(&now))?;
        let gone = PollFlags::ERR | PollFlags::HUP;
        if fds[0].revents().intersects(gone) {
            return Ok(());
        }
        Err(ErrorKind::WouldBlock.into())
    };
    // What cannot be asked is not gone.
    source.poll_io(Direction::Write, cx, look).map(drop)
}
