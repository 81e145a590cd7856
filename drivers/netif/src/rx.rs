//! The receive ring: frames from the back end to the front end.

use bitflags::bitflags;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// The size of an entry of the receive ring in bytes (netif.h, `union netif_rx_sring_entry`).
pub const RX_ENTRY_SIZE: usize = 8;

/// An empty page for the back end to fill (netif.h, `netif_rx_request`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct RxRequest {
    /// Comes back in the response.
    pub id: u16,
    /// Unused; zero.
    pub pad: u16,
    /// The page, granted to be written (a grant reference of the front end).
    pub gref: u32,
}

/// What the back end has put into a page (netif.h, `netif_rx_response`). It stands in the ring slot where the request stood.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct RxResponse {
    /// The request's id.
    pub id: u16,
    /// Where in the page the data begins.
    pub offset: u16,
    /// What it is.
    pub flags: RxFlags,
    /// Bytes of this piece, or if negative one of [`TxStatus`](crate::TxStatus)'s errors.
    pub status: i16,
}

/// The flags of a receive response (netif.h, `NETRXF_*`). The first two are the other way round in [`TxFlags`](crate::TxFlags).
#[derive(
    Clone, Copy, PartialEq, Eq, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(transparent)]
pub struct RxFlags(u16);

bitflags! {
    impl RxFlags: u16 {
        /// The back end vouches for the data (`NETRXF_data_validated`).
        const DATA_VALIDATED = 1 << 0;
        /// The TCP or UDP checksum field holds the pseudo-header's sum only (`NETRXF_csum_blank`).
        const CHECKSUM_BLANK = 1 << 1;
        /// The frame goes on in the next slot (`NETRXF_more_data`).
        const MORE_DATA = 1 << 2;
        /// Extra info follows in the next slot (`NETRXF_extra_info`).
        const EXTRA_INFO = 1 << 3;
        /// An old way to tell the segment size; only who asks for it gets it (`NETRXF_gso_prefix`).
        const GSO_PREFIX = 1 << 4;
    }
}
