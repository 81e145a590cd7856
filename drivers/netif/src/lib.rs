#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod checksum;
mod extra;
mod flow;
mod joint;
pub mod keys;
mod mac;
mod meta;
mod peer;
mod rx;
mod segment;
mod segmenter;
mod tx;

pub use checksum::{Offload, RxChecksum, TxChecksum};
pub use extra::{Extra, ExtraFlags, ExtraInfo, GsoProtocol, UnknownExtra};
pub use flow::flow_hash;
pub use joint::Joint;
pub use mac::{MacAddr, ParseMacError};
pub use meta::{RxMeta, Segmentation, SegmentationOffload, TxMeta};
pub use peer::{Chains, Features, RingKeys};
pub use rx::{RX_ENTRY_SIZE, RxFlags, RxRequest, RxResponse};
pub use segment::{ChecksumPlace, NoSegment, Verdict, blank_or_complete, complete, verify};
pub use segmenter::{MIN_SEGMENT, NotLarge, Segments};
pub use tx::{MAX_PACKET, TX_ENTRY_SIZE, TxFlags, TxRequest, TxResponse, TxStatus};

/// The least number of slots that both sides must be able to take for one frame (netif.h, `XEN_NETIF_NR_SLOTS_MIN`); no more may be
/// relied upon.
pub const MAX_SLOTS: usize = 18;

/// The length of an Ethernet header: destination, source, type (IEEE 802.3, clause 3). No shorter frame can be meant.
pub const ETHERNET_HEADER: usize = 14;

/// A tag that may stand between an Ethernet header's addresses and its type (IEEE 802.1Q): the MTU does not count it.
pub const VLAN_TAG: usize = 4;

/// There are four types of extra info, and no reason for more in one frame (netif.h, `XEN_NETIF_EXTRA_TYPE_MAX` - 1).
pub const MAX_EXTRAS: usize = 4;

/// How many entries each of both rings has: as many as fit into its page (io/ring.h, `__RING_SIZE`).
pub const RING_ENTRIES: usize = 256;

/// Our limit of a device's queues. netif.h names none; a domain has not many more processors.
pub const MAX_QUEUES: usize = 16;

/// The IP MTU where xenstore names none (netif.h, section "MTU").
pub const DEFAULT_MTU: usize = 1500;
