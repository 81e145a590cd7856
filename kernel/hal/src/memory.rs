//! Grants: memory that domains show each other.

use core::fmt;

use crate::{DomId, GrantRef, Port, SharedRegion};

/// Shares own pages with peers, and uses theirs.
pub trait Memory {
    /// Own pages that a peer may read and write.
    type Shared: SharedPages;
    /// Own pages that a peer may only read.
    type ReadOnly: ReadOnlyPages;
    /// A peer's pages, mapped here to read and write. Dropping them unmaps.
    type Imported: Pages;

    /// Grants `peer` access to `pages` fresh, zeroed, contiguous pages, to read and write.
    fn share(&self, peer: DomId, pages: usize) -> Result<Self::Shared, MemoryError>;

    /// Grants `peer` access to `pages` fresh, zeroed, contiguous pages, to read only.
    fn share_read_only(&self, peer: DomId, pages: usize) -> Result<Self::ReadOnly, MemoryError>;

    /// Maps pages of `peer`, one after the other in the order of `grants`, to read and write. All or nothing.
    fn import(&self, peer: DomId, grants: &[GrantRef]) -> Result<Self::Imported, MemoryError>;

    /// Copies out of pages that `peer` has granted, without mapping them. Each operation gets its own status.
    fn copy_from(&self, peer: DomId, operations: &mut [CopyFrom<'_>]);

    /// Copies into pages that `peer` has granted to write, without mapping them. Each operation gets its own status.
    fn copy_to(&self, peer: DomId, operations: &mut [CopyTo<'_>]);
}

/// Pages that a peer may write at any moment.
///
/// # Safety
///
/// `region` names the same memory whenever it is called, and that memory is as [`SharedRegion`] promises for as long as the value lives, also
/// after it was moved. [`Pieces`](crate::Pieces) keeps the pages and a copy of the region.
pub unsafe trait Pages: 'static {
    /// Their content: the number of pages × 4,096 bytes.
    fn region(&self) -> &SharedRegion;

    /// Has whoever runs this program tell the peer if it ends without having dropped the pages, in whichever way: the byte at `offset` becomes 0, and the
    /// peer of the own port `port` is notified. The same may happen when they are dropped. Where the program has its domain for itself nobody is left who could
    /// do it, and the peer hears of the domain's end from xenstore only; that is what happens if nothing is written here.
    fn tell_when_gone(&self, offset: usize, port: Port) {
        let _ = (offset, port);
    }
}

/// Own pages that a peer may read and write. Dropping them ends the peer's access; pages that the peer still maps then are set
/// aside and counted (`Usage::quarantined_pages`), not used again until it lets go.
pub trait SharedPages: Pages {
    /// One reference a page, in order.
    fn grants(&self) -> &[GrantRef];
}

/// Own pages that a peer may only read: nobody else writes them, so they are plain bytes. Dropping works as for [`SharedPages`].
pub trait ReadOnlyPages: 'static {
    /// One reference a page, in order.
    fn grants(&self) -> &[GrantRef];
    /// The pages' content: `grants().len()` × 4,096 bytes.
    fn bytes(&self) -> &[u8];
    /// The pages' content, to write.
    fn bytes_mut(&mut self) -> &mut [u8];
}

/// One copy from a peer's page into own memory (`GNTTABOP_copy`).
#[derive(Debug)]
pub struct CopyFrom<'a> {
    /// The peer's page.
    pub grant: GrantRef,
    /// Where in it to begin. `offset + into.len()` may not pass the page's end.
    pub offset: u16,
    /// Where the bytes go.
    pub into: &'a mut [u8],
    /// Set by the copy; whatever was there before does not matter.
    pub status: Result<(), MemoryError>,
}

/// One copy from own memory into a peer's page (`GNTTABOP_copy`).
#[derive(Debug)]
pub struct CopyTo<'a> {
    /// The peer's page.
    pub grant: GrantRef,
    /// Where in it to begin. `offset + from.len()` may not pass the page's end.
    pub offset: u16,
    /// The bytes to copy.
    pub from: &'a [u8],
    /// Set by the copy; whatever was there before does not matter.
    pub status: Result<(), MemoryError>,
}

/// Why memory could not be shared or used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MemoryError {
    /// The own domain has no memory left for it.
    OutOfMemory,
    /// The own grant table is full.
    NoFreeGrant,
    /// No address space is left to map a peer's pages in.
    NoAddressSpace,
    /// The peer's reference does not name a page that it grants to this domain in this way.
    BadGrant,
    /// Offset and length leave the page.
    OutOfPage,
    /// The peer does not exist (any more).
    NoSuchDomain,
}

impl fmt::Display for MemoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OutOfMemory => "out of memory",
            Self::NoFreeGrant => "the grant table is full",
            Self::NoAddressSpace => "no address space is left to map a peer's pages",
            Self::BadGrant => "the peer's grant reference is not valid for this access",
            Self::OutOfPage => "offset and length leave the granted page",
            Self::NoSuchDomain => "the grant's peer does not exist",
        })
    }
}

impl core::error::Error for MemoryError {}
