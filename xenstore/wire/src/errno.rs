//! Errors by name (io/xs_wire.h, `xsd_errors`).

use core::fmt;

macro_rules! errnos {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// Why a server refuses a request. It travels by its C name.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum Errno {
            $($(#[$doc])* $name,)*
        }

        impl Errno {
            /// All that a server may send.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The C name.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }

            /// The error with this C name, if it is a known one.
            pub fn from_name(name: &[u8]) -> Option<Self> {
                match name {
                    $(name if name == $text.as_bytes() => Some(Self::$name),)*
                    _ => None,
                }
            }
        }
    };
}

errnos! {
    /// The request is malformed.
    Invalid = "EINVAL",
    /// Not permitted by the node's permissions.
    Access = "EACCES",
    /// It is there already.
    Exists = "EEXIST",
    /// Not for a directory.
    IsDirectory = "EISDIR",
    /// No such node, watch or transaction.
    NotFound = "ENOENT",
    /// The server is out of memory.
    NoMemory = "ENOMEM",
    /// A quota is used up.
    NoSpace = "ENOSPC",
    /// The server failed.
    Io = "EIO",
    /// The node has children.
    NotEmpty = "ENOTEMPTY",
    /// The server does not know this operation.
    NotSupported = "ENOSYS",
    /// Not now: reading only.
    ReadOnly = "EROFS",
    /// Too many transactions, or in use.
    Busy = "EBUSY",
    /// The transaction met another's changes: try again.
    Again = "EAGAIN",
    /// Connected already.
    Connected = "EISCONN",
    /// Too long for a reply.
    TooBig = "E2BIG",
    /// Not permitted to this domain at all.
    NotPermitted = "EPERM",
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl core::error::Error for Errno {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_errors_map_to_each_other() {
        for &errno in Errno::ALL {
            assert_eq!(Errno::from_name(errno.name().as_bytes()), Some(errno));
        }
        assert_eq!(Errno::from_name(b"EWHATEVER"), None);
        assert_eq!(Errno::from_name(b"EAGAIN\0"), None);
    }
}
