//! What the two sides tell each other before they connect.

use morgana_exec::join;
use morgana_hal::{GrantRef, Port};

use crate::{Offload, keys};

/// What a side says of itself in xenstore. Whatever it does not say it cannot do.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Features {
    /// The blank checksums that it takes: `feature-no-csum-offload` (inverted) and `feature-ipv6-csum-offload`.
    pub checksum: Offload,
    /// How many slots a frame sent to it may take: `feature-sg`.
    pub chains: Chains,
}

impl Features {
    /// Reads them by `flag`, which asks the side for a key: whether it is there and not 0.
    ///
    /// # Errors
    ///
    /// That of `flag`.
    pub async fn read<E>(flag: impl AsyncFn(&'static str) -> Result<bool, E>) -> Result<Self, E> {
        let checksums = join(
            flag(keys::FEATURE_NO_CSUM_OFFLOAD),
            flag(keys::FEATURE_IPV6_CSUM_OFFLOAD),
        );
        let ((no_ipv4, ipv6), sg) = join(checksums, flag(keys::FEATURE_SG)).await;
        let (ipv4, ipv6) = (!no_ipv4?, ipv6?);
        let chains = if sg? {
            Chains::Several
        } else {
            Chains::SingleSlot
        };
        Ok(Self {
            checksum: Offload::from_features(ipv4, ipv6),
            chains,
        })
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
