//! Where things lie in the shared page (io/libxenvchan.h, `struct vchan_interface`), and how large the two rings are.

use morgana_hal::PAGE_SIZE;
use morgana_ring::LaneLayout;

/// `left.cons`, `left.prod`, `right.cons`, `right.prod`.
const LEFT_CONSUMER: usize = 0;
const LEFT_PRODUCER: usize = 4;
const RIGHT_CONSUMER: usize = 8;
const RIGHT_PRODUCER: usize = 12;
/// `left_order` in the lower half, `right_order` in the upper one.
pub(crate) const ORDERS: usize = 16;
/// `cli_live`, `srv_live`.
pub(crate) const CLIENT_LIVE: usize = 20;
pub(crate) const SERVER_LIVE: usize = 21;
/// `cli_notify`: of what the client is to tell the server. `srv_notify`: of what the server is to tell the client.
pub(crate) const CLIENT_NOTIFY: usize = 22;
pub(crate) const SERVER_NOTIFY: usize = 23;
/// `grants`: first those of the left ring, then those of the right one.
pub(crate) const GRANTS: usize = 24;

/// An end's life.
pub(crate) const GONE: u8 = 0;
pub(crate) const THERE: u8 = 1;
pub(crate) const NOT_YET: u8 = 2;

/// `VCHAN_NOTIFY_WRITE`: when bytes were written.
pub(crate) const NOTIFY_WRITE: u8 = 1;
/// `VCHAN_NOTIFY_READ`: when bytes were taken.
pub(crate) const NOTIFY_READ: u8 = 2;

/// A ring of this order lies at 1,024 in the shared page.
const SMALL: u32 = 10;
/// A ring of this order lies at 2,048 in the shared page.
const LARGE: u32 = 11;
/// The order of a page.
const PAGE: u32 = 12;
/// The largest order: its 256 grants fit into the shared page, also twice.
const LARGEST: u32 = 20;

/// How many bytes each ring is to hold at least.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sizes {
    /// From the client to the server.
    pub to_server: usize,
    /// From the server to the client.
    pub to_client: usize,
}

impl Sizes {
    /// 1 MiB each way: the most that there can be.
    pub const MOST: Self = Self {
        to_server: 1 << LARGEST,
        to_client: 1 << LARGEST,
    };
}

impl Default for Sizes {
    /// 64 KiB each way.
    fn default() -> Self {
        Self {
            to_server: 64 << 10,
            to_client: 64 << 10,
        }
    }
}

/// A ring's size: 2 to this power, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Order(u32);

/// Both rings' sizes. "Left" is from the client to the server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Orders {
    pub(crate) left: Order,
    pub(crate) right: Order,
}

impl Order {
    /// The smallest for so many bytes that has pages of its own.
    fn of_pages(bytes: usize) -> Option<Self> {
        let order = bytes
            .checked_next_power_of_two()?
            .trailing_zeros()
            .max(PAGE);
        (order <= LARGEST).then_some(Self(order))
    }

    /// How many pages of its own the ring has.
    pub(crate) const fn pages(self) -> usize {
        match self.0 {
            PAGE.. => 1 << (self.0 - PAGE),
            _ => 0,
        }
    }

    /// Its layout: `consumer` and `producer` lie in the shared page, the bytes there or in pages of the ring's own.
    const fn lane(self, consumer: usize, producer: usize) -> LaneLayout {
        let buffer = match self.0 {
            SMALL => 1024,
            LARGE => 2048,
            _ => 0,
        };
        LaneLayout {
            buffer,
            size: 1 << self.0,
            consumer,
            producer,
        }
    }
}

