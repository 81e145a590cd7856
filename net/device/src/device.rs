//! The seam: what a driver offers, and what a stack or a decorator uses.

use core::task::{Context, Poll};

use morgana_netif::ETHERNET_HEADER;

use crate::{MacAddr, Offload, RxMeta, SegmentationOffload, TxMeta};

/// What a device is and can do. It does not change while the device lives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Capabilities {
    /// The device's own Ethernet address.
    pub mac: MacAddr,
    /// The largest IP packet in bytes (1,500 on an ordinary link); a frame has 14 bytes more.
    pub ip_mtu: usize,
    /// Checksums that may be left blank in frames that are sent.
    pub transmit_offload: Offload,
    /// Large TCP frames that may be sent. Received ones may be large whatever this says.
    pub segmentation: SegmentationOffload,
}

impl Capabilities {
    /// The length of the largest frame: [`ip_mtu`](Self::ip_mtu) and an Ethernet header, without frame check sequence.
    pub const fn max_frame(&self) -> usize {
        self.ip_mtu + ETHERNET_HEADER
    }

    /// Whether a frame of `len` bytes may be sent so: an ordinary one, or a large one that the device takes.
    pub fn takes(&self, len: usize, meta: TxMeta) -> bool {
        match meta.segmentation {
            None => len <= self.max_frame(),
            Some(segmentation) => self.segmentation.takes(segmentation, len),
        }
    }
}

/// A device that sends and receives Ethernet frames, polled by one task.
pub trait Device {
    /// Room for one frame to be sent.
    type TxSlot<'a>: TxSlot
    where
        Self: 'a;
    /// A frame that was received.
    type RxFrame<'a>: RxFrame
    where
        Self: 'a;

    /// What the device is and can do.
    fn capabilities(&self) -> Capabilities;

    /// Room for one frame of any length that the device takes, or `None` if there is none now; [`poll_ready`](Self::poll_ready) tells when to try again. Dropping the slot
    /// gives the room back.
    fn transmit(&mut self) -> Option<Self::TxSlot<'_>>;

    /// The next frame that was received, or `None` if there is none now. Dropping it frees its buffer.
    fn receive(&mut self) -> Option<Self::RxFrame<'_>>;

    /// Ready when [`receive`](Self::receive) has a frame, or when [`transmit`](Self::transmit) has room after it had none. Otherwise the
    /// waker is registered, in place of an earlier one. It may be ready for nothing, but not for ever.
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()>;

    /// Ends a pass: what was sent since the last call becomes visible to the peer, who is notified at most once.
    fn flush(&mut self);
}

/// Room for one frame.
pub trait TxSlot {
    /// Sends a frame of `len` bytes. `fill`, which is called exactly once, writes it straight into the memory that the peer will read, and
    /// then says what it has written. What `fill` leaves alone has unspecified content, but never another domain's.
    ///
    /// The frame has at most [`Capabilities::max_frame`] bytes, unless it is a large one that [`Capabilities::segmentation`] welcomes.
    ///
    /// # Panics
    ///
    /// If it is longer than that: a bug of the caller, out of a peer's reach.
    fn send(self, len: usize, fill: impl FnOnce(&mut [u8]) -> TxMeta);
}

/// A frame that was received, in memory that nobody else can write.
pub trait RxFrame {
    /// What the device tells about it.
    fn meta(&self) -> RxMeta;

    /// The frame, from the Ethernet header on, without frame check sequence. Its length is whatever the peer sent.
    fn bytes(&mut self) -> &mut [u8];
}
