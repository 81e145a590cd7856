//! A back end's link, and the bare rings and pages of its front end in another emulated domain.

use std::num::NonZeroU16;

use morgana_emul::{DomainConfig, EmulPlatform, EmulReadOnly, EmulShared, Hypervisor};
use morgana_hal::{
    Channel, DomId, Events, GrantRef, Memory, Pages, Platform, ReadOnlyPages, SharedPages,
    SharedRegion,
};
use morgana_netback::{
    Chains, Config, Features, GsoProtocol, Link, Offload, RingKeys, RxNotify, Segmentation,
    TxChecksum, TxMeta,
};
use morgana_netif::{RxRequest, RxResponse, TxFlags, TxRequest, TxResponse, TxStatus};
use morgana_ring::FrontRing;
use zerocopy::transmute;

const BACK: DomId = DomId::new(0);
const FRONT: DomId = DomId::new(1);

/// The ring indices begin here, so they wrap around soon.
pub(crate) const FIRST_INDEX: u32 = u32::MAX - 3;

/// io/ring.h: where `req_prod` is in a ring's page.
pub(crate) const REQ_PROD: usize = 0;

pub(crate) struct World {
    machine: Hypervisor,
    pub(crate) link: Link<EmulPlatform>,
    _peer: EmulPlatform,
    pub(crate) tx: FrontRing<EmulShared, [u8; 12], TxResponse>,
    pub(crate) rx: FrontRing<EmulShared, RxRequest, RxResponse>,
    /// The rings of a second queue, if there is one.
    other: Option<Rings>,
    /// The front end's pages: page `i` holds the byte `i` everywhere.
    read_only: EmulReadOnly,
    writable: EmulShared,
}

type Rings = (
    FrontRing<EmulShared, [u8; 12], TxResponse>,
    FrontRing<EmulShared, RxRequest, RxResponse>,
);

impl World {
    pub(crate) fn new() -> Self {
        Self::with(&Config::default())
    }

    pub(crate) fn with(config: &Config) -> Self {
        Self::with_queues(config, 1)
    }

    /// With one queue or two.
    pub(crate) fn with_queues(config: &Config, queues: usize) -> Self {
        let machine = Hypervisor::new();
        let back = machine.create(DomainConfig::default()).unwrap();
        let front = machine.create(DomainConfig::default()).unwrap();
        let ((own, _), (peer, _)) = (back.enter(), front.enter());
        let memory = peer.memory();
        let page = || memory.share(BACK, 1).unwrap();
        let rings = |_| {
            let tx = FrontRing::starting_at(page(), FIRST_INDEX).unwrap();
            (tx, FrontRing::starting_at(page(), FIRST_INDEX).unwrap())
        };
        let mut rings: Vec<Rings> = (0..queues).map(rings).collect();
        let listen = |_| peer.events().listen(BACK).unwrap();
        let channels: Vec<_> = (0..queues).map(listen).collect();
        let mut read_only = memory.share_read_only(BACK, 20).unwrap();
        for (page, bytes) in (0..).zip(read_only.bytes_mut().chunks_mut(4096)) {
            bytes.fill(page);
        }
        let keys = rings.iter().zip(&channels);
        let keys: Vec<_> = keys
            .map(|((tx, rx), channel)| RingKeys {
                tx_ring: tx.pages().grants()[0],
                rx_ring: rx.pages().grants()[0],
                port: channel.port(),
            })
            .collect();
        let features = Features {
            checksum: Offload::Both,
            chains: Chains::Several,
            segmentation: Offload::Both,
        };
        let link = Link::new(&own, FRONT, &keys, features, RxNotify::WhenAsked, config).unwrap();
        let other = if queues > 1 { rings.pop() } else { None };
        let (tx, rx) = rings.remove(0);
        Self {
            link,
            tx,
            rx,
            other,
            read_only,
            writable: memory.share(BACK, 20).unwrap(),
            _peer: peer,
            machine,
        }
    }

