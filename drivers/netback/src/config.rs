//! How much memory a back end uses for one front end, and what it knows of it.

use morgana_netif::{DEFAULT_MTU, ETHERNET_HEADER, MAX_PACKET, MAX_QUEUES, VLAN_TAG};

/// What a back end is told about one interface. With the defaults an interface takes about 384 KiB, and maps two pages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Config {
    /// The IP MTU in bytes. Longer frames are dropped in either direction.
    pub mtu: usize,
    /// Private memory in bytes for frames that were copied from the front end and not yet taken; at least one longest frame (64 KiB).
    pub inbound_bytes: usize,
    /// Private memory in bytes for frames that wait for the front end to offer pages for them; at least two longest frames.
    pub outbound_bytes: usize,
    /// How many frames may wait for the front end to offer pages for them; at least one.
    pub outbound_frames: usize,
    /// How many queues the front end may have, each a pair of rings with an event channel: at least one, and at most
    /// [`MAX_QUEUES`](morgana_netif::MAX_QUEUES). All of them share the private memory.
    pub queues: usize,
    /// Who says that the interface is ready for traffic.
    pub hotplug: Hotplug,
}

impl Default for Config {
    /// An MTU of 1,500, 128 KiB inbound, 256 KiB or 256 frames outbound, up to 4 queues.
    fn default() -> Self {
        Self {
            mtu: DEFAULT_MTU,
            inbound_bytes: 128 << 10,
            outbound_bytes: 256 << 10,
            outbound_frames: 256,
            queues: 4,
            hotplug: Hotplug::NotNeeded,
        }
    }
}

impl Config {
    /// [`queues`](Self::queues) as it is used.
    pub(crate) fn queues(&self) -> usize {
        self.queues.clamp(1, MAX_QUEUES)
    }

    /// The longest frame, without a tag.
    pub(crate) fn max_frame(&self) -> usize {
        (self.mtu + ETHERNET_HEADER).min(MAX_PACKET - VLAN_TAG)
    }
}

/// Who says that an interface is ready for traffic, by the key `hotplug-status`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Hotplug {
    /// Nothing else is to be done: the back end says so itself, before it meets a front end.
    #[default]
    NotNeeded,
    /// A script of the toolstack, which brings the interface into its bridge; the front end is not connected before that.
    ByToolstack,
}

/// Whether the front end tells when it offers new pages (`feature-rx-notify`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum RxNotify {
    /// It does not, so frames that find no page are dropped at once.
    #[default]
    Never,
    /// It does, so frames may wait.
    WhenAsked,
}
