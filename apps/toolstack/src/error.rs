//! Why something was not done to a domain.

use core::fmt;

use morgana_builder::BuildError;
use morgana_hal::{DomId, ToolstackError};
use morgana_xenstore_client::Error;

use crate::outlets::OutletError;

/// Why.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HostError {
    /// A domain of this name exists.
    NameInUse(DomId),
    /// The domain was not built. Nothing is left of it.
    Build(BuildError),
    /// A device was not plugged in. Of the domain nothing is left.
    Outlet(OutletError),
    /// No back end has taken a device within 40 s. Of the domain nothing is left.
    NoBackEnd,
    /// A back end does not want a device. Of the domain nothing is left.
    BackEndRefuses,
    /// The domain of a back end is not there.
    NoBackEndDomain,
    /// xenstored refused. Of a domain to be made nothing is left.
    Xenstore(Error),
    /// Xen refused.
    Xen(ToolstackError),
    /// There is no such domain.
    NoSuchDomain,
    /// The domain is ended, but somebody still has pages of it mapped.
    StillDying,
    /// Another domain has had a disk for 10 s that the domain to be could write.
    DiskInUse(DomId),
    /// It is not for a toolstack to do this to the domain that it runs in.
    Dom0,
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NameInUse(domain) => write!(
                f,
                "a domain of this name exists: number {}",
                domain.number()
            ),
            Self::Build(error) => error.fmt(f),
            Self::Outlet(error) => error.fmt(f),
            Self::NoBackEnd => f.write_str("no back end has taken a device within 40 s"),
            Self::BackEndRefuses => f.write_str("a device's back end refuses it"),
            Self::NoBackEndDomain => {
                f.write_str("there is no such domain as a device's backend= names")
            }
            Self::Xenstore(error) => write!(f, "xenstore: {error}"),
            Self::Xen(error) => error.fmt(f),
            Self::NoSuchDomain => f.write_str("there is no such domain"),
            Self::StillDying => f.write_str(
                "the domain is ended, but not gone: somebody still has pages of it mapped",
            ),
            Self::DiskInUse(domain) => {
                write!(f, "domain {} has a disk of it", domain.number())
            }
            Self::Dom0 => f.write_str("that is not done to domain 0"),
        }
    }
}

impl core::error::Error for HostError {}

impl From<BuildError> for HostError {
    fn from(error: BuildError) -> Self {
        Self::Build(error)
    }
}

impl From<OutletError> for HostError {
    fn from(error: OutletError) -> Self {
        Self::Outlet(error)
    }
}

impl From<Error> for HostError {
    fn from(error: Error) -> Self {
        Self::Xenstore(error)
    }
}

impl From<ToolstackError> for HostError {
    fn from(error: ToolstackError) -> Self {
        match error {
            ToolstackError::NoSuchDomain => Self::NoSuchDomain,
            error => Self::Xen(error),
        }
    }
}
