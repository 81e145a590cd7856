//! Two domains on one emulated machine, in an order that a seed chooses.

use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll};

use morgana_emul::{DomainConfig, EmulPlatform, Lockstep};
use morgana_exec::{Notify, yield_now};
use morgana_hal::{DomId, Exit};
use morgana_netback as netback;
use morgana_netfront as netfront;
use morgana_netfront::{
    Features, GsoProtocol, Offload, RingKeys, RxMeta, Segmentation, TxChecksum, TxMeta,
};
use morgana_netif::blank_or_complete;

pub(crate) const BACK: DomId = DomId::new(0);
pub(crate) const FRONT: DomId = DomId::new(1);

pub(crate) type Front = netfront::Link<EmulPlatform>;
pub(crate) type Back = netback::Link<EmulPlatform>;

/// The ring indices wrap around early on.
const FIRST_INDEX: u32 = u32::MAX - 70;

/// What both ends are like.
pub(crate) struct Scene {
    pub(crate) front: netfront::Config,
    pub(crate) back: netback::Config,
    pub(crate) front_features: Features,
    pub(crate) back_features: Features,
    pub(crate) rx_notify: netback::RxNotify,
    /// The front end's MTU if it is not the back end's.
    pub(crate) front_mtu: Option<usize>,
}

impl Default for Scene {
    fn default() -> Self {
        Self {
            front: netfront::Config::default(),
            back: netback::Config::default(),
            front_features: crate::ALL,
            back_features: crate::ALL,
            rx_notify: netback::RxNotify::WhenAsked,
            front_mtu: None,
        }
    }
}

/// Two values that the domains hand each other outside of the emulation, as they do by xenstore.
#[derive(Default)]
struct Meeting {
    keys: RefCell<Vec<RingKeys>>,
    ended: RefCell<u32>,
    changed: Notify,
}

impl Meeting {
    /// Waits until both sides have come here, so that neither closes while the other still works.
    async fn both_done(&self) {
        *self.ended.borrow_mut() += 1;
        while *self.ended.borrow() < 2 {
            yield_now().await;
        }
    }
}

impl Scene {
    /// Runs both ends to their ends, and checks that nothing is left over and no rule was broken. Gives both ends' counters.
    pub(crate) fn run(
        self,
        seed: u64,
        front: impl AsyncFnOnce(Front) -> Front + 'static,
        back: impl AsyncFnOnce(Back) -> Back + 'static,
    ) -> (netfront::Stats, netback::Stats) {
        let mut machine = Lockstep::new(seed);
        let back_domain = machine
            .hypervisor()
            .create(DomainConfig::default())
            .unwrap();
        let front_domain = machine
            .hypervisor()
            .create(DomainConfig::default())
            .unwrap();
        let meeting = Rc::new(Meeting::default());
        let counted = Rc::new(RefCell::<(netfront::Stats, netback::Stats)>::default());

        let (here, result, mtu) = (
            meeting.clone(),
            counted.clone(),
            self.front_mtu.unwrap_or(self.back.mtu),
        );
        machine.start(front_domain, move |platform, _| async move {
            let (config, features) = (&self.front, self.back_features);
            let link =
                Front::starting_at(&platform, BACK, config, features, mtu, FIRST_INDEX).unwrap();
            *here.keys.borrow_mut() = link.keys();
            here.changed.notify();
            let mut link = front(link).await;
            link.flush();
            assert_eq!(link.violation(), None);
            here.both_done().await;
            link.flush();
            result.borrow_mut().0 = link.stats();
            Exit::Poweroff
        });

        let (here, result) = (meeting, counted.clone());
        machine.start(back_domain, move |platform, _| async move {
            let keys = loop {
                let seen = here.changed.count();
                let keys = here.keys.borrow().clone();
                if !keys.is_empty() {
                    break keys;
                }
                here.changed.after(seen).await;
            };
            let link = Back::new(
                &platform,
                FRONT,
                &keys,
                self.front_features,
                self.rx_notify,
                &self.back,
            )
            .unwrap();
            let mut link = back(link).await;
            link.flush();
            assert_eq!(link.violation(), None);
            result.borrow_mut().1 = link.stats();
            // Unmapped first, so that the front end's pages are free again when it ends them.
            drop(link);
            here.both_done().await;
            Exit::Poweroff
        });
        machine.run().unwrap();
        machine.hypervisor().assert_clean();
        counted.take()
    }
}

