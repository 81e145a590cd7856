//! How a domain is.

/// How a domain is, as Xen tells those who may ask.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DomainState {
    /// It runs, or is paused.
    Running,
    /// It has shut down, whatever for, and is there still.
    ShutDown,
    /// It is dying, or dead, or there never was one.
    Gone,
}
