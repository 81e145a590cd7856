//! A connection.

use core::future::poll_fn;
use core::task::{Context, Poll, ready};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};

use embedded_io_async::{ErrorType, Read, Write};
use morgana_hal::{ByteStream, StreamError};
use morgana_reactor::{Direction, Source};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, socket_with};

use crate::{Host, SocketError};

/// A TCP connection.
#[derive(Debug)]
pub struct Stream {
    source: Source<TcpStream>,
}

impl Stream {
    /// Connects. Who does not want to wait as long as the kernel does (minutes) drops the future.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub async fn connect(host: &Host, to: SocketAddr) -> io::Result<Self> {
        let family = match to {
            SocketAddr::V4(_) => AddressFamily::INET,
            SocketAddr::V6(_) => AddressFamily::INET6,
        };
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let socket = TcpStream::from(socket_with(family, SocketType::STREAM, flags, None)?);
        match connect(&socket, &to) {
            Ok(()) => return Self::over(host, socket),
            Err(Errno::INPROGRESS) => {}
            Err(error) => return Err(error.into()),
        }
        // It can be written to once it is connected, or has failed.
        let source = host.reactor().register(socket)?;
        poll_fn(|cx| {
            source.poll_io(Direction::Write, cx, |socket| {
                if let Some(error) = socket.take_error()? {
                    return Err(error);
                }
                match socket.peer_addr() {
                    Err(error) if error.kind() == ErrorKind::NotConnected => {
                        Err(ErrorKind::WouldBlock.into())
                    }
                    other => other.map(|_| ()),
                }
            })
        })
        .await?;
        source.io().set_nodelay(true)?;
        Ok(Self { source })
    }

    pub(crate) fn over(host: &Host, socket: TcpStream) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        socket.set_nodelay(true)?;
        let source = host.reactor().register_stream(socket)?;
        Ok(Self { source })
    }

    /// The own end.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.source.io().local_addr()
    }

    /// Ends the own half.
    ///
    /// # Errors
    ///
    /// The kernel's, if the connection has broken already.
    pub fn shutdown(&self) -> io::Result<()> {
        self.source.io().shutdown(Shutdown::Write)
    }
}

/// For what is written against hal's streams.
impl ByteStream for Stream {
    fn poll_read(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<Result<usize, StreamError>> {
        if buffer.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let read = self
            .source
            .poll_io(Direction::Read, cx, |mut socket| socket.read(buffer));
        match ready!(read) {
            Ok(0) | Err(_) => Poll::Ready(Err(StreamError::Closed)),
            Ok(count) => {
                if count < buffer.len() {
                    self.source.used_up(Direction::Read);
                }
                Poll::Ready(Ok(count))
            }
        }
    }

    fn poll_write(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize, StreamError>> {
        if bytes.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let written = self
            .source
            .poll_io(Direction::Write, cx, |mut socket| socket.write(bytes));
        written.map_err(|_| StreamError::Closed)
    }
}

impl ErrorType for Stream {
    type Error = SocketError;
}

impl Read for Stream {
    async fn read(&mut self, room: &mut [u8]) -> Result<usize, SocketError> {
        if room.is_empty() {
            return Ok(0);
        }
        let read = poll_fn(|cx| {
            self.source
                .poll_io(Direction::Read, cx, |mut socket| socket.read(room))
        });
        let count = read.await?;
        if count < room.len() {
            self.source.used_up(Direction::Read);
        }
        Ok(count)
    }
}

impl Write for Stream {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, SocketError> {
        if bytes.is_empty() {
            return Ok(0);
        }
        let written = poll_fn(|cx| {
            self.source
                .poll_io(Direction::Write, cx, |mut socket| socket.write(bytes))
        });
        Ok(written.await?)
    }

    async fn flush(&mut self) -> Result<(), SocketError> {
        Ok(())
    }
}
