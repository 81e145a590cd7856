extern crate std;

use core::ptr::NonNull;
use std::alloc::{Layout, alloc, dealloc};
use std::collections::BTreeMap;
use std::vec::Vec;

use super::{ALIGN, LARGEST, PAGE, Slabs, Source};

/// Pages from the host, up to a limit; counts those that are out.
struct Host {
    out: usize,
    limit: usize,
}

const LAYOUT: Layout = match Layout::from_size_align(PAGE, PAGE) {
    Ok(layout) => layout,
    Err(_) => unreachable!(),
};

impl Source for Host {
    fn take(&mut self) -> Option<NonNull<u8>> {
        if self.out == self.limit {
            return None;
        }
        self.out += 1;
        // SAFETY: the layout is not empty.
        NonNull::new(unsafe { alloc(LAYOUT) })
    }

    unsafe fn give(&mut self, page: NonNull<u8>) {
        self.out -= 1;
        // SAFETY: the page came from `take`.
        unsafe { dealloc(page.as_ptr(), LAYOUT) };
    }
}

/// Gives back everything, and the pages that the slabs keep.
fn finish(slabs: Slabs, host: &mut Host) {
    for page in slabs.open {
        if let Some(page) = NonNull::new(page.cast::<u8>()) {
            // SAFETY: all objects were given back, so each class keeps at most one page, which nothing uses.
            unsafe { host.give(page) };
        }
    }
    assert_eq!(host.out, 0);
}

#[test]
fn objects_do_not_overlap_and_pages_come_back() {
    let steps = if cfg!(miri) { 400 } else { 40_000 };
    let mut host = Host {
        out: 0,
        limit: usize::MAX,
    };
    let mut slabs = Slabs::new();
    let mut live: Vec<(NonNull<u8>, usize, u8)> = Vec::new();
    let mut ranges: BTreeMap<usize, usize> = BTreeMap::new();
    let mut random = 88_172_645_463_325_252_u64;
    let mut next = |bound: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random % bound as u64) as usize
    };
    for step in 0..steps {
        // Grow in the first half, shrink in the second.
        let grow = next(100) < if step < steps / 2 { 60 } else { 40 };
        if grow || live.is_empty() {
            let size = 1 + next(LARGEST);
            let object = slabs.take(size, &mut host).expect("the host has pages");
            let start = object.addr().get();
            assert!(start.is_multiple_of(ALIGN));
            assert!(start / PAGE == (start + size - 1) / PAGE);
            let below = ranges.range(..start + size).next_back();
            assert!(below.is_none_or(|(&at, &len)| at + len <= start));
            ranges.insert(start, size);
            let mark = step as u8;
            // SAFETY: `size` bytes at `object` are ours.
            unsafe { object.write_bytes(mark, size) };
            live.push((object, size, mark));
        } else {
            let (object, size, mark) = live.swap_remove(next(live.len()));
            ranges.remove(&object.addr().get());
            // SAFETY: the object is live and was filled with its mark; afterwards it is not used.
            unsafe {
                assert!((0..size).all(|index| object.add(index).read() == mark));
                slabs.give(object, &mut host);
            }
        }
    }
    for (object, ..) in live {
        // SAFETY: live until now.
        unsafe { slabs.give(object, &mut host) };
    }
    finish(slabs, &mut host);
}

#[test]
fn a_dry_source_is_an_answer() {
    let mut host = Host { out: 0, limit: 1 };
    let mut slabs = Slabs::new();
    let mut live = Vec::new();
    while let Some(object) = slabs.take(2016, &mut host) {
        live.push(object);
    }
    assert_eq!(live.len(), 2);
    assert_eq!(slabs.take(16, &mut host), None);
    assert_eq!(slabs.take(LARGEST + 1, &mut host), None);
    for object in live {
        // SAFETY: live until now.
        unsafe { slabs.give(object, &mut host) };
    }
    finish(slabs, &mut host);
}
