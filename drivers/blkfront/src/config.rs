//! How much memory a front end uses, and what both ends agree on.

use morgana_blkif::{ENTRY_SIZE, MAX_RING_PAGE_ORDER, MAX_SEGMENTS, SEGMENTS_PER_INDIRECT_PAGE};
use morgana_hal::PAGE_SIZE;

/// What a front end wants. Beside its pool it has the pages of its rings.
///
/// The default takes 257 pages (a little over 1 MiB), of which each takes a grant reference.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Config {
    /// Pages for data on its way, 16 to 16,384. They are granted once and used again and again.
    pub pool_pages: usize,
    /// The most queues, 1 to 16: as many as the domain has processors are of use.
    pub queues: usize,
    /// The largest ring, as a power of two of pages, up to 4: a page has 32 requests.
    pub ring_page_order: u32,
    /// The most pages in one request, 11 to 512, where the back end takes more than 11.
    pub segments: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            pool_pages: 256,
            queues: 1,
            ring_page_order: 0,
            segments: 64,
        }
    }
}

/// The most queues that a front end uses.
const MAX_QUEUES: usize = 16;
const POOL_PAGES: core::ops::RangeInclusive<usize> = 16..=16_384;

impl Config {
    /// The figures as they are used, within their limits.
    pub(crate) fn clamped(self) -> Self {
        let pool_pages = self
            .pool_pages
            .clamp(*POOL_PAGES.start(), *POOL_PAGES.end());
        Self {
            pool_pages,
            queues: self.queues.clamp(1, MAX_QUEUES),
            ring_page_order: self.ring_page_order.min(MAX_RING_PAGE_ORDER),
            // A request and its page of segments fit, and the pool has room for some at once.
            segments: self
                .segments
                .clamp(MAX_SEGMENTS, SEGMENTS_PER_INDIRECT_PAGE)
                .min((pool_pages / 4).max(MAX_SEGMENTS)),
        }
    }

    /// How many requests there may be at once.
    pub(crate) fn requests(&self) -> usize {
        self.queues * ring_entries(self.ring_page_order)
    }
}

/// io/ring.h, `__RING_SIZE`.
fn ring_entries(order: u32) -> usize {
    let fit = ((PAGE_SIZE << order) - 64) / ENTRY_SIZE;
    1 << fit.ilog2()
}

/// What both ends agree on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// How many queues there are.
    pub queues: usize,
    /// How large each ring is, as a power of two of pages.
    pub ring_page_order: u32,
    /// The most pages in one request. More than 11 take an indirect one.
    pub segments: usize,
}

impl Limits {
    /// What a back end that offers nothing takes.
    pub const LEAST: Self = Self {
        queues: 1,
        ring_page_order: 0,
        segments: MAX_SEGMENTS,
    };

    /// What both can do: `offered` is what the back end says, whatever that is.
    pub(crate) fn agreed(config: &Config, offered: Self) -> Self {
        Self {
            queues: offered.queues.clamp(1, config.queues),
            ring_page_order: offered.ring_page_order.min(config.ring_page_order),
            segments: offered.segments.clamp(MAX_SEGMENTS, config.segments),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nonsense_is_brought_within_limits() {
        let wild = Config {
            pool_pages: 0,
            queues: 0,
            ring_page_order: 99,
            segments: 0,
        };
        let config = wild.clamped();
        assert_eq!((config.pool_pages, config.queues), (16, 1));
        assert_eq!((config.ring_page_order, config.segments), (4, 11));
        assert_eq!(Config::default().clamped(), Config::default());
        assert_eq!(Config::default().requests(), 32);
        assert_eq!(config.requests(), 512);
    }

    #[test]
    fn what_the_back_end_says_is_not_taken_for_more_than_we_want() {
        let config = Config::default();
        let wild = Limits {
            queues: usize::MAX,
            ring_page_order: u32::MAX,
            segments: usize::MAX,
        };
        let agreed = Limits::agreed(&config, wild);
        assert_eq!(
            (agreed.queues, agreed.ring_page_order, agreed.segments),
            (1, 0, 64)
        );
        let none = Limits {
            queues: 0,
            ring_page_order: 0,
            segments: 0,
        };
        assert_eq!(Limits::agreed(&config, none), Limits::LEAST);
    }
}
