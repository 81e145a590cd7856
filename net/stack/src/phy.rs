//! The two devices that smoltcp sees: one with a single received frame in it, and one that only sends.

use alloc::vec::Vec;
use core::num::NonZeroUsize;

use morgana_net_device::{Capabilities, GsoProtocol, Offload, TxMeta, TxSlot, blank_or_complete};
use smoltcp::phy::{
    Checksum, ChecksumCapabilities, Device, DeviceCapabilities, Medium, RxToken, TxToken,
};
use smoltcp::time::Instant;

use crate::stats::Stats;
use crate::tcp::Wire;

/// What smoltcp is told of the device. TCP and UDP checksums are neither verified nor computed by it: see [`crate::frame`] and
/// [`finish`].
///
/// smoltcp 0.14 drops large frames over IPv6, whatever the device takes. So a device that takes them is said to have a large MTU, and the
/// sizes of segments that are agreed on are corrected in passing: see [`Wire`].
pub(crate) fn capabilities(device: &Capabilities) -> DeviceCapabilities {
    let mut checksum = ChecksumCapabilities::default();
    checksum.ipv4 = Checksum::Tx;
    checksum.tcp = Checksum::None;
    checksum.udp = Checksum::None;
    let mut capabilities = DeviceCapabilities::default();
    capabilities.medium = Medium::Ethernet;
    capabilities.max_transmission_unit = device.max_frame();
    capabilities.checksum = checksum;
    let large = |kind| {
        let taken = device.segmentation.kinds.includes(kind);
        let longest = device.segmentation.max_frame.min(MAX_LARGE);
        // smoltcp subtracts headers from it.
        NonZeroUsize::new(longest).filter(|longest| taken && longest.get() >= device.max_frame())
    };
    capabilities.segmentation.tcpv4 = large(GsoProtocol::TcpV4);
    capabilities.segmentation.tcpv6 = large(GsoProtocol::TcpV6);
    if let Some(longest) = capabilities.segmentation.tcpv6 {
        capabilities.max_transmission_unit = longest.get();
    }
    capabilities
}

/// The longest frame that is built for a device that cuts it: an IP packet's length has 16 bits.
const MAX_LARGE: usize = 65_535;

/// What is still to be done to a frame that smoltcp has built: translating a connection's sequence numbers, and the checksum. A frame that is
/// longer than the link takes is to be cut.
fn finish(frame: &mut [u8], wire: Option<&mut Wire>, offload: Offload) -> TxMeta {
    let segmentation = wire.and_then(|wire| {
        wire.outgoing(frame);
        wire.segmentation(frame)
    });
    TxMeta {
        checksum: blank_or_complete(frame, offload),
        segmentation,
    }
}

/// A device with one frame in it. The answer that smoltcp may give to it is kept, because the driver's room for it may not be taken while
/// the frame is borrowed from the driver.
pub(crate) struct Ingress<'a> {
    pub(crate) capabilities: &'a DeviceCapabilities,
    pub(crate) offload: Offload,
    pub(crate) frame: Option<&'a [u8]>,
    pub(crate) wire: Option<&'a mut Wire>,
    pub(crate) reply: &'a mut Reply,
}

/// The answer to a frame; empty if there is none.
#[derive(Debug, Default)]
pub(crate) struct Reply {
    pub(crate) bytes: Vec<u8>,
    pub(crate) meta: Option<TxMeta>,
}

impl Reply {
    /// Builds an answer of `len` bytes in place of an earlier one.
    pub(crate) fn build(&mut self, len: usize, fill: impl FnOnce(&mut [u8]) -> TxMeta) {
        self.bytes.clear();
        self.bytes.resize(len, 0);
        self.meta = Some(fill(&mut self.bytes));
    }
}

pub(crate) struct Received<'a>(&'a [u8]);

pub(crate) struct Answer<'a> {
    reply: &'a mut Reply,
    wire: Option<&'a mut Wire>,
    offload: Offload,
}

impl Device for Ingress<'_> {
    type RxToken<'a>
        = Received<'a>
    where
        Self: 'a;
    type TxToken<'a>
        = Answer<'a>
    where
        Self: 'a;

    fn receive(&mut self, _: Instant) -> Option<(Received<'_>, Answer<'_>)> {
        let frame = self.frame.take()?;
        Some((Received(frame), self.transmit(Instant::ZERO)?))
    }

    fn transmit(&mut self, _: Instant) -> Option<Answer<'_>> {
        Some(Answer {
            reply: self.reply,
            wire: self.wire.as_deref_mut(),
            offload: self.offload,
        })
    }

    fn capabilities(&self) -> DeviceCapabilities {
        self.capabilities.clone()
    }
}

impl RxToken for Received<'_> {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(self.0)
    }
}

impl TxToken for Answer<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, f: F) -> R {
        let mut result = None;
        self.reply.build(len, |frame| {
            result = Some(f(frame));
            finish(frame, self.wire, self.offload)
        });
        // `build` calls the closure exactly once.
        result.expect("the frame was filled")
    }
}

/// A device that sends into the driver's memory.
pub(crate) struct Egress<'a, D> {
    pub(crate) device: &'a mut D,
    pub(crate) capabilities: &'a DeviceCapabilities,
    pub(crate) offload: Offload,
    pub(crate) wire: Option<&'a mut Wire>,
    pub(crate) stats: &'a mut Stats,
    /// Whether the driver had no room when it was asked.
    pub(crate) exhausted: bool,
}

pub(crate) struct Slot<'a, T> {
    slot: T,
    offload: Offload,
    wire: Option<&'a mut Wire>,
    stats: &'a mut Stats,
}

/// Never received anything.
pub(crate) enum Nothing {}

impl<D: morgana_net_device::Device> Device for Egress<'_, D> {
    type RxToken<'a>
        = Nothing
    where
        Self: 'a;
    type TxToken<'a>
        = Slot<'a, D::TxSlot<'a>>
    where
        Self: 'a;

    fn receive(&mut self, _: Instant) -> Option<(Nothing, Self::TxToken<'_>)> {
        None
    }

    fn transmit(&mut self, _: Instant) -> Option<Self::TxToken<'_>> {
        match self.device.transmit() {
            Some(slot) => Some(Slot {
                slot,
                offload: self.offload,
                wire: self.wire.as_deref_mut(),
                stats: self.stats,
            }),
            None => {
                self.exhausted = true;
                None
            }
        }
    }

    fn capabilities(&self) -> DeviceCapabilities {
        self.capabilities.clone()
    }
}

impl RxToken for Nothing {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, _: F) -> R {
        match self {}
    }
}

impl<T: TxSlot> TxToken for Slot<'_, T> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, f: F) -> R {
        let mut result = None;
        self.stats.frames_sent += 1;
        self.stats.bytes_sent += len as u64;
        self.slot.send(len, |frame| {
            result = Some(f(frame));
            let meta = finish(frame, self.wire, self.offload);
            self.stats.large_sent += u64::from(meta.segmentation.is_some());
            meta
        });
        // `TxSlot::send` calls the closure exactly once.
        result.expect("the frame was filled")
    }
}
