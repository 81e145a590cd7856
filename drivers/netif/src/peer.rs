//! What the two sides tell each other before they connect.

use morgana_hal::{GrantRef, Port};

use crate::{Offload, keys};

/// What a side says of itself in xenstore. Whatever it does not say it cannot do.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Features {
    /// The blank checksums that it takes: `feature-no-csum-offload` (inverted) and `feature-ipv6-csum-offload`.
    pub checksum: Offload,
    /// How many slots a frame sent to it may take: `feature-sg`.
    pub chains: Chains,
    /// The large TCP frames that it takes: `feature-gso-tcpv4` and `feature-gso-tcpv6`. They need several slots, and have blank checksums.
    pub segmentation: Offload,
}

impl Features {
    /// The keys that tell them.
    pub const KEYS: [&str; 5] = [
        keys::FEATURE_NO_CSUM_OFFLOAD,
        keys::FEATURE_IPV6_CSUM_OFFLOAD,
        keys::FEATURE_SG,
        keys::FEATURE_GSO_TCPV4,
        keys::FEATURE_GSO_TCPV6,
    ];

    /// The features of a side that has written those [`KEYS`](Self::KEYS) of which `is_set` says so: the key is there, and not 0.
    pub fn from_flags(is_set: impl Fn(&str) -> bool) -> Self {
        let ipv4 = !is_set(keys::FEATURE_NO_CSUM_OFFLOAD);
        let ipv6 = is_set(keys::FEATURE_IPV6_CSUM_OFFLOAD);
        let several = is_set(keys::FEATURE_SG);
        Self {
            checksum: Offload::from_features(ipv4, ipv6),
            chains: if several {
                Chains::Several
            } else {
                Chains::SingleSlot
            },
            segmentation: Offload::from_features(
                several && ipv4 && is_set(keys::FEATURE_GSO_TCPV4),
                several && ipv6 && is_set(keys::FEATURE_GSO_TCPV6),
            ),
        }
    }
}

/// Whether a frame may take several slots.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Chains {
    /// One slot, which is at most one page.
    #[default]
    SingleSlot,
    /// Up to [`MAX_SLOTS`](crate::MAX_SLOTS) slots.
    Several,
}

/// Where a front end's rings are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RingKeys {
    /// The page of the transmit ring: `tx-ring-ref`.
    pub tx_ring: GrantRef,
    /// The page of the receive ring: `rx-ring-ref`.
    pub rx_ring: GrantRef,
    /// The front end's port of the event channel for both: `event-channel`.
    pub port: Port,
}
