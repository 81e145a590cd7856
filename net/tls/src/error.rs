//! What ends a connection.

use core::fmt;

use rustls::Error as Rustls;

/// Why a stream has failed.
#[derive(Clone, PartialEq, Debug)]
pub enum TlsError<E> {
    /// The stream below has failed.
    Io(E),
    /// The peer breaks the protocol, or both have nothing in common; it was told so by an alert.
    Protocol(Rustls),
    /// The stream below has ended without the peer saying that it ends: somebody may have cut it off (RFC 8446, 6.1).
    Truncated,
    /// The peer says more before the handshake's end than is kept.
    TooMuch,
    /// This end has been closed.
    Closed,
}

/// Why there is no secure stream.
#[derive(Clone, PartialEq, Debug)]
pub enum AcceptError<E> {
    /// The handshake has failed.
    Tls(TlsError<E>),
    /// It took too long.
    TimedOut,
    /// There were too many at a time, and this was the oldest.
    Displaced,
}

/// The platform has no random bytes, and without any there is no secrecy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoEntropy;

impl fmt::Display for NoEntropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("there are no random bytes to be had")
    }
}

impl core::error::Error for NoEntropy {}

impl<E: fmt::Debug> fmt::Display for TlsError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "the stream below has failed: {error:?}"),
            Self::Protocol(error) => error.fmt(f),
            Self::Truncated => f.write_str("the peer has gone without a word"),
            Self::TooMuch => f.write_str("the peer's handshake is too long"),
            Self::Closed => f.write_str("the stream is closed"),
        }
    }
}

impl<E: fmt::Debug> fmt::Display for AcceptError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tls(error) => error.fmt(f),
            Self::TimedOut => f.write_str("the handshake took too long"),
            Self::Displaced => f.write_str("too many handshakes at a time"),
        }
    }
}

impl<E: fmt::Debug> core::error::Error for TlsError<E> {}
impl<E: fmt::Debug> core::error::Error for AcceptError<E> {}

impl<E: fmt::Debug> embedded_io_async::Error for TlsError<E> {
    fn kind(&self) -> embedded_io_async::ErrorKind {
        use embedded_io_async::ErrorKind;
        match self {
            Self::Io(_) => ErrorKind::Other,
            Self::Protocol(_) | Self::TooMuch => ErrorKind::InvalidData,
            Self::Truncated => ErrorKind::ConnectionAborted,
            Self::Closed => ErrorKind::NotConnected,
        }
    }
}

impl<E> From<Rustls> for TlsError<E> {
    fn from(error: Rustls) -> Self {
        Self::Protocol(error)
    }
}

impl<E> From<TlsError<E>> for AcceptError<E> {
    fn from(error: TlsError<E>) -> Self {
        Self::Tls(error)
    }
}
