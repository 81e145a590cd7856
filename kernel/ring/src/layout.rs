//! Where things lie in the shared pages of a request/response ring (io/ring.h, `DEFINE_RING_TYPES`).

use core::fmt;
use core::marker::PhantomData;

use morgana_hal::{PAGE_SIZE, PieceCount, Pieces, SharedRegion};
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
    match entries_in(pages * PAGE_SIZE, union_size::<Req, Rsp>()) {
        Some(entries) => entries,
        None => 0,
    }
}

/// How many entries there are, of a size that the types tell.
pub(crate) struct Geometry<Req, Rsp> {
    entries: PieceCount,
    types: PhantomData<fn(Req) -> Rsp>,
}

impl<Req, Rsp> Geometry<Req, Rsp> {
    const ENTRY_BYTES: usize = union_size::<Req, Rsp>();
    /// `None` if not one entry fits.
    pub(crate) const fn of(region_bytes: usize) -> Option<Self> {
        let Some(entries) = entries_in(region_bytes, Self::ENTRY_BYTES) else {
            return None;
        };
        match PieceCount::new(entries) {
            Some(entries) => Some(Self {
                entries,
                types: PhantomData,
            }),
            None => None,
        }
    }

    pub(crate) const fn entries(&self) -> u32 {
        self.entries.get()
    }

    /// What is in the pages that this geometry is of.
    #[inline(always)]
    pub(crate) fn shared<'a>(&self, region: &'a SharedRegion) -> SharedRing<'a> {
        SharedRing(region.pieces(ENTRIES, Self::ENTRY_BYTES, self.entries))
    }
}

/// What is shared of a ring: the peers' indices, and the entries, of which a free-running index names one.
pub(crate) struct SharedRing<'a>(Pieces<'a>);

impl SharedRing<'_> {
    /// Reads the index at `offset`, one of those above.
    #[inline(always)]
    pub(crate) fn index(&self, offset: usize) -> u32 {
        self.0.load_u32(offset)
    }

    /// Tells the peer an index and then reads another; see [`SharedRegion::store_then_load_u32`].
    #[inline(always)]
    pub(crate) fn tell_then_read(&self, tell: usize, index: u32, read: usize) -> u32 {
        self.0.store_then_load_u32(tell, index, read)
    }

    /// Copies an entry out.
    #[inline(always)]
    pub(crate) fn read<T: Entry>(&self, index: u32) -> T {
        let mut entry = T::new_zeroed();
        self.0.read(index, entry.as_mut_bytes());
        entry
    }

    /// Copies an entry in.
    #[inline(always)]
    pub(crate) fn write<T: Entry>(&self, index: u32, entry: &T) {
        self.0.write(index, entry.as_bytes());
    }
}

// Not derived: they would ask the same of the entries' types.
impl<Req, Rsp> Clone for Geometry<Req, Rsp> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<Req, Rsp> Copy for Geometry<Req, Rsp> {}

impl<Req, Rsp> fmt::Debug for Geometry<Req, Rsp> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Geometry")
            .field("entry_bytes", &Self::ENTRY_BYTES)
            .field("entries", &self.entries())
            .finish()
    }
}

/// How many entries of this size fit after the indices, rounded down to a power of two; `None` if not one does.
const fn entries_in(region_bytes: usize, entry_bytes: usize) -> Option<u32> {
    if entry_bytes == 0 || region_bytes < ENTRIES + entry_bytes {
        return None;
    }
    let fit = (region_bytes - ENTRIES) / entry_bytes;
    // More entries than indices can tell apart (2^31) would need 2 GiB at the least.
    Some(1 << if fit.ilog2() < 31 { fit.ilog2() } else { 31 })
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
    use morgana_hal::{LocalPages, Pages};

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
    fn entries_of_every_size_keep_apart() {
        fn check<const N: usize>() {
            let pages = LocalPages::new(1);
            let geometry = Geometry::<[u8; N], [u8; 1]>::of(PAGE_SIZE).unwrap();
            let entries = geometry.shared(pages.region());
            // From somewhere before the wrap-around of indices on.
            let indices = || (0..geometry.entries()).map(|number| number.wrapping_sub(5));
            for index in indices() {
                entries.write(index, &[index as u8 ^ 0x5a; N]);
            }
            for index in indices() {
                let entry: [u8; N] = entries.read(index);
                assert_eq!(entry, [index as u8 ^ 0x5a; N]);
            }
        }
        check::<20>();
        check::<112>();
        // Rings of smaller ones have so many that Miri takes minutes.
        if !cfg!(miri) {
            check::<1>();
            check::<6>();
            check::<7>();
            check::<8>();
            check::<12>();
        }
    }
}
