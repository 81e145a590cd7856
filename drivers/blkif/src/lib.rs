#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

mod info;
pub mod keys;
mod request;
mod response;
mod vdev;

pub use info::Info;
pub use request::{
    DiscardFlags, DiscardRequest, IndirectRequest, Operation, RawRequest, Request, Segment,
};
pub use response::{Response, Status};
pub use vdev::{ParseVdevError, Vdev};

/// Bytes in a sector of the protocol (blkif.h: `first_sect`, `sector_number` and the key `sectors` count these, whatever the device's own
/// sectors are).
pub const SECTOR_SIZE: usize = 512;

/// Sectors of the protocol in a page.
pub const SECTORS_PER_PAGE: usize = morgana_hal::PAGE_SIZE / SECTOR_SIZE;

/// The most segments that a request holds itself (blkif.h, `BLKIF_MAX_SEGMENTS_PER_REQUEST`).
pub const MAX_SEGMENTS: usize = 11;

/// The most pages of segments that an indirect request names (blkif.h, `BLKIF_MAX_INDIRECT_PAGES_PER_REQUEST`).
pub const MAX_INDIRECT_PAGES: usize = 8;

/// Segments in a page of them.
pub const SEGMENTS_PER_INDIRECT_PAGE: usize = morgana_hal::PAGE_SIZE / size_of::<Segment>();

/// The size of a ring entry in bytes (blkif.h, `union blkif_sring_entry`).
pub const ENTRY_SIZE: usize = 112;

/// How many entries a ring of one page has (io/ring.h, `__RING_SIZE`).
pub const RING_ENTRIES: usize = 32;

/// The largest ring that either end may use: 2 to the power of this pages (what Linux offers at the most).
pub const MAX_RING_PAGE_ORDER: u32 = 4;
