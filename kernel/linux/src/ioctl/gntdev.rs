//! `/dev/xen/gntdev`: peers' pages, mapped and copied.

use core::mem::offset_of;
use std::os::fd::AsFd;

use morgana_abi::grant_table::{GNTCOPY_DEST_GREF, GNTCOPY_SOURCE_GREF};
use morgana_hal::{DomId, GrantRef};
use rustix::io::Result;
use rustix::ioctl::Opcode;

use super::{call, request};

const GROUP: u8 = b'G';

/// `IOCTL_GNTDEV_*`, by the same names.
pub(super) const MAP_GRANT_REF: Opcode = request(GROUP, 0, size_of::<MapGrantRef>());
pub(super) const UNMAP_GRANT_REF: Opcode = request(GROUP, 1, size_of::<UnmapGrantRef>());
pub(super) const GRANT_COPY: Opcode = request(GROUP, 8, size_of::<GrantCopy>());

/// Where pages to be mapped are, for `mmap` and for [`unmap`]: an offset in the device file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Index(pub(crate) u64);

/// The fixed part of `struct ioctl_gntdev_map_grant_ref`, whose `refs` are as many as `count` says.
#[repr(C)]
#[derive(Debug)]
pub(super) struct MapGrantRef {
    pub(super) count: u32,
    pub(super) pad: u32,
    pub(super) index: u64,
    pub(super) refs: [Ref; 1],
}

/// `struct ioctl_gntdev_grant_ref`.
#[repr(C)]
#[derive(Debug)]
pub(super) struct Ref {
    pub(super) domid: u32,
    pub(super) reference: u32,
}

/// `struct ioctl_gntdev_unmap_grant_ref`.
#[repr(C)]
#[derive(Debug)]
pub(super) struct UnmapGrantRef {
    pub(super) index: u64,
    pub(super) count: u32,
    pub(super) pad: u32,
}

/// Words of 8 bytes before `refs`.
const HEAD: usize = offset_of!(MapGrantRef, refs) / 8;

/// `IOCTL_GNTDEV_MAP_GRANT_REF`: announces a mapping of at least one page. `mmap` makes it, and is what finds a bad grant.
pub(crate) fn announce_map(fd: impl AsFd, peer: DomId, grants: &[GrantRef]) -> Result<Index> {
    // The struct of variable length, as words: the count in the first, the index in the second, then domain and reference in each.
    let mut words = vec![0u64; HEAD];
    words[0] = grants.len() as u64 & u64::from(u32::MAX);
    let refs = grants
        .iter()
        .map(|grant| u64::from(grant.number()) << 32 | u64::from(peer.number()));
    words.extend(refs);
    // SAFETY: the request reads `MapGrantRef` with `count` refs, and writes its fixed part: all inside `words`, for which any bytes are
    // valid. (`HEAD` words and one for each of the grants, of which there is at least one.)
    unsafe { call::<MAP_GRANT_REF, _>(fd, words.as_mut_slice()) }?;
    Ok(Index(words[1]))
}

/// `IOCTL_GNTDEV_UNMAP_GRANT_REF`: forgets a mapping that is not in the address space (any more).
pub(crate) fn forget_map(fd: impl AsFd, index: Index, count: u32) -> Result<()> {
    let Index(index) = index;
    let mut unmap = UnmapGrantRef {
        index,
        count,
        pad: 0,
    };
    // SAFETY: the request reads the struct, and writes nothing.
    unsafe { call::<UNMAP_GRANT_REF, _>(fd, &mut unmap) }.map(drop)
}

/// `struct gntdev_grant_copy_segment`: one copy between own memory and a peer's page. The unions `source` and `dest` are 8 bytes each:
/// an address, or reference, offset and domain id.
#[repr(C)]
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Segment {
    pub(super) source: u64,
    pub(super) dest: u64,
    pub(super) len: u16,
    pub(super) flags: u16,
    /// `GNTST_*`.
    pub(crate) status: i16,
}

/// A peer's end of a copy.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Foreign {
    pub(crate) peer: DomId,
    pub(crate) grant: GrantRef,
    pub(crate) offset: u16,
}

impl Foreign {
    fn packed(self) -> u64 {
        u64::from(self.grant.number())
            | u64::from(self.offset) << 32
            | u64::from(self.peer.number()) << 48
    }
}

/// Not a status of Xen's: a copy that nobody got to must not look like a success.
const UNTOUCHED: i16 = i16::MIN;

impl Segment {
    /// A copy from a peer's page to the own address `to`.
    pub(crate) fn from_foreign(foreign: Foreign, to: usize, len: u16) -> Self {
        Self {
            source: foreign.packed(),
            dest: to as u64,
            len,
            flags: GNTCOPY_SOURCE_GREF,
            status: UNTOUCHED,
        }
    }

    /// A copy from the own address `from` to a peer's page.
    pub(crate) fn to_foreign(from: usize, foreign: Foreign, len: u16) -> Self {
        Self {
            source: from as u64,
            dest: foreign.packed(),
            len,
            flags: GNTCOPY_DEST_GREF,
            status: UNTOUCHED,
        }
    }
}

/// `struct ioctl_gntdev_grant_copy`.
#[repr(C)]
#[derive(Debug)]
pub(super) struct GrantCopy {
    pub(super) count: u32,
    pub(super) segments: *mut Segment,
}

/// `IOCTL_GNTDEV_GRANT_COPY`: copies, each with a status of its own.
///
/// # Safety
///
/// An own address that is a source is that of `len` initialised bytes, and one that is a destination that of `len` bytes which the caller
/// has borrowed exclusively; both stay so during the call.
pub(crate) unsafe fn copy(fd: impl AsFd, segments: &mut [Segment]) -> Result<()> {
    let mut copy = GrantCopy {
        count: segments.len() as u32,
        segments: segments.as_mut_ptr(),
    };
    // SAFETY: the request reads the struct and its `count` segments, writes their `status`, and besides touches the own memory that
    // they name, as the caller allows.
    unsafe { call::<GRANT_COPY, _>(fd, &mut copy) }.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_foreign_end_is_packed_as_the_union_has_it() {
        let foreign = Foreign {
            peer: DomId::new(7),
            grant: GrantRef::new(0x0102_0304),
            offset: 0x0ff8,
        };
        // struct { grant_ref_t ref; __u16 offset; domid_t domid; }
        assert_eq!(
            foreign.packed().to_le_bytes(),
            [4, 3, 2, 1, 0xf8, 0x0f, 7, 0]
        );
    }
}
