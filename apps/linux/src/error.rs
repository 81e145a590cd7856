//! Why an app could not be run.

use core::fmt;
use std::io;
use std::path::PathBuf;

use morgana_emul::CreateError;
use morgana_exec::TooManyTasks;
use morgana_hal::EventError;
use morgana_linux::OpenError;
use morgana_netback::ConnectError;
use morgana_usernet::{Forward, Protocol};
use morgana_xenstore_client::Error as XenstoreError;
use morgana_xenstored::IntroduceError;

use crate::{Disk, UsageError};

/// Why an app could not be run.
#[derive(Debug)]
pub enum MachineError {
    /// The command line asks for what there is not.
    Usage(UsageError),
    /// The real Xen's devices cannot be used.
    Xen(OpenError),
    /// A port of the host cannot be listened on.
    Listen(Forward, io::Error),
    /// A capture cannot be written there.
    Capture(PathBuf, io::Error),
    /// The host has refused something else.
    Host(io::Error),
    /// A domain could not be made.
    Create(CreateError),
    /// xenstored cannot serve a domain.
    Introduce(IntroduceError),
    /// Domain 0 has no event channel for what it has to hear.
    Events(EventError),
    /// The domain's keys could not be written.
    Xenstore(XenstoreError),
    /// The network back end could not be set up.
    Network(ConnectError),
    /// A disk's file cannot be opened.
    Disk(Disk, io::Error),
    /// A disk's back end could not be set up.
    Block(morgana_blkback::ConnectError),
    /// Domain 0 has no task left.
    TooManyTasks,
}

impl fmt::Display for MachineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(error) => error.fmt(f),
            Self::Xen(error) => error.fmt(f),
            Self::Listen(forward, error) => {
                let kind = match forward.protocol {
                    Protocol::Tcp => "port",
                    Protocol::Udp => "UDP port",
                };
                write!(f, "{kind} {} of 127.0.0.1: {error}", forward.host)
            }
            Self::Capture(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Host(error) => error.fmt(f),
            Self::Create(error) => error.fmt(f),
            Self::Introduce(error) => error.fmt(f),
            Self::Events(error) => error.fmt(f),
            Self::Xenstore(error) => error.fmt(f),
            Self::Network(error) => error.fmt(f),
            Self::Disk(disk, error) => write!(f, "{}: {error}", disk.file.display()),
            Self::Block(error) => error.fmt(f),
            Self::TooManyTasks => TooManyTasks.fmt(f),
        }
    }
}

impl core::error::Error for MachineError {}

macro_rules! from {
    ($($variant:ident($error:ty),)*) => {
        $(impl From<$error> for MachineError {
            fn from(error: $error) -> Self {
                Self::$variant(error)
            }
        })*
    };
}

from! {
    Usage(UsageError),
    Xen(OpenError),
    Host(io::Error),
    Create(CreateError),
    Introduce(IntroduceError),
    Events(EventError),
    Xenstore(XenstoreError),
    Network(ConnectError),
}

impl From<TooManyTasks> for MachineError {
    fn from(_: TooManyTasks) -> Self {
        Self::TooManyTasks
    }
}
