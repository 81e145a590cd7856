//! How much memory a back end uses for one front end, and what it knows of it.

use morgana_netif::{DEFAULT_MTU, ETHERNET_HEADER, MAX_PACKET, VLAN_TAG};

/// What a back end is told about one interface. With the defaults an interface takes about 160 KiB, and maps two pages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Config {
    /// The IP MTU in bytes. Longer frames are dropped in either direction.
    pub mtu: usize,
    /// Private memory in bytes for frames that were copied from the front end and not yet taken; at least one longest frame.
    pub inbound_bytes: usize,
    /// How many frames may wait for the front end to offer pages for them; at least one.
    pub outbound_frames: usize,
}

impl Default for Config {
    /// An MTU of 1,500, 64 KiB inbound, 64 frames outbound.
    fn default() -> Self {
        Self {
            mtu: DEFAULT_MTU,
            inbound_bytes: 65_536,
            outbound_frames: 64,
        }
    }
}

impl Config {
    /// The longest frame, without a tag.
    pub(crate) fn max_frame(&self) -> usize {
        (self.mtu + ETHERNET_HEADER).min(MAX_PACKET - VLAN_TAG)
    }
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
