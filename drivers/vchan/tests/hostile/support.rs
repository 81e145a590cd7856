//! One end of ours in an emulated domain, and the bare pages of the other one in another.

use std::future::poll_fn;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use morgana_emul::{
    DomainConfig, EmulChannel, EmulIdle, EmulImported, EmulPlatform, EmulShared, Hypervisor,
};
use morgana_hal::{
    ByteStream, Channel, DomId, Events, GrantRef, Idle, Memory, Pages, Platform, SharedPages,
    SharedRegion, StreamError,
};
use morgana_vchan::{Keys, SendError, Sizes, Vchan, VchanError, attach, offer};

const OWN: DomId = DomId::new(0);
const PEER: DomId = DomId::new(1);

/// io/libxenvchan.h, `struct vchan_interface`: the indices, consumer and producer, left and right; the rings' orders; who is there; who wants to be told.
const INDICES: [usize; 4] = [0, 4, 8, 12];
pub(crate) const ORDERS: usize = 16;
const LIVE: [usize; 2] = [20, 21];
const GRANTS: usize = 24;

/// Pages that the peer grants for rings.
const POOL: usize = 8;

/// Which end is ours.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Own {
    Server,
    Client,
}

/// What a server that is the peer has written.
#[derive(Clone, Debug)]
pub(crate) struct Faked {
    pub(crate) orders: u32,
    /// Pages of its pool, or any references.
    pub(crate) grants: Vec<Result<usize, GrantRef>>,
    pub(crate) live: u8,
    /// Where all indices begin.
    pub(crate) start: u32,
}

impl Default for Faked {
    fn default() -> Self {
        Self {
            orders: 10 | 11 << 16,
            grants: Vec::new(),
            live: 1,
            start: 0,
        }
    }
}

pub(crate) struct World {
    machine: Hypervisor,
    /// Both ends, if ours could be made.
    pub(crate) party: Option<Party>,
    /// Why not.
    pub(crate) refused: Option<VchanError>,
    _own: EmulPlatform,
    _peer: EmulPlatform,
}

/// Our end and the peer's hold on it.
pub(crate) struct Party {
    own: Own,
    vchan: Vchan<EmulPlatform>,
    idle: EmulIdle,
    page: PeerPage,
    _pool: Option<EmulShared>,
    channel: EmulChannel,
    /// Where our indices stand: what we have consumed, and what we have produced.
    indices: [u32; 2],
}

enum PeerPage {
    Own(EmulShared),
    Mapped(EmulImported),
}

impl World {
    /// Ours is the server, and its client is there.
    pub(crate) fn server(sizes: Sizes) -> Self {
        let machine = Hypervisor::new();
        let own = machine.create(DomainConfig::default()).unwrap();
        let peer = machine.create(DomainConfig::default()).unwrap();
        let ((own, idle), (peer, _)) = (own.enter(), peer.enter());
        let (vchan, keys) = offer(&own, PEER, sizes).unwrap();
        let page = peer.memory().import(OWN, &[keys.ring]).unwrap();
        let channel = peer.events().connect(OWN, keys.port).unwrap();
        let party = Party {
            own: Own::Server,
            vchan,
            idle,
            page: PeerPage::Mapped(page),
            _pool: None,
            channel,
            indices: [0, 0],
        };
        party.set_live(1);
        Self {
            machine,
            party: Some(party),
            refused: None,
            _own: own,
            _peer: peer,
        }
    }

    /// Ours is the client of a server such as this.
    pub(crate) fn client(faked: &Faked) -> Self {
        let machine = Hypervisor::new();
        let own = machine.create(DomainConfig::default()).unwrap();
        let peer = machine.create(DomainConfig::default()).unwrap();
        let ((own, idle), (peer, _)) = (own.enter(), peer.enter());
        let page = peer.memory().share(OWN, 1).unwrap();
        let pool = peer.memory().share(OWN, POOL).unwrap();
        let channel = peer.events().listen(OWN).unwrap();
        let region = page.region();
        for index in INDICES {
            region.store_u32(index, faked.start);
        }
        for (at, grant) in faked.grants.iter().enumerate() {
            let grant = grant.map_or_else(|any| any, |page| pool.grants()[page % POOL]);
            region.store_u32(GRANTS + 4 * at, grant.number());
        }
        region.store_u32(ORDERS, faked.orders);
        region.write(LIVE[1], &[faked.live]);
        let keys = Keys {
            ring: page.grants()[0],
            port: channel.port(),
        };
        let (party, refused) = match attach(&own, PEER, keys) {
            Ok(vchan) => {
                let party = Party {
                    own: Own::Client,
                    vchan,
                    idle,
                    page: PeerPage::Own(page),
                    _pool: Some(pool),
                    channel,
                    indices: [faked.start; 2],
                };
                (Some(party), None)
            }
            Err(error) => (None, Some(error)),
        };
        Self {
            machine,
            party,
            refused,
            _own: own,
            _peer: peer,
        }
    }

