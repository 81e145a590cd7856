//! Where things lie in the shared pages of a request/response ring (io/ring.h, `DEFINE_RING_TYPES`).

use core::marker::PhantomData;

use morgana_hal::{PAGE_SIZE, Pages, PieceLayout, Pieces, piece_count};
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
    match piece_count(pages * PAGE_SIZE, ENTRIES, union_size::<Req, Rsp>()) {
        Some(entries) => entries,
        None => 0,
    }
}

/// Entries after the indices, of a size that the types tell.
pub(crate) struct Layout<Req, Rsp>(PhantomData<fn(Req) -> Rsp>);

impl<Req, Rsp> PieceLayout for Layout<Req, Rsp> {
    const FIRST: usize = ENTRIES;
    const SIZE: usize = union_size::<Req, Rsp>();
}

/// The pages of a ring: the peers' indices, and the entries, of which a free-running index names one.
pub(crate) type Shared<M, Req, Rsp> = Pieces<M, Layout<Req, Rsp>>;

/// Copies an entry out.
#[inline(always)]
pub(crate) fn read<T: Entry, M: Pages, L: PieceLayout>(ring: &Pieces<M, L>, index: u32) -> T {
    let mut entry = T::new_zeroed();
    ring.read(index, entry.as_mut_bytes());
    entry
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
    use morgana_hal::LocalPages;

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
            let ring = Shared::<_, [u8; N], [u8; 1]>::new(pages).unwrap();
            // From somewhere before the wrap-around of indices on.
            let indices = || (0..ring.count()).map(|number| number.wrapping_sub(5));
            for index in indices() {
                ring.write(index, &[index as u8 ^ 0x5a; N]);
            }
            for index in indices() {
                let entry: [u8; N] = read(&ring, index);
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
