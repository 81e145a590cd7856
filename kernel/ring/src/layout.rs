//! Where things lie in the shared pages of a request/response ring (io/ring.h, `DEFINE_RING_TYPES`).

use morgana_hal::PAGE_SIZE;
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// `req_prod`: how many requests the front end has put in.
pub(crate) const REQ_PROD: usize = 0;
/// `req_event`: the back end wants to be notified when `req_prod` passes this.
pub(crate) const REQ_EVENT: usize = 4;
/// `rsp_prod`: how many responses the back end has put in.
pub(crate) const RSP_PROD: usize = 8;
/// `rsp_event`: the front end wants to be notified when `rsp_prod` passes this.
pub(crate) const RSP_EVENT: usize = 12;
/// `ring`: the first entry.
pub(crate) const ENTRIES: usize = 64;

/// What an entry can be: plain bytes with any content valid. `[u8; N]` is one, for protocols whose entries have several forms.
pub trait Entry: FromBytes + IntoBytes + Immutable + Copy + 'static {}

impl<T: FromBytes + IntoBytes + Immutable + Copy + 'static> Entry for T {}

/// How many entries a ring of `pages` pages has: as many as fit after the indices, rounded down to a power of two
/// (io/ring.h, `__RING_SIZE`). 0 if not one fits.
pub const fn ring_entries<Req, Rsp>(pages: usize) -> u32 {
    match Geometry::of::<Req, Rsp>(pages * PAGE_SIZE) {
        Some(geometry) => geometry.entries,
        None => 0,
    }
}

/// The size of entries and how many there are. Entry `index & (entries - 1)` lies inside the pages for every index.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Geometry {
    entry_bytes: usize,
    entries: u32,
}

impl Geometry {
    /// `None` if not one entry fits.
    pub(crate) const fn of<Req, Rsp>(region_bytes: usize) -> Option<Self> {
        let entry_bytes = union_size::<Req, Rsp>();
        if entry_bytes == 0 || region_bytes < ENTRIES + entry_bytes {
            return None;
        }
        let fit = (region_bytes - ENTRIES) / entry_bytes;
        // More entries than indices can tell apart (2^31) would need 2 GiB at the least.
        let entries = 1u32 << if fit.ilog2() < 31 { fit.ilog2() } else { 31 };
        Some(Self {
            entry_bytes,
            entries,
        })
    }

    pub(crate) const fn entries(self) -> u32 {
        self.entries
    }

    /// Where the entry of a free-running index lies.
    pub(crate) const fn offset(self, index: u32) -> usize {
        ENTRIES + (index & (self.entries - 1)) as usize * self.entry_bytes
    }
}

/// The size of C's union of both types: that of the larger, rounded up to the stricter alignment.
const fn union_size<Req, Rsp>() -> usize {
    let size = if size_of::<Req>() > size_of::<Rsp>() {
        size_of::<Req>()
    } else {
        size_of::<Rsp>()
    };
    let align = if align_of::<Req>() > align_of::<Rsp>() {
        align_of::<Req>()
    } else {
        align_of::<Rsp>()
    };
    size.next_multiple_of(align)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_those_of_the_c_macros() {
        // netif: 12-byte requests on transmit, 8-byte entries on receive; blkif: 112-byte requests of 8-byte alignment.
        assert_eq!(ring_entries::<[u32; 3], [u16; 2]>(1), 256);
        assert_eq!(ring_entries::<[u8; 12], [u8; 4]>(1), 256);
        assert_eq!(ring_entries::<[u8; 8], [u8; 8]>(1), 256);
        assert_eq!(ring_entries::<[u64; 14], [u64; 2]>(1), 32);
        assert_eq!(ring_entries::<[u64; 14], [u64; 2]>(4), 128);
        assert_eq!(ring_entries::<[u8; 4032], u8>(1), 1);
        assert_eq!(ring_entries::<[u8; 4033], u8>(1), 0);
        assert_eq!(ring_entries::<u8, u8>(0), 0);
        assert_eq!(union_size::<[u8; 9], u64>(), 16);
    }

    #[test]
    fn every_index_lies_inside() {
        let geometry = Geometry::of::<[u8; 12], [u8; 4]>(4096).unwrap();
        for index in [0, 1, 255, 256, u32::MAX - 1, u32::MAX] {
            let offset = geometry.offset(index);
            assert!(offset >= ENTRIES && offset + 12 <= 4096);
        }
        assert_eq!(geometry.offset(u32::MAX), geometry.offset(255));
    }
}