/// A frame as a test sees it: its bytes, and what goes along with it when it is sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Frame {
    pub(crate) bytes: Vec<u8>,
    pub(crate) meta: TxMeta,
}

/// A frame of `len` bytes that are told by `seed`.
pub(crate) fn frame(seed: u64, len: usize) -> Frame {
    let mut state = seed | 1 << 40;
    let bytes = (0..len)
        .map(|_| {
            // Knuth's MMIX constants.
            state = state
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            (state >> 56) as u8
        })
        .collect();
    Frame {
        bytes,
        meta: TxMeta::default(),
    }
}

/// `count` frames of all lengths from 14 to `longest`.
pub(crate) fn frames(first: u64, count: u64, longest: usize) -> Vec<Frame> {
    (first..first + count)
        .map(|seed| frame(seed, 14 + (seed * 611) as usize % (longest - 13)))
        .collect()
}

/// A UDP datagram over IPv4 or IPv6 whose checksum is blank, and what it becomes when it is completed.
pub(crate) fn blank(version: u8, payload: &[u8]) -> (Frame, Vec<u8>) {
    let length = (8 + payload.len()) as u16;
    let mut bytes = vec![0xaa; 12];
    let pseudo = if version == 4 {
        bytes.extend([0x08, 0x00, 0x45, 0]);
        bytes.extend((20 + length).to_be_bytes());
        bytes.extend([0, 0, 0x40, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
        0x0a00 + 1 + 0x0a00 + 2 + 17 + u32::from(length)
    } else {
        bytes.extend([0x86, 0xdd, 0x60, 0, 0, 0]);
        bytes.extend(length.to_be_bytes());
        bytes.extend([17, 64]);
        bytes.extend([0, 1].repeat(16));
        16 + 17 + u32::from(length)
    };
    bytes.extend([0, 53, 0, 54]);
    bytes.extend(length.to_be_bytes());
    let field = bytes.len();
    bytes.extend((pseudo as u16).to_be_bytes());
    bytes.extend(payload);

    let mut padded = payload.to_vec();
    padded.resize(payload.len().next_multiple_of(2), 0);
    let data: u32 = padded
        .chunks(2)
        .map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]])))
        .sum();
    let mut sum = pseudo + 53 + 54 + u32::from(length) + data;
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    let mut completed = bytes.clone();
    completed[field..field + 2].copy_from_slice(&(!(sum as u16)).to_be_bytes());
    let meta = TxChecksum::Blank.into();
    (Frame { bytes, meta }, completed)
}

/// A UDP datagram over IPv4 of a flow, with a number.
pub(crate) fn datagram(flow: u8, number: u8) -> Frame {
    let mut bytes = vec![0xaa; 12];
    bytes.extend([0x08, 0x00, 0x45, 0, 0, 30, 0, 0, 0x40, 0, 64, 17, 0, 0]);
    bytes.extend([
        10, 0, 0, 1, 10, 0, 0, 2, 0, flow, 0, 7, 0, 10, 0, 0, number, 1,
    ]);
    let meta = TxMeta::default();
    Frame { bytes, meta }
}

