//! How much memory a front end uses.

use morgana_netif::{ETHERNET_HEADER, MAX_PACKET, MAX_QUEUES, RING_ENTRIES};

/// The pages of a front end's pools. Beside them a front end has two pages of rings, and one frame's private buffer for receiving.
///
/// The default takes 98 pages (392 KiB): a domain of 4 MiB can spare them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Config {
    /// Pages for frames to be sent. Two frames of up to 2,048 bytes share a page; a longer one has pages of its own. At least one
    /// frame fits; there are never more than a ring has entries (256). A large TCP frame takes half of them at the most, and 16 pages.
    pub transmit_pages: usize,
    /// Pages offered to the back end for frames to be received, one frame each (or a piece of a long one): 32, 64, 128 or 256; other
    /// figures are rounded up to the next of these. When all are full the back end queues frames, or drops them.
    pub receive_pages: usize,
    /// How many queues there are at most, each a pair of rings with an event channel, and with pages of its own for frames to be received: at
    /// least one, at most [`MAX_QUEUES`], and no more than the back end offers. More than one is of use to a domain of several processors only.
    pub queues: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            transmit_pages: 64,
            receive_pages: 64,
            queues: 1,
        }
    }
}

impl Config {
    /// [`queues`](Self::queues) as it is used.
    pub(crate) fn queues(&self) -> usize {
        self.queues.clamp(1, MAX_QUEUES)
    }

    /// [`receive_pages`](Self::receive_pages) as it is used: a power of two, so that a ring index gives the page also when it wraps.
    pub(crate) fn receive_pages(&self) -> usize {
        self.receive_pages
            .clamp(MIN_RECEIVE_PAGES, RING_ENTRIES)
            .next_power_of_two()
    }
}

/// A frame may take 18 slots (netif.h, `XEN_NETIF_NR_SLOTS_MIN`) and a slot or two of extra info.
const MIN_RECEIVE_PAGES: usize = 32;

/// The longest frame for an IP MTU that a peer or the toolstack has named.
pub(crate) fn frame_length(mtu: usize) -> usize {
    (mtu + ETHERNET_HEADER).min(MAX_PACKET)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn receive_pages_are_a_power_of_two_within_limits() {
        for (asked, used) in [(0, 32), (33, 64), (64, 64), (200, 256), (9999, 256)] {
            let config = Config {
                receive_pages: asked,
                ..Config::default()
            };
            assert_eq!(config.receive_pages(), used);
        }
    }
}
