//! The device.

use core::fmt;
use core::task::{Context, Poll};
use std::io;
use std::os::fd::OwnedFd;

use morgana_net_device::{
    BACK_END_MAC, Capabilities, Device, Offload, RxFrame, RxMeta, SegmentationOffload, TxMeta,
    TxSlot,
};
use morgana_netif::MAX_PACKET;
use morgana_reactor::{Direction, Reactor, Source};
use zerocopy::{FromBytes, IntoBytes};

use crate::header::{HEADER_BYTES, Header};

/// The longest frame with its header.
const BUFFER_BYTES: usize = HEADER_BYTES + MAX_PACKET;

/// The near end of a tap device: what is sent here arrives in the host's network stack, as if it came over a cable. Dropping it takes the
/// interface away.
pub struct Tap {
    source: Source<OwnedFd>,
    ip_mtu: usize,
    /// A frame that was read, with its header.
    inward: Box<[u8]>,
    /// Its length with the header, and what is known of it, until it is taken.
    waiting: Option<(usize, RxMeta)>,
    /// A frame to be written, with its header.
    outward: Box<[u8]>,
    lost: u64,
}

impl Tap {
    /// Takes the descriptor of a tap device that puts a `virtio_net_hdr` of 10 bytes before each frame, and does not block. `ip_mtu` is
    /// that of the interface.
    ///
    /// # Errors
    ///
    /// The kernel's, if the descriptor cannot be watched.
    pub fn new(reactor: &Reactor, device: OwnedFd, ip_mtu: usize) -> io::Result<Self> {
        Ok(Self {
            source: reactor.register(device)?,
            ip_mtu,
            inward: vec![0; BUFFER_BYTES].into(),
            waiting: None,
            outward: vec![0; BUFFER_BYTES].into(),
            lost: 0,
        })
    }

    /// How many frames the kernel has not taken.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// Makes sense of what was read into the buffer.
    fn accept(&mut self, len: usize) {
        let read = self
            .inward
            .get_mut(..len)
            .map(|read| read.split_at_mut_checked(HEADER_BYTES));
        if let Some(Some((header, frame))) = read
            && let Ok(header) = Header::read_from_bytes(header)
            && let Some(meta) = header.read(frame)
        {
            self.waiting = Some((len, meta));
        }
    }
}

impl Device for Tap {
    type TxSlot<'a> = TapSlot<'a>;
    type RxFrame<'a> = TapFrame<'a>;

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            mac: BACK_END_MAC,
            ip_mtu: self.ip_mtu,
            transmit_offload: Offload::Both,
            segmentation: SegmentationOffload {
                kinds: Offload::Both,
                max_frame: MAX_PACKET,
            },
        }
    }

    /// There is always room: the kernel takes a frame at once, or drops it.
    fn transmit(&mut self) -> Option<TapSlot<'_>> {
        Some(TapSlot { tap: self })
    }

    fn receive(&mut self) -> Option<TapFrame<'_>> {
        while self.waiting.is_none() {
            // Whatever the error is: `poll_ready` meets it again, and waits.
            let len = rustix::io::read(self.source.io(), &mut self.inward[..]).ok()?;
            if len == 0 {
                return None;
            }
            self.accept(len);
        }
        let (len, meta) = self.waiting.take()?;
        Some(TapFrame {
            bytes: self.inward.get_mut(HEADER_BYTES..len)?,
            meta,
        })
    }

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while self.waiting.is_none() {
            let inward = &mut self.inward;
            let read = self.source.poll_io(Direction::Read, cx, |device| {
                Ok(rustix::io::read(device, &mut inward[..])?)
            });
            match read {
                Poll::Ready(Ok(len)) if len > 0 => self.accept(len),
                // The interface is gone: nothing comes from it any more.
                Poll::Ready(_) | Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(())
    }

    fn flush(&mut self) {}
}

impl fmt::Debug for Tap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tap")
            .field("ip_mtu", &self.ip_mtu)
            .field("lost", &self.lost)
            .finish_non_exhaustive()
    }
}

/// Room for one frame.
#[derive(Debug)]
pub struct TapSlot<'a> {
    tap: &'a mut Tap,
}

impl TxSlot for TapSlot<'_> {
    fn send(self, len: usize, fill: impl FnOnce(&mut [u8]) -> TxMeta) {
        let Tap {
            source,
            outward,
            lost,
            ..
        } = self.tap;
        let (header, frame) = outward[..HEADER_BYTES + len].split_at_mut(HEADER_BYTES);
        let meta = fill(frame);
        header.copy_from_slice(Header::of(frame, meta).as_bytes());
        if rustix::io::write(source.io(), &outward[..HEADER_BYTES + len]).is_err() {
            *lost = lost.wrapping_add(1);
        }
    }
}

/// A frame that the host has sent.
#[derive(Debug)]
pub struct TapFrame<'a> {
    bytes: &'a mut [u8],
    meta: RxMeta,
}

impl RxFrame for TapFrame<'_> {
    fn meta(&self) -> RxMeta {
        self.meta
    }

    fn bytes(&mut self) -> &mut [u8] {
        self.bytes
    }
}

#[cfg(test)]
mod tests;
