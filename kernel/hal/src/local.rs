//! Pages on the own heap that play shared memory: for tests, fuzzing and simulations, where both ends live in one domain.

use alloc::rc::Rc;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;
use core::ptr::NonNull;

use crate::{PAGE_SIZE, Pages, SharedRegion};

/// Zeroed pages of the own heap. Clones are the same pages, so one clone can be given to each end of a ring.
#[derive(Clone)]
pub struct LocalPages(Rc<Inner>);

struct Inner {
    region: SharedRegion,
    /// Keeps the memory that `region` points to; never touched but by way of `region`.
    _memory: Vec<u64>,
}

impl LocalPages {
    /// `pages` zeroed pages.
    pub fn new(pages: usize) -> Self {
        let mut memory = vec![0u64; pages * PAGE_SIZE / size_of::<u64>()];
        let base = NonNull::from(memory.as_mut_slice()).cast::<u8>();
        // SAFETY: `base` points to u64s, hence is aligned to 8, and is valid for pages × 4,096 bytes; the Vec is never resized or
        // looked into and lives as long as the region, beside which it is dropped.
        let region = unsafe { SharedRegion::from_raw(base, pages * PAGE_SIZE) };
        Self(Rc::new(Inner {
            region,
            _memory: memory,
        }))
    }

    /// All bytes, copied.
    pub fn snapshot(&self) -> Vec<u8> {
        let mut bytes = vec![0; self.0.region.len()];
        self.0.region.read(0, &mut bytes);
        bytes
    }
}

// SAFETY: the region is behind an `Rc`, whose content stays where it is and unchanged while a clone lives.
unsafe impl Pages for LocalPages {
    fn region(&self) -> &SharedRegion {
        &self.0.region
    }
}

impl fmt::Debug for LocalPages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalPages")
            .field("bytes", &self.0.region.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_are_the_same_pages() {
        let pages = LocalPages::new(2);
        let other = pages.clone();
        pages.region().write(PAGE_SIZE, b"hello");
        assert_eq!(&other.snapshot()[PAGE_SIZE..PAGE_SIZE + 5], b"hello");
        assert_eq!(other.region().len(), 2 * PAGE_SIZE);
    }
}
