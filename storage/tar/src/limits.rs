//! How much an archive may take.

/// What an archive may have, so that a disk's contents do not decide how much memory the domain uses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Entries, those that are passed over included.
    pub entries: usize,
    /// Bytes of all paths together.
    pub path_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            entries: 4096,
            path_bytes: 256 * 1024,
        }
    }
}

/// Bytes in a path (Linux's `PATH_MAX` is four times that).
pub(crate) const PATH_MAX: usize = 1024;

/// Bytes of a pax header or a long name.
pub(crate) const EXTENSION_MAX: usize = 16 * 1024;

/// Extension headers before an entry: GNU tar writes two at the most, pax one and perhaps a global one.
pub(crate) const EXTENSIONS: usize = 4;
