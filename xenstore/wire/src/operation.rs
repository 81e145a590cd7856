//! The operations (io/xs_wire.h, `enum xsd_sockmsg_type`; the last four are newer than Xen 4.17).

macro_rules! operations {
    ($($(#[$doc:meta])* $name:ident = $code:literal,)*) => {
        /// What a packet asks for or answers.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[repr(u32)]
        pub enum Operation {
            $($(#[$doc])* $name = $code,)*
        }

        impl Operation {
            /// All operations, by number.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The operation with this number, if there is one.
            pub const fn from_code(code: u32) -> Option<Self> {
                match code {
                    $($code => Some(Self::$name),)*
                    _ => None,
                }
            }
        }
    };
}

operations! {
    /// A command to the daemon itself.
    Control = 0,
    /// The names of a node's children.
    Directory = 1,
    /// A node's value.
    Read = 2,
    /// A node's permissions.
    GetPerms = 3,
    /// Tell me of changes at and below a path.
    Watch = 4,
    /// No longer.
    Unwatch = 5,
    /// Begin a transaction.
    TransactionStart = 6,
    /// Commit or abort it.
    TransactionEnd = 7,
    /// Serve a domain.
    Introduce = 8,
    /// Serve it no longer.
    Release = 9,
    /// The path of a domain's home.
    GetDomainPath = 10,
    /// Set a node's value; make the node and its parents.
    Write = 11,
    /// Make a node and its parents.
    Mkdir = 12,
    /// Delete a node and all below it.
    Rm = 13,
    /// Set a node's permissions.
    SetPerms = 14,
    /// From the server: something watched has changed.
    WatchEvent = 15,
    /// From the server: the request failed.
    Error = 16,
    /// Is a domain being served?
    IsDomainIntroduced = 17,
    /// A domain runs again that had shut down.
    Resume = 18,
    /// Give a domain the rights of another.
    SetTarget = 19,
    /// Forget all of the caller's watches and transactions. (20 was `XS_RESTRICT`.)
    ResetWatches = 21,
    /// The names of a node's children, in parts.
    DirectoryPart = 22,
    /// Which features the server has, or shows a domain.
    GetFeature = 23,
    /// Which features the server shall show a domain.
    SetFeature = 24,
    /// Names or values of quota.
    GetQuota = 25,
    /// Set a quota.
    SetQuota = 26,
}

impl Operation {
    /// The operation's number.
    pub const fn code(self) -> u32 {
        self as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_operations_map_to_each_other() {
        for &operation in Operation::ALL {
            assert_eq!(Operation::from_code(operation.code()), Some(operation));
        }
        assert_eq!(Operation::ALL.len(), 26);
        for code in [20, 27, 0xffff, u32::MAX] {
            assert_eq!(Operation::from_code(code), None);
        }
    }
}
