//! Extra info: slots of either ring that say more about the frame before them.

use core::fmt;

use bitflags::bitflags;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::MacAddr;

/// A slot of extra info as it stands in the ring (netif.h, `netif_extra_info`). In the transmit ring 4 unused bytes follow.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct ExtraInfo {
    kind: u8,
    flags: ExtraFlags,
    body: [u8; 6],
}

/// The flags of extra info (netif.h, `XEN_NETIF_EXTRA_FLAG_*`).
#[derive(
    Clone, Copy, PartialEq, Eq, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(transparent)]
pub struct ExtraFlags(u8);

bitflags! {
    impl ExtraFlags: u8 {
        /// Another slot of extra info follows (`XEN_NETIF_EXTRA_FLAG_MORE`).
        const MORE = 1 << 0;
    }
}

/// What extra info says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Extra {
    /// The frame is a large TCP packet, to be cut into segments (`XEN_NETIF_EXTRA_TYPE_GSO`).
    Gso {
        /// The most payload bytes in a segment.
        segment: u16,
        /// Of which protocol; `None` for a number that netif.h does not name.
        protocol: Option<GsoProtocol>,
        /// What else a segmenter must be able to do; netif.h names no bit.
        features: u16,
    },
    /// Pass frames for this group on to me (`XEN_NETIF_EXTRA_TYPE_MCAST_ADD`).
    MulticastAdd(MacAddr),
    /// No longer pass frames for this group on to me (`XEN_NETIF_EXTRA_TYPE_MCAST_DEL`).
    MulticastRemove(MacAddr),
    /// The frame's flow hash (`XEN_NETIF_EXTRA_TYPE_HASH`).
    Hash {
        /// Over which fields (`_XEN_NETIF_CTRL_HASH_TYPE_*`).
        fields: u8,
        /// How (`XEN_NETIF_CTRL_HASH_ALGORITHM_*`).
        algorithm: u8,
        /// The hash.
        value: u32,
    },
}

/// The protocol of a large packet (netif.h, `XEN_NETIF_GSO_TYPE_*`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum GsoProtocol {
    /// TCP over IPv4 (`XEN_NETIF_GSO_TYPE_TCPV4`).
    TcpV4,
    /// TCP over IPv6 (`XEN_NETIF_GSO_TYPE_TCPV6`).
    TcpV6,
}

/// The type of extra info is none that netif.h names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UnknownExtra(pub u8);

impl fmt::Display for UnknownExtra {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "extra info has the unknown type {}", self.0)
    }
}

impl core::error::Error for UnknownExtra {}

impl ExtraInfo {
    /// Says that the frame is a large packet of `protocol`, to be cut into segments of `segment` payload bytes.
    pub const fn gso(segment: u16, protocol: GsoProtocol) -> Self {
        let protocol = match protocol {
            GsoProtocol::TcpV4 => GSO_TCPV4,
            GsoProtocol::TcpV6 => GSO_TCPV6,
        };
        let [low, high] = segment.to_le_bytes();
        Self::new(TYPE_GSO, [low, high, protocol, 0, 0, 0])
    }

    /// Asks for frames that go to `group`.
    pub const fn multicast_add(group: MacAddr) -> Self {
        Self::new(TYPE_MCAST_ADD, group.0)
    }

    /// Asks for no more frames that go to `group`.
    pub const fn multicast_remove(group: MacAddr) -> Self {
        Self::new(TYPE_MCAST_DEL, group.0)
    }

    /// Tells a frame's hash.
    pub const fn hash(fields: u8, algorithm: u8, value: u32) -> Self {
        let [a, b, c, d] = value.to_le_bytes();
        Self::new(TYPE_HASH, [fields, algorithm, a, b, c, d])
    }

    /// The same, with another slot of extra info to follow.
    pub const fn followed(mut self) -> Self {
        self.flags = ExtraFlags::MORE;
        self
    }

    /// Whether another slot of extra info follows.
    pub const fn has_more(&self) -> bool {
        self.flags.contains(ExtraFlags::MORE)
    }

    /// What it says.
    pub const fn parse(&self) -> Result<Extra, UnknownExtra> {
        let [a, b, c, d, e, f] = self.body;
        Ok(match self.kind {
            TYPE_GSO => Extra::Gso {
                segment: u16::from_le_bytes([a, b]),
                protocol: match c {
                    GSO_TCPV4 => Some(GsoProtocol::TcpV4),
                    GSO_TCPV6 => Some(GsoProtocol::TcpV6),
                    _ => None,
                },
                features: u16::from_le_bytes([e, f]),
            },
            TYPE_MCAST_ADD => Extra::MulticastAdd(MacAddr(self.body)),
            TYPE_MCAST_DEL => Extra::MulticastRemove(MacAddr(self.body)),
            TYPE_HASH => Extra::Hash {
                fields: a,
                algorithm: b,
                value: u32::from_le_bytes([c, d, e, f]),
            },
            unknown => return Err(UnknownExtra(unknown)),
        })
    }

    const fn new(kind: u8, body: [u8; 6]) -> Self {
        Self {
            kind,
            flags: ExtraFlags::empty(),
            body,
        }
    }
}

// netif.h, XEN_NETIF_EXTRA_TYPE_*.
const TYPE_GSO: u8 = 1;
const TYPE_MCAST_ADD: u8 = 2;
const TYPE_MCAST_DEL: u8 = 3;
const TYPE_HASH: u8 = 4;

// netif.h, XEN_NETIF_GSO_TYPE_*.
const GSO_TCPV4: u8 = 1;
const GSO_TCPV6: u8 = 2;

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;

    #[test]
    fn what_is_made_is_parsed() {
        let group = MacAddr([1, 0, 0x5e, 0, 0, 0xfb]);
        assert_eq!(
            ExtraInfo::gso(1448, GsoProtocol::TcpV6).parse(),
            Ok(Extra::Gso {
                segment: 1448,
                protocol: Some(GsoProtocol::TcpV6),
                features: 0
            })
        );
        assert_eq!(
            ExtraInfo::multicast_add(group).parse(),
            Ok(Extra::MulticastAdd(group))
        );
        assert_eq!(
            ExtraInfo::multicast_remove(group).parse(),
            Ok(Extra::MulticastRemove(group))
        );
        assert_eq!(
            ExtraInfo::hash(1, 1, 0x0102_0304).parse(),
            Ok(Extra::Hash {
                fields: 1,
                algorithm: 1,
                value: 0x0102_0304
            })
        );
    }

    #[test]
    fn unknown_types_are_told() {
        for kind in [0, 5, 255] {
            let mut bytes = [0; 8];
            bytes[0] = kind;
            let extra = ExtraInfo::read_from_bytes(&bytes).unwrap();
            assert_eq!(extra.parse(), Err(UnknownExtra(kind)));
        }
        let mut odd = ExtraInfo::gso(1, GsoProtocol::TcpV4);
        odd.body[2] = 9;
        assert!(matches!(odd.parse(), Ok(Extra::Gso { protocol: None, .. })));
    }

    #[test]
    fn more_is_a_flag() {
        let extra = ExtraInfo::gso(1, GsoProtocol::TcpV4);
        assert!(!extra.has_more());
        assert!(extra.followed().has_more());
    }
}
