//! Two devices in memory, joined by a wire: what one sends the other receives.

use alloc::collections::VecDeque;
use alloc::rc::Rc;
use alloc::vec;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::task::{Context, Poll, Waker};

use crate::{
    Capabilities, Device, MacAddr, Offload, RxFrame, RxMeta, SegmentationOffload, TxMeta, TxSlot,
};

/// How many frames a [`pair`]'s wire holds in each direction, unless its [`PairConfig`] says otherwise.
pub const PAIR_FRAMES: usize = 256;

/// What a [`pair`] is like.
#[derive(Clone, Copy, Debug)]
pub struct PairConfig {
    /// How many frames the wire holds in each direction. When it is full `transmit` has no room.
    pub frames: usize,
    /// The largest IP packet, in bytes.
    pub ip_mtu: usize,
    /// Which checksums either side may leave blank.
    pub offload: Offload,
    /// Which large TCP frames either side may send.
    pub segmentation: SegmentationOffload,
}

impl Default for PairConfig {
    /// [`PAIR_FRAMES`], 1,500 bytes, no offload.
    fn default() -> Self {
        Self {
            frames: PAIR_FRAMES,
            ip_mtu: 1500,
            offload: Offload::None,
            segmentation: SegmentationOffload::NONE,
        }
    }
}

#[derive(Debug, Default)]
struct Wire {
    /// Sent, but not flushed.
    held: VecDeque<(Vec<u8>, TxMeta)>,
    /// Visible to the receiver.
    frames: VecDeque<(Vec<u8>, TxMeta)>,
    receiver: Option<Waker>,
    sender: Option<Waker>,
    /// Whether the sender found no room and has not been told of any since.
    starved: bool,
}

/// One end of a [`pair`].
#[derive(Debug)]
pub struct PairDevice {
    mac: MacAddr,
    config: PairConfig,
    out: Rc<RefCell<Wire>>,
    inward: Rc<RefCell<Wire>>,
}

/// Two devices, with the addresses given, joined by a wire. Frames are seen by the other end after a `flush`.
pub fn pair(macs: [MacAddr; 2], config: PairConfig) -> (PairDevice, PairDevice) {
    let wires = [Rc::<RefCell<Wire>>::default(), Rc::default()];
    let end = |mac, out: &Rc<_>, inward: &Rc<_>| PairDevice {
        mac,
        config,
        out: Rc::clone(out),
        inward: Rc::clone(inward),
    };
    (
        end(macs[0], &wires[0], &wires[1]),
        end(macs[1], &wires[1], &wires[0]),
    )
}

impl Device for PairDevice {
    type TxSlot<'a> = PairSlot<'a>;
    type RxFrame<'a> = PairFrame;

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            mac: self.mac,
            ip_mtu: self.config.ip_mtu,
            transmit_offload: self.config.offload,
            segmentation: self.config.segmentation,
        }
    }

    fn transmit(&mut self) -> Option<PairSlot<'_>> {
        let mut wire = self.out.borrow_mut();
        if wire.frames.len() + wire.held.len() >= self.config.frames {
            wire.starved = true;
            return None;
        }
        drop(wire);
        Some(PairSlot {
            wire: &self.out,
            capabilities: self.capabilities(),
        })
    }

    fn receive(&mut self) -> Option<PairFrame> {
        let mut wire = self.inward.borrow_mut();
        let (bytes, meta) = wire.frames.pop_front()?;
        if wire.starved
            && let Some(sender) = wire.sender.take()
        {
            sender.wake();
        }
        Some(PairFrame { bytes, meta })
    }

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut inward = self.inward.borrow_mut();
        let mut out = self.out.borrow_mut();
        if out.starved && out.frames.len() + out.held.len() < self.config.frames {
            out.starved = false;
            return Poll::Ready(());
        }
        if !inward.frames.is_empty() {
            return Poll::Ready(());
        }
        inward.receiver = Some(cx.waker().clone());
        out.sender = Some(cx.waker().clone());
        Poll::Pending
    }

    fn flush(&mut self) {
        let wire = &mut *self.out.borrow_mut();
        if wire.held.is_empty() {
            return;
        }
        wire.frames.append(&mut wire.held);
        if let Some(receiver) = wire.receiver.take() {
            receiver.wake();
        }
    }
}

