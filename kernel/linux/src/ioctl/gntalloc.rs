//! `/dev/xen/gntalloc`: own pages, granted.

use std::os::fd::AsFd;

use morgana_hal::{DomId, GrantRef};
use rustix::io::Result;

use super::{call, request};

const GROUP: u8 = b'G';

/// What the peer may do (`flags`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Access {
    /// Read only.
    ReadOnly,
    /// Read and write: `GNTALLOC_FLAG_WRITABLE`.
    ReadWrite,
}

impl Access {
    const fn flags(self) -> u16 {
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
struct AllocGref {
    domid: u16,
    flags: u16,
    count: u32,
    index: u64,
    gref_ids: [u32; 1],
}

/// `struct ioctl_gntalloc_dealloc_gref`.
#[repr(C)]
#[derive(Debug)]
struct DeallocGref {
    index: u64,
    count: u32,
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
    const REQUEST: u32 = request(GROUP, 5, size_of::<AllocGref>());
    // The struct of variable length, as words: domid, flags and count in the first, the index in the second.
    let mut words = vec![0u64; HEAD + (count as usize).div_ceil(2).max(1)];
    words[0] = u64::from(peer.number()) | u64::from(access.flags()) << 16 | u64::from(count) << 32;
    // SAFETY: the request reads and writes `AllocGref` and, from `gref_ids` on, `count` numbers of 4 bytes: all inside `words`, for
    // which any bytes are valid.
    unsafe { call::<REQUEST, _>(fd, words.as_mut_slice()) }?;
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
    const REQUEST: u32 = request(GROUP, 6, size_of::<DeallocGref>());
    let Index(index) = index;
    // SAFETY: the request reads the struct, and writes nothing.
    unsafe { call::<REQUEST, _>(fd, &mut DeallocGref { index, count }) }.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_where_the_header_has_the_fields() {
        use core::mem::offset_of;
        assert_eq!(size_of::<AllocGref>(), 24);
        assert_eq!(offset_of!(AllocGref, domid), 0);
        assert_eq!(offset_of!(AllocGref, flags), 2);
        assert_eq!(offset_of!(AllocGref, count), 4);
        assert_eq!(offset_of!(AllocGref, index), 8);
        assert_eq!(HEAD, 2);
        assert_eq!(size_of::<DeallocGref>(), 16);
    }
}
