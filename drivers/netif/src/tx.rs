//! The transmit ring: frames from the front end to the back end.

use bitflags::bitflags;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// The size of an entry of the transmit ring in bytes (netif.h, `union netif_tx_sring_entry`).
pub const TX_ENTRY_SIZE: usize = 12;

/// The most bytes that a frame of several slots may have (netif.h, `XEN_NETIF_MAX_TX_SIZE`).
pub const MAX_PACKET: usize = 0xffff;

/// A frame to be sent, or a piece of one (netif.h, `netif_tx_request`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct TxRequest {
    /// The granted page that holds it (a grant reference of the front end).
    pub gref: u32,
    /// Where in the page it begins.
    pub offset: u16,
    /// What it is.
    pub flags: TxFlags,
    /// Comes back in the response.
    pub id: u16,
    /// Bytes: of the whole frame in its first request, of the piece in those that follow. So the first piece's size is the frame's less
    /// the sum of the others'.
    pub size: u16,
}

/// What became of a request (netif.h, `netif_tx_response`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct TxResponse {
    /// The request's id. Means nothing with status [`TxStatus::NULL`].
    pub id: u16,
    /// One of [`TxStatus`].
    pub status: TxStatus,
}

/// The status of a transmit response (netif.h, `NETIF_RSP_*`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct TxStatus(pub i16);

impl TxStatus {
    /// The frame was dropped (`NETIF_RSP_DROPPED`).
    pub const DROPPED: Self = Self(-2);
    /// The request was wrong (`NETIF_RSP_ERROR`).
    pub const ERROR: Self = Self(-1);
    /// The frame was taken (`NETIF_RSP_OKAY`).
    pub const OKAY: Self = Self(0);
    /// The response to a slot of extra info: it has no id (`NETIF_RSP_NULL`).
    pub const NULL: Self = Self(1);
}

/// The flags of a transmit request (netif.h, `NETTXF_*`).
#[derive(
    Clone, Copy, PartialEq, Eq, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(transparent)]
pub struct TxFlags(u16);

bitflags! {
    impl TxFlags: u16 {
        /// The TCP or UDP checksum field holds the pseudo-header's sum only (`NETTXF_csum_blank`).
        const CHECKSUM_BLANK = 1 << 0;
        /// The sender vouches for the data (`NETTXF_data_validated`).
        const DATA_VALIDATED = 1 << 1;
        /// The frame goes on in the next request (`NETTXF_more_data`).
        const MORE_DATA = 1 << 2;
        /// Extra info follows in the next slot (`NETTXF_extra_info`).
        const EXTRA_INFO = 1 << 3;
    }
}
