//! The device that a hostile peer sits behind. It remembers what the stack said last, so that short inputs can take part in a conversation.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use morgana_net_device::{
    Capabilities, Device, MacAddr, Offload, RxChecksum, RxFrame, RxMeta, SegmentationOffload,
    TxMeta, TxSlot,
};

pub(crate) const OURS: [u8; 6] = [2, 0, 0, 0, 0, 2];
pub(crate) const PEER: [u8; 6] = [2, 0, 0, 0, 0, 1];
/// How many ports the peer uses.
pub(crate) const PORTS: usize = 8;
/// How many frames the device takes before the script makes room.
const ROOM: usize = 64;

/// What was heard from the stack, and what is to be said to it.
#[derive(Default)]
pub(crate) struct Wire {
    to_stack: VecDeque<(Vec<u8>, RxChecksum)>,
    waker: Option<Waker>,
    pub(crate) sent: usize,
    starved: bool,
    /// For each of the peer's ports the next sequence number that the stack will use, and the last acknowledgement it sent.
    pub(crate) heard: [(u32, u32); PORTS],
    /// For each of the peer's ports the stack's port that it spoke to last, or 0.
    pub(crate) local: [u16; PORTS],
    /// The transaction id of the last DHCP message.
    pub(crate) dhcp: [u8; 4],
}

#[derive(Clone, Default)]
pub(crate) struct Link(pub(crate) Rc<RefCell<Wire>>);

impl Wire {
    /// A frame for the stack.
    pub(crate) fn say(&mut self, frame: Vec<u8>, checksum: RxChecksum) {
        self.to_stack.push_back((frame, checksum));
        self.wake();
    }

    /// All frames that the stack sent are taken.
    pub(crate) fn drain(&mut self) {
        self.sent = 0;
        self.wake();
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    fn listen(&mut self, frame: &[u8]) {
        self.sent += 1;
        let (protocol, header) = match frame {
            [_, _, _, _, _, _, _, _, _, _, _, _, 0x08, 0x00, ..] => (frame[23], 34),
            [_, _, _, _, _, _, _, _, _, _, _, _, 0x86, 0xdd, ..] => (frame[20], 54),
            _ => return,
        };
        let port = usize::from(frame[header + 3]) % PORTS;
        let be32 = |at: usize| u32::from_be_bytes(frame[at..at + 4].try_into().unwrap());
        if protocol == 6 {
            let flags = frame[header + 13];
            let data = frame.len() - header - usize::from(frame[header + 12] >> 4) * 4;
            let length = data as u32 + u32::from(flags & 2) / 2 + u32::from(flags & 1);
            let next = be32(header + 4).wrapping_add(length);
            self.local[port] = u16::from_be_bytes([frame[header], frame[header + 1]]);
            self.heard[port] = (next, be32(header + 8));
        } else if protocol == 17 && frame.len() > header + 16 && frame[header + 1] == 68 {
            self.dhcp.copy_from_slice(&frame[header + 12..header + 16]);
        }
    }
}

impl Device for Link {
    type TxSlot<'a> = Slot<'a>;
    type RxFrame<'a> = Frame;

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            mac: MacAddr(OURS),
            ip_mtu: 1500,
            transmit_offload: Offload::Ipv4,
            segmentation: SegmentationOffload::NONE,
        }
    }

    fn transmit(&mut self) -> Option<Slot<'_>> {
        let mut wire = self.0.borrow_mut();
        if wire.sent >= ROOM {
            wire.starved = true;
            return None;
        }
        drop(wire);
        Some(Slot(&self.0))
    }

    fn receive(&mut self) -> Option<Frame> {
        let (bytes, checksum) = self.0.borrow_mut().to_stack.pop_front()?;
        Some(Frame { bytes, checksum })
    }

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut wire = self.0.borrow_mut();
        wire.waker = Some(cx.waker().clone());
        let room = wire.starved && wire.sent < ROOM;
        if room {
            wire.starved = false;
        }
        if room || !wire.to_stack.is_empty() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }

    fn flush(&mut self) {}
}

pub(crate) struct Slot<'a>(&'a RefCell<Wire>);

impl TxSlot for Slot<'_> {
    fn send(self, len: usize, fill: impl FnOnce(&mut [u8]) -> TxMeta) {
        assert!((14..=1514).contains(&len));
        // What is not written must not matter.
        let mut frame = vec![0xa5; len];
        fill(&mut frame);
        self.0.borrow_mut().listen(&frame);
    }
}

pub(crate) struct Frame {
    bytes: Vec<u8>,
    checksum: RxChecksum,
}

impl RxFrame for Frame {
    fn meta(&self) -> RxMeta {
        self.checksum.into()
    }

    fn bytes(&mut self) -> &mut [u8] {
        &mut self.bytes
    }
}