/// A large TCP frame with so many bytes of payload.
pub(crate) fn large(kind: GsoProtocol, payload: usize) -> Frame {
    let mut bytes = vec![0xaa; 12];
    let length = (20 + payload) as u16;
    match kind {
        GsoProtocol::TcpV4 => {
            bytes.extend([0x08, 0x00, 0x45, 0]);
            bytes.extend((20 + length).to_be_bytes());
            bytes.extend([0, 7, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
        }
        GsoProtocol::TcpV6 => {
            bytes.extend([0x86, 0xdd, 0x60, 0, 0, 0]);
            bytes.extend(length.to_be_bytes());
            bytes.extend([6, 64]);
            bytes.extend([0, 1].repeat(16));
        }
    }
    bytes.extend([
        0, 53, 0, 54, 0, 0, 0, 0, 0, 0, 0, 0, 0x50, 0x18, 1, 0, 0, 0, 0, 0,
    ]);
    bytes.extend(frame(payload as u64, payload).bytes);
    let checksum = blank_or_complete(&mut bytes, Offload::Both);
    let size = 1440.try_into().unwrap();
    let segmentation = Some(Segmentation { kind, size });
    Frame {
        bytes,
        meta: TxMeta {
            checksum,
            segmentation,
        },
    }
}

/// Receives ordinary frames until the whole payload of `frame` is there.
pub(crate) async fn receive_stream(link: &mut impl End, frame: &Frame) {
    let headers = frame.bytes.len() - payload(&frame.bytes).len();
    let (mut stream, mut id) = (Vec::new(), 7u16);
    while stream.len() < frame.bytes.len() - headers {
        let (bytes, meta) = receive(link).await;
        assert!(bytes.len() <= 1514 && meta.segmentation.is_none());
        if bytes[12] == 8 {
            assert_eq!(bytes[18..20], id.to_be_bytes());
        }
        id += 1;
        let sequence = &bytes[headers - 16..headers - 12];
        assert_eq!(sequence, (stream.len() as u32).to_be_bytes());
        stream.extend_from_slice(payload(&bytes));
    }
    assert_eq!(stream, payload(&frame.bytes));
}

/// What comes behind the headers that [`large`] makes.
fn payload(bytes: &[u8]) -> &[u8] {
    &bytes[if bytes[12] == 8 { 54 } else { 74 }..]
}

/// Either end.
pub(crate) trait End {
    fn try_send(&mut self, frame: &Frame) -> bool;
    fn try_receive(&mut self) -> Option<(Vec<u8>, RxMeta)>;
    fn flush(&mut self);
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()>;
    /// How many frames have not been shown to the peer yet.
    fn queued(&self) -> usize;
}

macro_rules! end {
    ($link:ty, $queued:expr) => {
        impl End for $link {
            fn try_send(&mut self, frame: &Frame) -> bool {
                let Some(slot) = self.transmit() else {
                    return false;
                };
                slot.send(frame.bytes.len(), |into| {
                    into.copy_from_slice(&frame.bytes);
                    frame.meta
                });
                true
            }

            fn try_receive(&mut self) -> Option<(Vec<u8>, RxMeta)> {
                let mut frame = self.receive()?;
                Some((frame.bytes().to_vec(), frame.meta()))
            }

            fn flush(&mut self) {
                self.flush();
            }

            fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
                self.poll_ready(cx)
            }

            fn queued(&self) -> usize {
                $queued(self)
            }
        }
    };
}

end!(Front, |_: &Front| 0);
end!(Back, |link: &Back| link.stats().out_queued);

/// Sends frames, waiting for room and until they are out.
pub(crate) async fn send_all(link: &mut impl End, frames: Vec<Frame>) {
    for frame in frames {
        while !link.try_send(&frame) {
            poll_fn(|cx| link.poll_ready(cx)).await;
        }
    }
    link.flush();
    while link.queued() > 0 {
        poll_fn(|cx| match link.poll_ready(cx) {
            Poll::Pending if link.queued() > 0 => Poll::Pending,
            _ => Poll::Ready(()),
        })
        .await;
    }
}

/// Receives one frame.
pub(crate) async fn receive(link: &mut impl End) -> (Vec<u8>, RxMeta) {
    loop {
        if let Some(frame) = link.try_receive() {
            return frame;
        }
        poll_fn(|cx| link.poll_ready(cx)).await;
    }
}

/// Receives just these frames.
pub(crate) async fn receive_all(link: &mut impl End, frames: Vec<Frame>) {
    for frame in frames {
        let (bytes, _) = receive(link).await;
        assert!(
            bytes == frame.bytes,
            "another frame of {} bytes",
            bytes.len()
        );
    }
    link.flush();
}
