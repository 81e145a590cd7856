//! Shared memory on a vector that plays it.

extern crate std;

use core::ptr::NonNull;
use std::vec;
use std::vec::Vec;

use super::*;

fn count(number: u32) -> PieceCount {
    PieceCount::new(number).expect("a power of two")
}

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

#[test]
fn a_number_of_pieces_is_a_power_of_two() {
    for number in [0, 3, 6, u32::MAX] {
        assert_eq!(PieceCount::new(number), None);
    }
    for number in [1, 2, 256, 1 << 31] {
        assert_eq!(count(number).get(), number);
    }
}

#[test]
fn words_lie_before_the_pieces() {
    with_region(64, |region| {
        region.store_u32(4, 7);
        let pieces = region.pieces(16, 4, count(4));
        assert_eq!(pieces.load_u32(4), 7);
        assert_eq!(pieces.store_then_load_u32(12, 9, 4), 7);
        assert_eq!(region.load_u32(12), 9);
    });
}

#[test]
#[should_panic(expected = "before the first piece")]
fn a_word_of_a_piece_is_none() {
    with_region(64, |region| {
        region.pieces(16, 4, count(4)).load_u32(16);
    });
}

#[test]
fn pieces_of_every_size_keep_apart() {
    with_region(4096, |region| {
        // Miri tries fewer of them.
        let step = if cfg!(miri) { 7 } else { 1 };
        let places = (0..20).step_by(step);
        for (first, size) in
            places.flat_map(|first| (1..40).step_by(step).map(move |size| (first, size)))
        {
            region.clear();
            let pieces = region.pieces(first, size, count(8));
            for index in 0..8u32 {
                pieces.write(index.wrapping_sub(3), &vec![index as u8 + 1; size]);
            }
            let mut all = vec![0; first + 8 * size + 8];
            region.read(0, &mut all);
            for index in 0..8u32 {
                let mut back = vec![0; size];
                pieces.read(index.wrapping_sub(3), &mut back);
                assert_eq!(back, vec![index as u8 + 1; size]);
                let at = first + (index as usize + 5) % 8 * size;
                assert_eq!(all[at..at + size], back);
            }
            assert!(
                all[..first]
                    .iter()
                    .chain(&all[first + 8 * size..])
                    .all(|&b| b == 0)
            );
        }
    });
}

#[test]
#[should_panic(expected = "leaves the shared region")]
fn pieces_lie_inside() {
    with_region(64, |region| {
        region.pieces(8, 7, count(8));
        region.pieces(8, 8, count(8));
    });
}

#[test]
#[should_panic(expected = "leaves the shared region")]
fn pieces_that_overflow_panic() {
    with_region(64, |region| {
        region.pieces(8, usize::MAX / 2, count(8));
    });
}

#[test]
#[should_panic(expected = "leaves the piece")]
fn an_access_stays_in_its_piece() {
    with_region(64, |region| {
        region.pieces(0, 4, count(4)).read(0, &mut [0; 5])
    });
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
