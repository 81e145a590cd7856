//! A front end, and the bare rings of its back end in another emulated domain.

use morgana_emul::{DomainConfig, EmulImported, EmulPlatform, Hypervisor};
use morgana_hal::{CopyFrom, CopyTo, DomId, GrantRef, Memory, Pages, Platform, SharedRegion};
use morgana_netfront::{Chains, Config, Features, Link, Offload, TxMeta};
use morgana_netif::{RingKeys, RxFlags, RxRequest, RxResponse, TxRequest, TxResponse, TxStatus};
use morgana_ring::BackRing;
use zerocopy::transmute;

const BACK: DomId = DomId::new(0);
const FRONT: DomId = DomId::new(1);

/// io/ring.h: where `rsp_prod` is in a ring's page.
pub(crate) const RSP_PROD: usize = 8;

pub(crate) struct World {
    machine: Hypervisor,
    pub(crate) link: Link<EmulPlatform>,
    peer: EmulPlatform,
    pub(crate) tx: BackRing<EmulImported, TxRequest, TxResponse>,
    pub(crate) rx: BackRing<EmulImported, RxRequest, [u8; 8]>,
    /// The rings of a second queue, if there is one.
    other: Option<Rings>,
}

type Rings = (
    BackRing<EmulImported, TxRequest, TxResponse>,
    BackRing<EmulImported, RxRequest, [u8; 8]>,
);

impl World {
    pub(crate) fn new() -> Self {
        Self::with(&Config::default(), 1500)
    }

    pub(crate) fn with(config: &Config, mtu: usize) -> Self {
        let machine = Hypervisor::new();
        let back = machine.create(DomainConfig::default()).unwrap();
        let front = machine.create(DomainConfig::default()).unwrap();
        let ((peer, _), (own, _)) = (back.enter(), front.enter());
        let features = Features {
            checksum: Offload::Both,
            chains: Chains::Several,
            segmentation: Offload::Both,
        };
        let mut link = Link::new(&own, BACK, config, features, mtu).unwrap();
        link.flush();
        let import = |gref: GrantRef| peer.memory().import(FRONT, &[gref]).unwrap();
        let rings = |keys: &RingKeys| {
            (
                BackRing::attach(import(keys.tx_ring)).unwrap(),
                BackRing::attach(import(keys.rx_ring)).unwrap(),
            )
        };
        let keys = link.keys();
        let (tx, rx) = rings(&keys[0]);
        Self {
            machine,
            tx,
            rx,
            other: keys.get(1).map(rings),
            link,
            peer,
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

    /// Has the front end send `frame`.
    pub(crate) fn send(&mut self, frame: &[u8]) {
        let slot = self.link.transmit().expect("there is room");
        slot.send(frame.len(), |into| {
            into.copy_from_slice(frame);
            TxMeta::default()
        });
        self.link.flush();
    }

    /// Takes the front end's next transmit request, with its bytes.
    pub(crate) fn take(&mut self) -> (TxRequest, Vec<u8>) {
        let request = self.tx.pop().unwrap().expect("a request");
        let mut bytes = vec![0; request.size.into()];
        let mut copy = [CopyFrom {
            grant: GrantRef::new(request.gref),
            offset: request.offset,
            into: &mut bytes,
            status: Ok(()),
        }];
        self.peer.memory().copy_from(FRONT, &mut copy);
        copy[0].status.unwrap();
        (request, bytes)
    }

    /// Answers a transmit request.
    pub(crate) fn answer(&mut self, id: u16, status: TxStatus) {
        self.tx.push(&TxResponse { id, status }).unwrap();
        let _ = self.tx.publish();
    }

    /// Puts `bytes` into the next page that the front end has offered, and answers with `flags`.
    pub(crate) fn put(&mut self, bytes: &[u8], flags: RxFlags) {
        self.put_at(0, bytes, flags);
    }

    pub(crate) fn put_at(&mut self, offset: u16, bytes: &[u8], flags: RxFlags) {
        let request = self.rx.pop().unwrap().expect("an offered page");
        let mut copy = [CopyTo {
            grant: GrantRef::new(request.gref),
            offset,
            from: bytes,
            status: Ok(()),
        }];
        // It may fail if requests were overwritten: then the page goes back as it is.
        self.peer.memory().copy_to(FRONT, &mut copy);
        self.push(RxResponse {
            id: request.id,
            offset,
            flags,
            status: bytes.len() as i16,
        });
    }

    /// Answers the next offered page with a response that `change` makes of the right one for an empty piece.
    pub(crate) fn lie(&mut self, change: impl FnOnce(&mut RxResponse)) {
        let request = self.rx.pop().unwrap().expect("an offered page");
        let mut response = RxResponse {
            id: request.id,
            offset: 0,
            flags: RxFlags::empty(),
            status: 0,
        };
        change(&mut response);
        self.push(response);
    }

    /// Answers the next offered page with any slot.
    pub(crate) fn put_slot(&mut self, slot: [u8; 8]) {
        self.rx.pop().unwrap().expect("an offered page");
        self.rx.push(&slot).unwrap();
        let _ = self.rx.publish();
    }

    fn push(&mut self, response: RxResponse) {
        self.rx.push(&transmute!(response)).unwrap();
        let _ = self.rx.publish();
    }

    /// What the front end receives next.
    pub(crate) fn receive(&mut self) -> Option<Vec<u8>> {
        self.link.receive().map(|mut frame| frame.bytes().to_vec())
    }

    /// Ends both sides, the mapping one first, and checks that nothing is left over.
    pub(crate) fn end(self) {
        let Self {
            machine,
            link,
            peer,
            tx,
            rx,
            other,
        } = self;
        drop((tx, rx, other));
        drop(link);
        drop(peer);
        machine.assert_clean();
    }
}
