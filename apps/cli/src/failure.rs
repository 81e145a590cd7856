//! Why a command did not do what it was asked for.

use std::fmt;
use std::io::{self, Write};

/// Why, in one line.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command line makes no sense.
    Usage(String),
    /// Anything else.
    Failed(String),
    /// Standard output cannot be written.
    Output(io::Error),
    /// Ctrl-C.
    Interrupted,
}

impl Failure {
    /// A function for `map_err`.
    pub(crate) fn of(error: impl fmt::Display) -> Self {
        Self::Failed(error.to_string())
    }
}

impl morgana_command::Failure for Failure {
    fn usage(why: String) -> Self {
        Self::Usage(why)
    }

    fn status(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            // Who reads has seen enough.
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => 0,
            Self::Failed(_) | Self::Output(_) => 1,
            Self::Interrupted => 130,
        }
    }

    fn tell(&self) {
        if matches!(self, Self::Usage(_) | Self::Failed(_)) || self.status() == 1 {
            // Nobody is left to be told if that fails.
            let _ = writeln!(io::stderr(), "morgana: {self}");
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(text) | Self::Failed(text) => f.write_str(text),
            Self::Output(error) => write!(f, "standard output: {error}"),
            Self::Interrupted => f.write_str("interrupted"),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}