    /// Our end goes: the peer sees that, and nothing is left over.
    pub(crate) fn end(self) {
        let Self {
            machine,
            party,
            _own,
            _peer,
            ..
        } = self;
        if let Some(party) = party {
            let Party {
                own, vchan, page, ..
            } = party;
            drop(vchan);
            let mut live = [1];
            page.region()
                .read(LIVE[usize::from(own == Own::Server)], &mut live);
            assert_eq!(live, [0], "the peer is not told that the other end goes");
        }
        drop((_own, _peer));
        machine.assert_clean();
    }
}

impl PeerPage {
    fn region(&self) -> &SharedRegion {
        match self {
            Self::Own(pages) => pages.region(),
            Self::Mapped(pages) => pages.region(),
        }
    }
}

/// A poll by nobody who would be woken.
fn poll<T>(future: impl Future<Output = T>) -> Poll<T> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

impl Party {
    pub(crate) fn region(&self) -> &SharedRegion {
        self.page.region()
    }

    /// What the peer has written, as it says.
    pub(crate) fn set_produced(&self, value: u32) {
        self.region().store_u32(self.peers()[1], value);
    }

    /// What the peer has read, as it says.
    pub(crate) fn set_consumed(&self, value: u32) {
        self.region().store_u32(self.peers()[0], value);
    }

    pub(crate) fn set_live(&self, live: u8) {
        let at = LIVE[usize::from(self.own == Own::Client)];
        self.region().write(at, &[live]);
    }

    /// Where the peer's indices are: what it has consumed, and what it has produced.
    pub(crate) fn peers(&self) -> [usize; 2] {
        match self.own {
            Own::Server => [8, 4],
            Own::Client => [0, 12],
        }
    }

    /// Where ours are.
    fn ours(&self) -> [usize; 2] {
        match self.own {
            Own::Server => [0, 12],
            Own::Client => [8, 4],
        }
    }

    /// Notifies our end, which may hear of it now.
    pub(crate) fn notify(&mut self) {
        self.channel.notify();
        self.idle.dispatch();
    }

    /// Reads what there is; 0 if our end would wait.
    pub(crate) fn read(&self, len: usize) -> Result<usize, StreamError> {
        let mut buffer = vec![0; len];
        moved(poll(poll_fn(|cx| self.vchan.poll_read(cx, &mut buffer))))
    }

    /// Writes what there is room for; 0 if our end would wait.
    pub(crate) fn write(&self, len: usize) -> Result<usize, StreamError> {
        let bytes = vec![0xa5; len];
        moved(poll(poll_fn(|cx| self.vchan.poll_write(cx, &bytes))))
    }

    /// Receives a message whole, or nothing of it.
    pub(crate) fn receive(&self, len: usize) -> Result<usize, StreamError> {
        let mut buffer = vec![0; len];
        whole(poll(self.vchan.receive(&mut buffer)), len)
    }

    /// Sends a message whole, or nothing of it.
    pub(crate) fn send(&self, len: usize) -> Result<usize, StreamError> {
        let bytes = vec![0x5a; len];
        whole(poll(self.vchan.send(&bytes)), len)
    }

    /// Our end does something that takes so many bytes and puts in so many: it may write its own indices, its life, what it wants to be told, and
    /// bytes of the ring that it writes; and its indices move by that much, whatever the peer has written over them.
    pub(crate) fn step(
        &mut self,
        act: impl FnOnce(&Self) -> Result<(usize, usize), StreamError>,
    ) -> Result<(), StreamError> {
        let before = self.snapshot();
        let done = act(self);
        let after = self.snapshot();
        let (taken, put) = done.unwrap_or((0, 0));
        let moves = [taken, put];
        for ((at, index), moved) in self.ours().into_iter().zip(&mut self.indices).zip(moves) {
            *index = index.wrapping_add(moved as u32);
            if moved > 0 {
                let found = u32::from_ne_bytes(after[at..at + 4].try_into().unwrap());
                assert_eq!(found, *index, "the index at {at}");
            }
        }
        for at in 0..before.len() {
            assert!(
                before[at] == after[at] || self.may_write(at),
                "byte {at} of the page is written"
            );
        }
        done.map(drop)
    }

    fn may_write(&self, at: usize) -> bool {
        let index = self.ours().iter().any(|&own| (own..own + 4).contains(&at));
        let wishes = (22..24).contains(&at);
        index || wishes || at >= 1024
    }

    fn snapshot(&self) -> Vec<u8> {
        let mut bytes = vec![0; self.region().len()];
        self.region().read(0, &mut bytes);
        bytes
    }
}

fn moved(polled: Poll<Result<usize, StreamError>>) -> Result<usize, StreamError> {
    match polled {
        Poll::Ready(result) => result,
        Poll::Pending => Ok(0),
    }
}

fn whole(polled: Poll<Result<(), SendError>>, len: usize) -> Result<usize, StreamError> {
    match polled {
        Poll::Ready(Ok(())) => Ok(len),
        Poll::Ready(Err(SendError::Stream(error))) => Err(error),
        Poll::Ready(Err(SendError::TooLong)) | Poll::Pending => Ok(0),
    }
}
