//! What the caller may be told.

/// Why a back end was not added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddError {
    /// The name is empty, too long, or has other characters than letters, digits, `-`, `.` and `_`.
    BadName,
    /// There is one of this name with another address.
    NameInUse,
    /// There is one of this name, which drains.
    Draining,
    /// There are as many as there may be.
    Full,
}

impl core::fmt::Display for AddError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::BadName => "a name has 1 to 64 letters, digits, '-', '.' and '_'",
            Self::NameInUse => "another back end has this name",
            Self::Draining => "the back end of this name drains",
            Self::Full => "too many back ends",
        })
    }
}

impl core::error::Error for AddError {}

/// There is no back end of this name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoSuchBackend;

impl core::fmt::Display for NoSuchBackend {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("no such back end")
    }
}

impl core::error::Error for NoSuchBackend {}
