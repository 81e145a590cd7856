//! How much a back end offers to one front end, and how much it spends on it.

use morgana_blkif::{MAX_RING_PAGE_ORDER, MAX_SEGMENTS, SEGMENTS_PER_INDIRECT_PAGE};

/// What a back end is told about one disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Config {
    /// How many requests are under way at once, 1 to 1,024.
    pub concurrency: usize,
    /// Private memory in bytes for data on its way. It is exceeded by at most one request.
    pub buffer_bytes: usize,
    /// The most queues, 1 to 16.
    pub queues: usize,
    /// The largest ring, as a power of two of pages, up to 4.
    pub ring_page_order: u32,
    /// The most segments of an indirect request, up to 512.
    pub segments: usize,
    /// The most pages of the front end that stay mapped (persistent grants), for all queues together, up to 16,384. With 0 it is told that none do.
    pub persistent_pages: usize,
    /// Whether the disk may be written; one that cannot be written never may.
    pub writes: morgana_block::Writes,
}

impl Default for Config {
    /// 64 requests and 2 MiB at once, 4 queues, rings of up to 4 pages, 256 segments, 512 pages that stay mapped.
    fn default() -> Self {
        Self {
            concurrency: 64,
            buffer_bytes: 2 << 20,
            queues: 4,
            ring_page_order: 2,
            segments: 256,
            persistent_pages: 512,
            writes: morgana_block::Writes::Allowed,
        }
    }
}

/// The most queues.
const MAX_QUEUES: usize = 16;
const MAX_CONCURRENCY: usize = 1024;
const MAX_PERSISTENT_PAGES: usize = 16_384;

impl Config {
    /// The figures as they are used, within their limits.
    pub(crate) fn clamped(self) -> Self {
        Self {
            concurrency: self.concurrency.clamp(1, MAX_CONCURRENCY),
            buffer_bytes: self.buffer_bytes.max(1),
            queues: self.queues.clamp(1, MAX_QUEUES),
            ring_page_order: self.ring_page_order.min(MAX_RING_PAGE_ORDER),
            segments: self
                .segments
                .clamp(MAX_SEGMENTS, SEGMENTS_PER_INDIRECT_PAGE),
            persistent_pages: self.persistent_pages.min(MAX_PERSISTENT_PAGES),
            writes: self.writes,
        }
    }
}
