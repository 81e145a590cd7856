//! A front end, and the bare ring of its back end in another emulated domain.

use morgana_blkfront::{Config, Limits, Link, Request, Table, Ticket};
use morgana_blkif::{RawRequest, Response, Segment, Status};
use morgana_emul::{DomainConfig, EmulImported, EmulPlatform, Hypervisor};
use morgana_hal::{CopyFrom, CopyTo, DomId, GrantRef, Memory, Pages, Platform, SharedRegion};
use morgana_ring::BackRing;
use zerocopy::{FromZeros, IntoBytes};

const BACK: DomId = DomId::new(0);
const FRONT: DomId = DomId::new(1);

/// io/ring.h: where `rsp_prod` is in a ring's page.
pub(crate) const RSP_PROD: usize = 8;

pub(crate) struct World {
    machine: Hypervisor,
    pub(crate) link: Link<EmulPlatform>,
    pub(crate) table: Table,
    peer: EmulPlatform,
    pub(crate) ring: BackRing<EmulImported, RawRequest, Response>,
}

impl World {
    pub(crate) fn new() -> Self {
        let config = Config {
            pool_pages: 64,
            segments: 16,
            ..Config::default()
        };
        let limits = Limits {
            segments: 16,
            ..Limits::LEAST
        };
        Self::with(&config, limits, 0)
    }

    pub(crate) fn with(config: &Config, limits: Limits, index: u32) -> Self {
        let machine = Hypervisor::new();
        let back = machine.create(DomainConfig::default()).unwrap();
        let front = machine.create(DomainConfig::default()).unwrap();
        let ((peer, _), (own, _)) = (back.enter(), front.enter());
        let link = Link::starting_at(&own, BACK, config, limits, index).unwrap();
        let keys = link.keys();
        let pages = peer.memory().import(FRONT, &keys[0].ring).unwrap();
        Self {
            machine,
            link,
            table: Table::new(config),
            peer,
            ring: BackRing::attach(pages).unwrap(),
        }
    }

    pub(crate) fn region(&self) -> &SharedRegion {
        self.ring.pages().region()
    }

    /// Has the front end ask for something.
    pub(crate) fn submit(&mut self, request: &Request<'_>) -> Option<Ticket> {
        self.link.submit(&mut self.table, request)
    }

    pub(crate) fn pass(&mut self) {
        let _ = self.link.pass(&mut self.table);
    }

    /// Has the front end ask for a sector to be read, and takes the request from the ring.
    pub(crate) fn asked(&mut self) -> (Ticket, RawRequest) {
        let request = Request::Read {
            sector: 0,
            bytes: 512,
        };
        let ticket = self.submit(&request).expect("there is room");
        self.pass();
        (ticket, self.ring.pop().unwrap().expect("a request"))
    }

    pub(crate) fn answer(&mut self, id: u64, status: Status) {
        let response = Response {
            id,
            status,
            ..Response::default()
        };
        if self.ring.push(&response).is_ok() {
            let _ = self.ring.publish();
        }
    }

    /// The segments of a request, wherever they are.
    pub(crate) fn segments(&self, request: &RawRequest) -> Vec<Segment> {
        if request.operation != morgana_blkif::Operation::INDIRECT {
            let request = request.request();
            let count = usize::from(request.nr_segments).min(request.seg.len());
            return request.seg[..count].to_vec();
        }
        let request = request.indirect();
        let mut segments = vec![Segment::new_zeroed(); request.nr_segments.min(512).into()];
        let mut copy = [CopyFrom {
            grant: GrantRef::new(request.indirect_grefs[0]),
            offset: 0,
            into: segments.as_mut_bytes(),
            status: Ok(()),
        }];
        self.peer.memory().copy_from(FRONT, &mut copy);
        copy[0].status.unwrap();
        segments
    }

    /// The bytes of the segments.
    pub(crate) fn fetch(&self, segments: &[Segment]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for segment in segments {
            let mut piece = vec![0; length(segment)];
            let mut copy = [CopyFrom {
                grant: GrantRef::new(segment.gref),
                offset: u16::from(segment.first_sect) * 512,
                into: &mut piece,
                status: Ok(()),
            }];
            self.peer.memory().copy_from(FRONT, &mut copy);
            copy[0].status.unwrap();
            bytes.extend(piece);
        }
        bytes
    }

    /// Puts bytes into the segments.
    pub(crate) fn fill(&self, segments: &[Segment], bytes: &[u8]) {
        let mut rest = bytes;
        for segment in segments {
            let (piece, behind) = rest.split_at(length(segment));
            rest = behind;
            let mut copy = [CopyTo {
                grant: GrantRef::new(segment.gref),
                offset: u16::from(segment.first_sect) * 512,
                from: piece,
                status: Ok(()),
            }];
            self.peer.memory().copy_to(FRONT, &mut copy);
            copy[0].status.unwrap();
        }
    }

    /// Ends both sides, the mapping one first, and checks that nothing is left over.
    pub(crate) fn end(self) {
        let Self {
            machine,
            link,
            peer,
            ring,
            ..
        } = self;
        drop(ring);
        drop(link);
        drop(peer);
        machine.assert_clean();
    }
}

fn length(segment: &Segment) -> usize {
    (usize::from(segment.last_sect) + 1 - usize::from(segment.first_sect)) * 512
}
