//! `/dev/xen/gntalloc`: own pages, granted.

use std::os::fd::AsFd;

use morgana_hal::{DomId, GrantRef};
use rustix::io::Result;
use rustix::ioctl::Opcode;

use super::{call, request};

const GROUP: u8 = b'G';

/// `IOCTL_GNTALLOC_*`, by the same names.
pub(super) const ALLOC_GREF: Opcode = request(GROUP, 5, size_of::<AllocGref>());
pub(super) const DEALLOC_GREF: Opcode = request(GROUP, 6, size_of::<DeallocGref>());

/// What the peer may do (`flags`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Access {
    /// Read only.
    ReadOnly,
    /// Read and write: `GNTALLOC_FLAG_WRITABLE`.
    ReadWrite,
}

impl Access {
    pub(super) const fn flags(self) -> u16 {
        match self {
            Self::ReadOnly => 0,
            Self::ReadWrite => 1,
        }
    }
}

/// Where granted pages are, for `mmap` and for [`deallocate`]: an offset in the device file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Index(pub(crate) u64);

/// The fixed part of `struct ioctl_gntalloc_alloc_gref`. `gref_ids` has as many elements as `count` says, but one in the header's struct,
/// whose size is part of the request's number.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(super) struct AllocGref {
    pub(super) domid: u16,
    pub(super) flags: u16,
    pub(super) count: u32,
    pub(super) index: u64,
    pub(super) gref_ids: [u32; 1],
}

/// `struct ioctl_gntalloc_dealloc_gref`.
#[repr(C)]
#[derive(Debug)]
pub(super) struct DeallocGref {
    pub(super) index: u64,
    pub(super) count: u32,
}

/// Words of 8 bytes before `gref_ids`.
const HEAD: usize = core::mem::offset_of!(AllocGref, gref_ids) / 8;

/// `IOCTL_GNTALLOC_ALLOC_GREF`: zeroed pages, one after the other, granted to `peer`.
pub(crate) fn allocate(
    fd: impl AsFd,
    peer: DomId,
    count: u32,
    access: Access,
) -> Result<(Index, Vec<GrantRef>)> {
    // The struct of variable length, as words: domid, flags and count in the first, the index in the second.
    let mut words = vec![0u64; HEAD + (count as usize).div_ceil(2).max(1)];
    words[0] = u64::from(peer.number()) | u64::from(access.flags()) << 16 | u64::from(count) << 32;
    // SAFETY: the request reads and writes `AllocGref` and, from `gref_ids` on, `count` numbers of 4 bytes: all inside `words`, for
    // which any bytes are valid.
    unsafe { call::<ALLOC_GREF, _>(fd, words.as_mut_slice()) }?;
    let grants = words[HEAD..]
        .iter()
        .flat_map(|&pair| [pair as u32, (pair >> 32) as u32])
        .take(count as usize)
        .map(GrantRef::new)
        .collect();
    Ok((Index(words[1]), grants))
}

/// `IOCTL_GNTALLOC_DEALLOC_GREF`: ends the grants of pages that this process does not map any more.
pub(crate) fn deallocate(fd: impl AsFd, index: Index, count: u32) -> Result<()> {
    let Index(index) = index;
    // SAFETY: the request reads the struct, and writes nothing.
    unsafe { call::<DEALLOC_GREF, _>(fd, &mut DeallocGref { index, count }) }.map(drop)
}
