//! The Unix socket of local clients.

use core::task::{Context, Poll};
use std::io;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::rc::Rc;

use morgana_hal::{ByteStream, StreamError};
use morgana_reactor::{Reactor, Source};

/// Where Xen's libraries look for it: by the environment, or at the place that Xen's configuration names.
pub(crate) fn path() -> PathBuf {
    if let Some(path) = std::env::var_os("XENSTORED_PATH") {
        return path.into();
    }
    let folder = std::env::var_os("XENSTORED_RUNDIR");
    let folder = folder.map_or_else(|| "/run/xenstored".into(), PathBuf::from);
    folder.join("socket")
}

/// One client's stream.
#[derive(Debug)]
pub(crate) struct Stream(Rc<Source<UnixStream>>);

impl Stream {
    pub(crate) fn new(stream: UnixStream, reactor: &Reactor) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        reactor.register_stream(stream).map(Rc::new).map(Self)
    }

    /// The socket.
    pub(crate) fn socket(&self) -> &Rc<Source<UnixStream>> {
        &self.0
    }
}

impl ByteStream for Stream {
    fn poll_read(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<Result<usize, StreamError>> {
        self.0.poll_read(cx, buffer)
    }

    fn poll_write(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize, StreamError>> {
        self.0.poll_write(cx, bytes)
    }
}
