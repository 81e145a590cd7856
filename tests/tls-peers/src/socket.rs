//! A socket of the system behind the traits of asynchronous streams.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use embedded_io_async::{ErrorKind, ErrorType, Read, Write};

/// How long a peer may be silent. It has failed then.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A connection whose reads and writes block: each connection of a test has its turn, and needs no other task.
#[derive(Debug)]
pub struct Socket(TcpStream);

impl Socket {
    /// Takes a connection.
    ///
    /// # Errors
    ///
    /// Those of the system.
    pub fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Self(stream))
    }
}

fn kind(error: &io::Error) -> ErrorKind {
    match error.kind() {
        io::ErrorKind::ConnectionReset => ErrorKind::ConnectionReset,
        io::ErrorKind::BrokenPipe => ErrorKind::BrokenPipe,
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => ErrorKind::TimedOut,
        _ => ErrorKind::Other,
    }
}

impl ErrorType for Socket {
    type Error = ErrorKind;
}

impl Read for Socket {
    async fn read(&mut self, into: &mut [u8]) -> Result<usize, ErrorKind> {
        self.0.read(into).map_err(|error| kind(&error))
    }
}

impl Write for Socket {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        self.0.write(bytes).map_err(|error| kind(&error))
    }

    async fn flush(&mut self) -> Result<(), ErrorKind> {
        Ok(())
    }
}
