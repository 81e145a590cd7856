//! Shared memory on a vector that plays it.

extern crate std;

use core::ptr::NonNull;
use std::vec;
use std::vec::Vec;

use super::*;
use crate::{LocalPages, PAGE_SIZE, Pages};

fn with_region(len: usize, test: impl FnOnce(&SharedRegion)) {
    let mut words = vec![0u64; len.div_ceil(8)];
    let base = NonNull::new(words.as_mut_ptr().cast::<u8>()).expect("a Vec's pointer is not null");
    // SAFETY: `words` is 8-aligned, at least `len` bytes long, outlives the region, and is not touched while it lives.
    let region = unsafe { SharedRegion::from_raw(base, len) };
    test(&region);
}

#[test]
fn every_offset_and_length_round_trips() {
    with_region(40, |region| {
        // Miri tries fewer of them.
        let step = if cfg!(miri) { 3 } else { 1 };
        for offset in (0..40).step_by(step) {
            for len in (0..=40 - offset).step_by(step) {
                let bytes: Vec<u8> = (0..len).map(|i| (i * 7 + offset) as u8 | 1).collect();
                region.clear();
                region.write(offset, &bytes);
                let mut all = [0u8; 40];
                region.read(0, &mut all);
                assert_eq!(&all[offset..offset + len], bytes);
                assert!(
                    all[..offset]
                        .iter()
                        .chain(&all[offset + len..])
                        .all(|&b| b == 0)
                );
                let mut back = vec![0u8; len];
                region.read(offset, &mut back);
                assert_eq!(back, bytes);
            }
        }
    });
}

#[test]
#[cfg_attr(miri, ignore = "Miri has none of the instructions for them")]
fn long_copies_move_every_byte_and_no_other() {
    const LEN: usize = 320;
    with_region(LEN, |region| {
        for len in [15, 16, 17, 31, 32, 63, 64, 65, 79, 127, 128, 129, 200, 256] {
            for offset in (0..17).chain([LEN - len]) {
                let bytes: Vec<u8> = (0..len).map(|i| (i * 7 + offset) as u8 | 1).collect();
                region.clear();
                region.write(offset, &bytes);
                let mut all = [0; LEN];
                for (at, byte) in all.iter_mut().enumerate() {
                    region.read(at, core::slice::from_mut(byte));
                }
                assert_eq!(&all[offset..offset + len], bytes);
                let mut others = all[..offset].iter().chain(&all[offset + len..]);
                assert!(others.all(|&byte| byte == 0));
                // With a frame around it.
                let mut back = vec![0xee; len + 2];
                region.read(offset, &mut back[1..=len]);
                assert_eq!(&back[1..=len], bytes);
                assert_eq!((back[0], back[len + 1]), (0xee, 0xee));
            }
        }
    });
}

/// Pieces of `SIZE` bytes from `FIRST` on.
struct At<const FIRST: usize, const SIZE: usize>;

impl<const FIRST: usize, const SIZE: usize> PieceLayout for At<FIRST, SIZE> {
    const FIRST: usize = FIRST;
    const SIZE: usize = SIZE;
}

fn pieces<const FIRST: usize, const SIZE: usize>() -> Pieces<LocalPages, At<FIRST, SIZE>> {
    Pieces::new(LocalPages::new(1)).expect("there is room for a piece")
}

#[test]
fn a_number_of_pieces_is_a_power_of_two() {
    assert_eq!(piece_count(4096, 64, 112), Some(32));
    assert_eq!(piece_count(4096, 64, 63), Some(64));
    assert_eq!(piece_count(4096, 4095, 1), Some(1));
    for (bytes, first, size) in [
        (4096, 64, 0),
        (4096, 4096, 1),
        (4096, 4097, 1),
        (4096, 64, 4033),
        (0, 0, 1),
        (4096, usize::MAX, 1),
        (4096, 1, usize::MAX),
    ] {
        assert_eq!(piece_count(bytes, first, size), None);
    }
    assert_eq!(piece_count(usize::MAX, 0, 1), Some(1 << 31));
}

