//! What a command can fail with, in words and as an exit status.

use std::fmt;
use std::io::{self, Write};
use std::time::Duration;

use morgana_command::Failure as _;
use morgana_linux::ConnectError;
use morgana_xenstore_client::Error;

use crate::words::words;

/// Why the program ends without success.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command line makes no sense.
    Usage(String),
    /// There is no way to xenstored.
    Connect(ConnectError),
    /// Something about one node, or about the connection if there is no path.
    Node { path: String, error: Error },
    /// A request that is about no node.
    Request(Error),
    /// It did not happen in the time that it was given.
    NotInTime { what: String, limit: Duration },
    /// Anything else.
    Other(String),
    /// Standard output cannot be written.
    Output(io::Error),
    /// It has been told already, line by line; the exit status is left.
    Told(u8),
}

impl Failure {
    const FAILED: u8 = 1;
    const USAGE: u8 = 2;
    pub(crate) const NOT_THERE: u8 = 3;
    const NOT_IN_TIME: u8 = 4;

    /// A function for `map_err` on requests about `path`.
    pub(crate) fn at(path: &str) -> impl Fn(Error) -> Self {
        move |error| Self::Node {
            path: path.to_owned(),
            error,
        }
    }
}

impl morgana_command::Failure for Failure {
    fn usage(why: String) -> Self {
        Self::Usage(why)
    }

    fn status(&self) -> u8 {
        match self {
            Self::Usage(_) => Self::USAGE,
            Self::Node { error, .. } if error.is_not_found() => Self::NOT_THERE,
            Self::NotInTime { .. } => Self::NOT_IN_TIME,
            // Who reads has seen enough.
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => 0,
            Self::Told(status) => *status,
            _ => Self::FAILED,
        }
    }

    fn tell(&self) {
        let quiet = matches!(self, Self::Told(_)) || self.status() == 0;
        if !quiet {
            // Nobody is left to be told if that fails.
            let _ = writeln!(io::stderr(), "xs: {self}");
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Request(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(text) | Self::Other(text) => f.write_str(text),
            Self::Connect(error) => error.fmt(f),
            // Not the node's fault.
            Self::Node {
                error: error @ (Error::Closed(_) | Error::Contended),
                ..
            }
            | Self::Request(error) => f.write_str(&words(*error)),
            Self::Node { path, error } => write!(f, "{path}: {}", words(*error)),
            Self::NotInTime { what, limit } => {
                write!(f, "{what} within {} s", limit.as_secs_f64())
            }
            Self::Output(error) => write!(f, "standard output: {error}"),
            Self::Told(_) => Ok(()),
        }
    }
}

/// What went wrong with some of several things: each is told at once, and the others are done all the same.
#[derive(Debug, Default)]
pub(crate) struct Failures(Option<u8>);

impl Failures {
    /// Tells of `failure` and goes on. What makes going on useless is handed back.
    pub(crate) fn note(&mut self, failure: Failure) -> Result<(), Failure> {
        let about_one_node = matches!(&failure, Failure::Node { error, .. }
            if !matches!(error, Error::Closed(_)));
        if !about_one_node {
            return Err(failure);
        }
        failure.tell();
        self.0.get_or_insert(failure.status());
        Ok(())
    }

    /// Success, if nothing was noted; else the first one's status.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        self.0.map_or(Ok(()), |status| Err(Failure::Told(status)))
    }
}
