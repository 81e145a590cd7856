//! Why a command did not do what it was asked for.

use std::fmt;
use std::io;

use morgana_providers::{Error, Family};

/// Why, in one line.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command line makes no sense.
    Usage(String),
    /// The provider has not done it.
    Provider(Error),
    /// A machine that was run has crashed.
    Crashed(String),
    /// Standard output cannot be written.
    Output(io::Error),
}

impl morgana_command::Failure for Failure {
    fn usage(why: String) -> Self {
        Self::Usage(why)
    }

    /// 2 if asking so again is of no use, 1 if something was refused or lost.
    fn status(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Provider(error) if error.family() == Family::BadInput => 2,
            Self::Provider(_) | Self::Crashed(_) | Self::Output(_) => 1,
        }
    }

    fn tell(&self) {
        eprintln!("morgana-machines: {self}");
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(text) => f.write_str(text),
            Self::Provider(error) => error.fmt(f),
            Self::Crashed(name) => write!(f, "{name} has crashed"),
            Self::Output(error) => write!(f, "standard output: {error}"),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Provider(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}