    /// Turns to the other queue.
    pub(crate) fn change_queue(&mut self) {
        if let Some((tx, rx)) = &mut self.other {
            std::mem::swap(&mut self.tx, tx);
            std::mem::swap(&mut self.rx, rx);
        }
    }

    pub(crate) fn tx_region(&self) -> &SharedRegion {
        self.tx.pages().region()
    }

    pub(crate) fn rx_region(&self) -> &SharedRegion {
        self.rx.pages().region()
    }

    /// The grant of the front end's page `index` that may be read.
    pub(crate) fn source(&self, index: usize) -> GrantRef {
        self.read_only.grants()[index]
    }

    /// The grant of the front end's page `index` that may be written.
    pub(crate) fn target(&self, index: usize) -> GrantRef {
        self.writable.grants()[index]
    }

    /// The content of the front end's page `index` that may be written.
    pub(crate) fn written(&self, index: usize, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        self.writable.region().read(index * 4096, &mut bytes);
        bytes
    }

    /// Asks to send `size` bytes of page `id`.
    pub(crate) fn send(&mut self, id: u16, size: u16, flags: TxFlags) {
        let gref = self.source(usize::from(id) % 20).number();
        self.request(TxRequest {
            gref,
            offset: 0,
            flags,
            id,
            size,
        });
    }

    pub(crate) fn request(&mut self, request: TxRequest) {
        self.slot(transmute!(request));
    }

    pub(crate) fn slot(&mut self, slot: [u8; 12]) {
        self.tx.push(&slot).unwrap();
        let _ = self.tx.publish();
    }

    /// Puts extra info of 8 bytes into a slot of 12.
    pub(crate) fn extra(&mut self, extra: [u8; 8]) {
        let mut slot = [0; 12];
        slot[..8].copy_from_slice(&extra);
        self.slot(slot);
    }

    /// Offers a page.
    pub(crate) fn offer(&mut self, id: u16, gref: GrantRef) {
        let gref = gref.number();
        self.rx.push(&RxRequest { id, pad: 0, gref }).unwrap();
        let _ = self.rx.publish();
    }

    /// What the back end passes on next.
    pub(crate) fn receive(&mut self) -> Option<Vec<u8>> {
        self.link.receive().map(|mut frame| frame.bytes().to_vec())
    }

    /// Has the back end send `frame`, if it has room.
    pub(crate) fn deliver(&mut self, frame: &[u8]) -> bool {
        let Some(slot) = self.link.transmit() else {
            return false;
        };
        slot.send(frame.len(), |into| {
            into.copy_from_slice(frame);
            TxMeta::default()
        });
        true
    }

    /// Has the back end send a large frame, which need not be one, if it has room.
    pub(crate) fn deliver_large(&mut self, len: usize, size: u16) {
        let Some(size) = NonZeroU16::new(size) else {
            return;
        };
        if let Some(slot) = self.link.transmit() {
            slot.send(len, |into| {
                into.fill(0x45);
                into[12..14].copy_from_slice(&[0x08, 0x00]);
                if len >= 54 {
                    into[16..18].copy_from_slice(&(len as u16 - 14).to_be_bytes());
                    into[20..24].copy_from_slice(&[0, 0, 64, 6]);
                    into[46] = 0x50;
                }
                TxMeta {
                    checksum: TxChecksum::Blank,
                    segmentation: Some(Segmentation {
                        kind: GsoProtocol::TcpV4,
                        size,
                    }),
                }
            });
        }
    }

    /// The next transmit response: id and status.
    pub(crate) fn answer(&mut self) -> Option<(u16, TxStatus)> {
        let response = self.tx.pop().unwrap()?;
        Some((response.id, response.status))
    }

    pub(crate) fn end(self) {
        let Self {
            machine,
            link,
            _peer,
            tx,
            rx,
            other,
            read_only,
            writable,
        } = self;
        drop(link);
        drop((tx, rx, other, read_only, writable));
        drop(_peer);
        machine.assert_clean();
    }
}