/// Room on a [`pair`]'s wire.
#[derive(Debug)]
pub struct PairSlot<'a> {
    wire: &'a RefCell<Wire>,
    capabilities: Capabilities,
}

impl TxSlot for PairSlot<'_> {
    fn send(self, len: usize, fill: impl FnOnce(&mut [u8]) -> TxMeta) {
        let mut bytes = vec![0; len];
        let meta = fill(&mut bytes);
        assert!(
            self.capabilities.takes(len, meta),
            "a frame of {len} bytes is too long"
        );
        self.wire.borrow_mut().held.push_back((bytes, meta));
    }
}

/// A frame that came over a [`pair`]'s wire. One whose checksum was left blank arrives as [`RxChecksum::Blank`](crate::RxChecksum::Blank),
/// and a large one as such, as between two domains.
#[derive(Debug)]
pub struct PairFrame {
    bytes: Vec<u8>,
    meta: TxMeta,
}

impl RxFrame for PairFrame {
    fn meta(&self) -> RxMeta {
        self.meta.into()
    }

    fn bytes(&mut self) -> &mut [u8] {
        &mut self.bytes
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    const MACS: [MacAddr; 2] = [MacAddr([2, 0, 0, 0, 0, 1]), MacAddr([2, 0, 0, 0, 0, 2])];

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn send(device: &mut PairDevice, byte: u8) -> bool {
        let Some(slot) = device.transmit() else {
            return false;
        };
        slot.send(60, |frame| {
            frame.fill(byte);
            TxMeta::default()
        });
        true
    }

    #[test]
    fn frames_arrive_in_order_after_a_flush_and_wake_once() {
        let (mut a, mut b) = pair(MACS, PairConfig::default());
        let count = Arc::new(Count::default());
        let waker = Waker::from(count.clone());
        let cx = &mut Context::from_waker(&waker);
        assert_eq!(b.poll_ready(cx), Poll::Pending);
        assert!(send(&mut a, 1) && send(&mut a, 2));
        assert!(b.receive().is_none());
        a.flush();
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
        assert_eq!(b.poll_ready(cx), Poll::Ready(()));
        assert_eq!(b.receive().unwrap().bytes(), [1; 60]);
        assert_eq!(b.receive().unwrap().bytes(), [2; 60]);
        assert!(b.receive().is_none());
        assert_eq!(b.poll_ready(cx), Poll::Pending);
    }

    #[test]
    fn a_full_wire_has_no_room_until_the_other_end_receives() {
        let config = PairConfig {
            frames: 2,
            ..PairConfig::default()
        };
        let (mut a, mut b) = pair(MACS, config);
        let count = Arc::new(Count::default());
        let waker = Waker::from(count.clone());
        let cx = &mut Context::from_waker(&waker);
        assert!(send(&mut a, 1) && send(&mut a, 2));
        assert!(!send(&mut a, 3));
        a.flush();
        assert_eq!(a.poll_ready(cx), Poll::Pending);
        assert!(b.receive().is_some());
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
        assert!(send(&mut a, 3));
    }

    #[test]
    fn room_that_came_before_the_question_is_reported() {
        let config = PairConfig {
            frames: 1,
            ..PairConfig::default()
        };
        let (mut a, mut b) = pair(MACS, config);
        let cx = &mut Context::from_waker(Waker::noop());
        assert!(send(&mut a, 1));
        a.flush();
        assert!(!send(&mut a, 2));
        assert!(b.receive().is_some());
        assert_eq!(a.poll_ready(cx), Poll::Ready(()));
        assert_eq!(a.poll_ready(cx), Poll::Pending);
    }
}
