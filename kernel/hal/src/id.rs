//! Numbers that name things, as types that cannot be mixed up.

use core::fmt;

/// Bytes in a page, on x86 and in every Xen interface.
pub const PAGE_SIZE: usize = 4096;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($int:ty), $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[repr(transparent)]
        pub struct $name($int);

        impl $name {
            /// Gives the number its type.
            pub const fn new(number: $int) -> Self {
                Self(number)
            }

            /// The bare number, as it goes over an interface.
            pub const fn number(self) -> $int {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }
    };
}

id! {
    /// A domain id (xen.h, `domid_t`).
    DomId(u16), "d"
}
id! {
    /// An event channel port of the own domain, or of a peer where a name says so (event_channel.h, `evtchn_port_t`).
    Port(u32), "port "
}
id! {
    /// A reference into a domain's grant table (grant_table.h, `grant_ref_t`).
    GrantRef(u32), "gref "
}
id! {
    /// A frame number in the own domain's contiguous view of its memory.
    Pfn(u64), "pfn "
}
id! {
    /// A frame number of the machine's real memory, as PV page tables hold it.
    Mfn(u64), "mfn "
}

impl DomId {
    /// The control domain.
    pub const DOM0: Self = Self::new(0);
    /// The calling domain itself, in hypercalls (xen.h, `DOMID_SELF`).
    pub const SELF: Self = Self::new(0x7ff0);
}