#[test]
fn pages_without_room_for_a_piece_come_back() {
    let refused = Pieces::<_, At<64, 4033>>::new(LocalPages::new(1));
    assert_eq!(
        refused.err().map(|pages| pages.region().len()),
        Some(PAGE_SIZE)
    );
}

#[test]
fn words_lie_before_the_pieces() {
    let pieces = pieces::<16, 4>();
    pieces.pages().region().store_u32(4, 7);
    assert_eq!(pieces.load_u32(4), 7);
    assert_eq!(pieces.store_then_load_u32(12, 9, 4), 7);
    assert_eq!(pieces.into_pages().region().load_u32(12), 9);
}

#[test]
#[should_panic(expected = "before the first piece")]
fn a_word_of_a_piece_is_none() {
    pieces::<16, 4>().load_u32(16);
}

#[test]
fn pieces_of_every_size_keep_apart() {
    fn check<const FIRST: usize, const SIZE: usize>() {
        let pieces = pieces::<FIRST, SIZE>();
        let count = pieces.count();
        // From somewhere before the wrap-around of indices on.
        for index in 0..count {
            pieces.write(index.wrapping_sub(3), &[(index % 251) as u8 + 1; SIZE]);
        }
        let all = pieces.pages().snapshot();
        for index in 0..count {
            let mut back = [0; SIZE];
            pieces.read(index.wrapping_sub(3), &mut back);
            assert_eq!(back, [(index % 251) as u8 + 1; SIZE]);
            let at = FIRST + (index.wrapping_sub(3) % count) as usize * SIZE;
            assert_eq!(all[at..at + SIZE], back);
        }
        let end = FIRST + count as usize * SIZE;
        let mut others = all[..FIRST].iter().chain(&all[end..]);
        assert!(others.all(|&byte| byte == 0));
    }
    check::<0, 64>();
    check::<3, 111>();
    check::<7, 24>();
    check::<8, 28>();
    check::<8, 112>();
    check::<12, 20>();
    check::<17, 40>();
    check::<64, 12>();
    check::<64, 4032>();
}

#[test]
fn an_access_to_a_piece_can_be_shorter_than_it() {
    let pieces = pieces::<8, 12>();
    pieces.write(1, &[5; 7]);
    let mut back = [0; 12];
    pieces.read(1, &mut back);
    assert_eq!(back, [5, 5, 5, 5, 5, 5, 5, 0, 0, 0, 0, 0]);
}

#[test]
#[should_panic(expected = "leaves the piece")]
fn an_access_stays_in_its_piece() {
    pieces::<0, 4>().read(0, &mut [0; 5]);
}

#[test]
fn a_value_is_stored_before_another_is_read() {
    with_region(16, |region| {
        region.store_u32(4, 7);
        assert_eq!(region.store_then_load_u32(0, 5, 4), 7);
        assert_eq!(region.load_u32(0), 5);
        assert_eq!(region.store_then_load_u32(8, 9, 8), 9);
    });
}

#[test]
#[should_panic(expected = "leaves the shared region")]
fn a_read_past_the_end_panics() {
    with_region(16, |region| region.read(12, &mut [0; 5]));
}

#[test]
#[should_panic(expected = "leaves the shared region")]
fn an_offset_that_overflows_panics() {
    with_region(16, |region| region.write(usize::MAX, &[0; 2]));
}

#[test]
fn a_u32_is_in_native_order() {
    with_region(16, |region| {
        region.store_u32(4, 0x0102_0304);
        assert_eq!(region.load_u32(4), 0x0102_0304);
        let mut bytes = [0; 4];
        region.read(4, &mut bytes);
        assert_eq!(u32::from_ne_bytes(bytes), 0x0102_0304);
    });
}
