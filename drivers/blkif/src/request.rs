//! What a front end asks for. A ring entry is one of three forms, told apart by its first byte.

use bitflags::bitflags;
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout, transmute};

use crate::{ENTRY_SIZE, MAX_INDIRECT_PAGES, MAX_SEGMENTS};

/// What is to be done (blkif.h, `BLKIF_OP_*`).
#[derive(
    Clone, Copy, PartialEq, Eq, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(transparent)]
pub struct Operation(pub u8);

impl Operation {
    /// Read sectors into the segments.
    pub const READ: Self = Self(0);
    /// Write the segments to sectors.
    pub const WRITE: Self = Self(1);
    /// Write, between all that came before and all that comes after; deprecated.
    pub const WRITE_BARRIER: Self = Self(2);
    /// Make durable what has been written.
    pub const FLUSH_DISKCACHE: Self = Self(3);
    /// Forget what is in sectors; see [`DiscardRequest`].
    pub const DISCARD: Self = Self(5);
    /// A read or write whose segments lie in pages of their own; see [`IndirectRequest`].
    pub const INDIRECT: Self = Self(6);
}

/// A piece of a page (blkif.h, `blkif_request_segment`): its sectors from `first_sect` to `last_sect`, both included.
#[derive(
    Clone, Copy, PartialEq, Eq, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct Segment {
    /// The granted page (a grant reference of the front end).
    pub gref: u32,
    /// Its first sector of 512 bytes, 0 to 7.
    pub first_sect: u8,
    /// Its last one, 0 to 7, not before the first.
    pub last_sect: u8,
    /// Not used.
    pub pad: [u8; 2],
}

/// A ring entry of any form.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, align(8))]
pub struct RawRequest {
    /// What is to be done, which tells the form.
    pub operation: Operation,
    rest: [u8; ENTRY_SIZE - 1],
}

/// Read, write, or flush (blkif.h, `blkif_request`, in the x86_64 ABI).
#[derive(
    Clone, Copy, PartialEq, Eq, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct Request {
    /// One of [`Operation`].
    pub operation: Operation,
    /// How many of `seg` count.
    pub nr_segments: u8,
    /// The device's number, for a front end with several on one ring; nobody has.
    pub handle: u16,
    /// Not used.
    pub pad: u32,
    /// Comes back in the response.
    pub id: u64,
    /// The first sector on the device, in sectors of 512 bytes.
    pub sector_number: u64,
    /// The pieces of memory, in order.
    pub seg: [Segment; MAX_SEGMENTS],
}

/// Forget sectors (blkif.h, `blkif_request_discard`).
#[derive(
    Clone, Copy, PartialEq, Eq, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct DiscardRequest {
    /// [`Operation::DISCARD`].
    pub operation: Operation,
    /// Whether what was there must not be found any more.
    pub flag: DiscardFlags,
    /// As in [`Request`].
    pub handle: u16,
    /// Not used.
    pub pad: u32,
    /// Comes back in the response.
    pub id: u64,
    /// The first sector, in sectors of 512 bytes.
    pub sector_number: u64,
    /// How many sectors.
    pub nr_sectors: u64,
}

/// A read or write of many segments (blkif.h, `blkif_request_indirect`).
#[derive(
    Clone, Copy, PartialEq, Eq, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct IndirectRequest {
    /// [`Operation::INDIRECT`].
    pub operation: Operation,
    /// [`Operation::READ`] or [`Operation::WRITE`].
    pub indirect_op: Operation,
    /// How many segments there are in all pages.
    pub nr_segments: u16,
    /// Not used.
    pub pad: u32,
    /// Comes back in the response.
    pub id: u64,
    /// The first sector on the device, in sectors of 512 bytes.
    pub sector_number: u64,
    /// As in [`Request`].
    pub handle: u16,
    /// Not used.
    pub pad2: u16,
    /// The granted pages that hold the segments, 512 each.
    pub indirect_grefs: [u32; MAX_INDIRECT_PAGES],
    /// The C struct's size is a multiple of 8.
    pub pad3: u32,
}

bitflags! {
    impl DiscardFlags: u8 {
        /// What was there must not be found any more (`BLKIF_DISCARD_SECURE`).
        const SECURE = 1 << 0;
    }
}

/// The flag of a discard (blkif.h, `BLKIF_DISCARD_*`).
#[derive(
    Clone, Copy, PartialEq, Eq, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(transparent)]
pub struct DiscardFlags(u8);

impl RawRequest {
    /// The entry as a read, write or flush.
    pub fn request(&self) -> Request {
        transmute!(*self)
    }

    /// The entry as a discard.
    pub fn discard(&self) -> DiscardRequest {
        prefix(self)
    }

    /// The entry as an indirect request.
    pub fn indirect(&self) -> IndirectRequest {
        prefix(self)
    }

    /// The id, which is at the same place in every form.
    pub fn id(&self) -> u64 {
        self.request().id
    }
}

impl From<Request> for RawRequest {
    fn from(request: Request) -> Self {
        transmute!(request)
    }
}

impl From<DiscardRequest> for RawRequest {
    fn from(request: DiscardRequest) -> Self {
        widened(&request)
    }
}

impl From<IndirectRequest> for RawRequest {
    fn from(request: IndirectRequest) -> Self {
        widened(&request)
    }
}

/// The form that an entry begins with.
fn prefix<T: FromBytes + IntoBytes>(entry: &RawRequest) -> T {
    let mut form = T::new_zeroed();
    let bytes = form.as_mut_bytes();
    let length = bytes.len();
    bytes.copy_from_slice(&entry.as_bytes()[..length]);
    form
}

/// An entry that begins with this form.
fn widened(form: &(impl IntoBytes + Immutable)) -> RawRequest {
    let mut entry = RawRequest::new_zeroed();
    let bytes = form.as_bytes();
    entry.as_mut_bytes()[..bytes.len()].copy_from_slice(bytes);
    entry
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_lie_over_each_other() {
        let discard = DiscardRequest {
            operation: Operation::DISCARD,
            flag: DiscardFlags::SECURE,
            id: 7,
            sector_number: 8,
            nr_sectors: 9,
            ..DiscardRequest::default()
        };
        let entry = RawRequest::from(discard);
        assert_eq!((entry.operation, entry.id()), (Operation::DISCARD, 7));
        assert_eq!(entry.discard(), discard);
        let indirect = IndirectRequest {
            operation: Operation::INDIRECT,
            indirect_op: Operation::WRITE,
            nr_segments: 300,
            id: u64::MAX,
            indirect_grefs: [1; 8],
            ..IndirectRequest::default()
        };
        let entry = RawRequest::from(indirect);
        assert_eq!((entry.indirect(), entry.id()), (indirect, u64::MAX));
        let request = Request {
            seg: [Segment {
                gref: 5,
                last_sect: 7,
                ..Segment::default()
            }; MAX_SEGMENTS],
            ..Request::default()
        };
        assert_eq!(RawRequest::from(request).request(), request);
    }
}
