//! Who may leave a transport checksum blank, and how both rings say so (netif.h, `NETTXF_csum_blank`, `NETRXF_csum_blank`).

use crate::segment::{ETHERTYPE_IPV4, ETHERTYPE_IPV6, ethertype};
use crate::{GsoProtocol, RxFlags, TxFlags};

/// For which IP versions a side does something for the other, in one direction: takes blank TCP and UDP checksums, or large TCP frames.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Offload {
    /// For none: whoever sends does all by itself.
    #[default]
    None,
    /// For IPv4 (netif.h: the default for checksums, unless `feature-no-csum-offload` is set; `feature-gso-tcpv4`).
    Ipv4,
    /// For IPv6 (netif.h: `feature-ipv6-csum-offload`; `feature-gso-tcpv6`).
    Ipv6,
    /// For both.
    Both,
}

/// The transport checksum of a frame to be sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum TxChecksum {
    /// It is complete, or there is none.
    #[default]
    Complete,
    /// Its field holds the sum over the pseudo-header only, not inverted; whoever needs the checksum completes it (netif.h:
    /// `NETTXF_csum_blank`).
    Blank,
}

/// The transport checksum of a frame that was received.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum RxChecksum {
    /// Nobody has verified it yet.
    #[default]
    Unverified,
    /// The sender vouches for the data, and the field is complete (netif.h: `NETRXF_data_validated`).
    Validated,
    /// The sender vouches for the data, and the field holds the pseudo-header's sum only (netif.h: `NETRXF_csum_blank`).
    Blank,
}

impl Offload {
    /// For IPv4 if `ipv4`, for IPv6 if `ipv6`: as two keys such as `feature-no-csum-offload` (inverted) and `feature-ipv6-csum-offload` say.
    pub const fn from_features(ipv4: bool, ipv6: bool) -> Self {
        match (ipv4, ipv6) {
            (false, false) => Self::None,
            (true, false) => Self::Ipv4,
            (false, true) => Self::Ipv6,
            (true, true) => Self::Both,
        }
    }

    /// Whether it is done for large frames of that kind.
    pub const fn includes(self, kind: GsoProtocol) -> bool {
        match self {
            Self::None => false,
            Self::Both => true,
            Self::Ipv4 => matches!(kind, GsoProtocol::TcpV4),
            Self::Ipv6 => matches!(kind, GsoProtocol::TcpV6),
        }
    }

    /// Whether a blank checksum of the IP packet in `frame` is welcome.
    pub fn covers(self, frame: &[u8]) -> bool {
        match (self, ethertype(frame)) {
            (Self::None, _) => false,
            (Self::Both, _) => true,
            (Self::Ipv4, ethertype) => ethertype == Some(ETHERTYPE_IPV4),
            (Self::Ipv6, ethertype) => ethertype == Some(ETHERTYPE_IPV6),
        }
    }
}

impl TxChecksum {
    /// The flags that say so on the transmit ring.
    pub const fn tx_flags(self) -> TxFlags {
        match self {
            Self::Complete => TxFlags::empty(),
            Self::Blank => TxFlags::CHECKSUM_BLANK.union(TxFlags::DATA_VALIDATED),
        }
    }

    /// The flags that say so on the receive ring.
    pub const fn rx_flags(self) -> RxFlags {
        match self {
            Self::Complete => RxFlags::empty(),
            Self::Blank => RxFlags::CHECKSUM_BLANK.union(RxFlags::DATA_VALIDATED),
        }
    }
}

impl RxChecksum {
    /// What the flags of a transmit request say.
    pub const fn from_tx_flags(flags: TxFlags) -> Self {
        if flags.contains(TxFlags::CHECKSUM_BLANK) {
            Self::Blank
        } else if flags.contains(TxFlags::DATA_VALIDATED) {
            Self::Validated
        } else {
            Self::Unverified
        }
    }

    /// What the flags of a receive response say.
    pub const fn from_rx_flags(flags: RxFlags) -> Self {
        if flags.contains(RxFlags::CHECKSUM_BLANK) {
            Self::Blank
        } else if flags.contains(RxFlags::DATA_VALIDATED) {
            Self::Validated
        } else {
            Self::Unverified
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offload_looks_at_the_ip_version() {
        let (mut v4, mut v6) = ([0; 60], [0; 60]);
        v4[12..14].copy_from_slice(&[0x08, 0x00]);
        v6[12..14].copy_from_slice(&[0x86, 0xdd]);
        for (offload, covers) in [
            (Offload::from_features(false, false), [false, false]),
            (Offload::from_features(true, false), [true, false]),
            (Offload::from_features(false, true), [false, true]),
            (Offload::from_features(true, true), [true, true]),
        ] {
            assert_eq!([offload.covers(&v4), offload.covers(&v6)], covers);
        }
        assert!(!Offload::Ipv4.covers(&[]));
    }

    #[test]
    fn flags_go_both_ways() {
        for (sent, received) in [
            (TxChecksum::Complete, RxChecksum::Unverified),
            (TxChecksum::Blank, RxChecksum::Blank),
        ] {
            assert_eq!(RxChecksum::from_tx_flags(sent.tx_flags()), received);
            assert_eq!(RxChecksum::from_rx_flags(sent.rx_flags()), received);
        }
        assert_eq!(
            RxChecksum::from_rx_flags(RxFlags::DATA_VALIDATED),
            RxChecksum::Validated
        );
    }
}