impl Orders {
    /// For rings of at least these sizes: in the shared page, if both fit there. `None` if a size is more than 1 MiB.
    pub(crate) fn of(sizes: Sizes) -> Option<Self> {
        let (small, large) = (1 << SMALL, 1 << LARGE);
        let Sizes {
            to_server,
            to_client,
        } = sizes;
        let (left, right) = if to_server <= small && to_client <= large {
            (Order(SMALL), Order(LARGE))
        } else if to_server <= large && to_client <= small {
            (Order(LARGE), Order(SMALL))
        } else if to_server <= large {
            (Order(LARGE), Order::of_pages(to_client)?)
        } else if to_client <= large {
            (Order::of_pages(to_server)?, Order(LARGE))
        } else {
            (Order::of_pages(to_server)?, Order::of_pages(to_client)?)
        };
        Some(Self { left, right })
    }

    /// As the server has written them; `None` if there cannot be such rings.
    pub(crate) fn from_word(word: u32) -> Option<Self> {
        let (left, right) = (word & 0xffff, word >> 16);
        let fits = (SMALL..=LARGEST).contains(&left) && (SMALL..=LARGEST).contains(&right);
        // Two rings in the shared page are at different places, and a list of grants ends before a ring.
        let apart = left != right || left >= PAGE;
        let listed = left.min(right) != SMALL || left.max(right) == LARGE;
        (fits && apart && listed).then_some(Self {
            left: Order(left),
            right: Order(right),
        })
    }

    /// Whether neither ring is larger than these sizes.
    pub(crate) const fn are_within(self, most: Sizes) -> bool {
        1 << self.left.0 <= most.to_server && 1 << self.right.0 <= most.to_client
    }

    pub(crate) const fn word(self) -> u32 {
        self.left.0 | self.right.0 << 16
    }

    pub(crate) const fn left_lane(self) -> LaneLayout {
        self.left.lane(LEFT_CONSUMER, LEFT_PRODUCER)
    }

    pub(crate) const fn right_lane(self) -> LaneLayout {
        self.right.lane(RIGHT_CONSUMER, RIGHT_PRODUCER)
    }

    /// How many grants are listed.
    pub(crate) const fn pages(self) -> usize {
        self.left.pages() + self.right.pages()
    }
}

const _: () = assert!(GRANTS + 2 * (1 << (LARGEST - PAGE)) * size_of::<u32>() <= PAGE_SIZE);
const _: () = assert!(GRANTS + (1 << (LARGEST - PAGE)) * size_of::<u32>() <= 2048);

#[cfg(test)]
mod tests {
    use super::*;

    fn orders(to_server: usize, to_client: usize) -> Option<(u32, u32)> {
        let sizes = Sizes {
            to_server,
            to_client,
        };
        let orders = Orders::of(sizes)?;
        assert_eq!(Orders::from_word(orders.word()), Some(orders));
        Some((orders.left.0, orders.right.0))
    }

    #[test]
    fn sizes_become_rings_as_in_libxenvchan() {
        assert_eq!(orders(0, 0), Some((10, 11)));
        assert_eq!(orders(1024, 2048), Some((10, 11)));
        assert_eq!(orders(1025, 1), Some((11, 10)));
        assert_eq!(orders(2048, 2048), Some((11, 12)));
        assert_eq!(orders(100_000, 10), Some((17, 11)));
        assert_eq!(orders(10, 100_000), Some((11, 17)));
        assert_eq!(orders(4097, 1 << 20), Some((13, 20)));
        assert_eq!(orders(1, (1 << 20) + 1), None);
        assert_eq!(orders(usize::MAX, usize::MAX), None);
    }

    #[test]
    fn rings_that_cannot_be_are_refused() {
        for (left, right) in [
            (0, 12),
            (9, 12),
            (21, 12),
            (12, 21),
            (10, 10),
            (11, 11),
            (10, 12),
            (12, 10),
            (0xffff, 12),
        ] {
            assert_eq!(
                Orders::from_word(left | right << 16),
                None,
                "{left} {right}"
            );
        }
        for (left, right) in [(10, 11), (11, 10), (11, 12), (20, 11), (12, 12), (20, 20)] {
            assert!(Orders::from_word(left | right << 16).is_some());
        }
    }
}
