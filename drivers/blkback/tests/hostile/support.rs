//! A back end with a disk in memory, and the bare ring of its front end in another emulated domain.

use std::rc::Rc;
use std::task::{Context, Waker};

use morgana_blkback::{Config, Grants, Link, QueueKeys};
use morgana_blkif::{Operation, RawRequest, Request, Response, SECTOR_SIZE, Segment, Status};
use morgana_block::RamDisk;
use morgana_emul::{DomainConfig, EmulPlatform, EmulReadOnly, EmulShared, Hypervisor};
use morgana_hal::{
    Channel, DomId, Events, Memory, PAGE_SIZE, Pages, Platform, SharedPages, SharedRegion,
};
use morgana_ring::FrontRing;

const BACK: DomId = DomId::new(0);
const FRONT: DomId = DomId::new(1);

/// io/ring.h: where `req_prod` is in a ring's page.
pub(crate) const REQ_PROD: usize = 0;

/// Sectors of the disk, of 512 bytes.
pub(crate) const SECTORS: u64 = 64;

/// Pages of the front end that requests may name.
pub(crate) const DATA_PAGES: usize = 16;

pub(crate) struct World {
    machine: Hypervisor,
    pub(crate) link: Link<EmulPlatform, RamDisk>,
    peer: EmulPlatform,
    pub(crate) ring: FrontRing<EmulShared, RawRequest, Response>,
    pub(crate) data: EmulShared,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(RamDisk::new(512, SECTORS).unwrap(), &Config::default())
    }

    /// With a front end that grants its pages so.
    pub(crate) fn granting(grants: Grants) -> Self {
        let disk = RamDisk::new(512, SECTORS).unwrap();
        Self::made(disk, grants, &Config::default())
    }

    pub(crate) fn with(disk: RamDisk, config: &Config) -> Self {
        Self::made(disk, Grants::Passing, config)
    }

    /// With a back end that keeps so many pages mapped.
    pub(crate) fn keeping(persistent_pages: usize) -> Self {
        let disk = RamDisk::new(512, SECTORS).unwrap();
        let config = Config {
            persistent_pages,
            ..Config::default()
        };
        Self::made(disk, Grants::Persistent, &config)
    }

    pub(crate) fn made(disk: RamDisk, grants: Grants, config: &Config) -> Self {
        let machine = Hypervisor::new();
        let back = machine.create(DomainConfig::default()).unwrap();
        let front = machine.create(DomainConfig::default()).unwrap();
        let ((own, _), (peer, _)) = (back.enter(), front.enter());
        let pages = peer.memory().share(BACK, 1).unwrap();
        // The indices wrap around soon.
        let ring = FrontRing::starting_at(pages, u32::MAX - 7).unwrap();
        let data = peer.memory().share(BACK, DATA_PAGES).unwrap();
        let channel = peer.events().listen(BACK).unwrap();
        let keys = [QueueKeys {
            ring: ring.pages().grants().to_vec(),
            port: channel.port(),
        }];
        let link = Link::new(&own, FRONT, &keys, grants, Rc::new(disk), config).unwrap();
        Self {
            machine,
            link,
            peer,
            ring,
            data,
        }
    }

    pub(crate) fn region(&self) -> &SharedRegion {
        self.ring.pages().region()
    }

    /// The reference of a page of data.
    pub(crate) fn gref(&self, page: usize) -> u32 {
        self.data.grants()[page % DATA_PAGES].number()
    }

    /// A segment that is a whole page of data.
    pub(crate) fn page(&self, page: usize) -> Segment {
        Segment {
            gref: self.gref(page),
            first_sect: 0,
            last_sect: 7,
            ..Segment::default()
        }
    }

    /// A read or write of these segments.
    pub(crate) fn request(
        &self,
        operation: Operation,
        sector: u64,
        segments: &[Segment],
    ) -> Request {
        let mut request = Request {
            operation,
            nr_segments: segments.len() as u8,
            id: 1,
            sector_number: sector,
            ..Request::default()
        };
        request.seg[..segments.len()].copy_from_slice(segments);
        request
    }

    /// Puts an entry on the ring, whatever it is.
    pub(crate) fn push(&mut self, request: impl Into<RawRequest>) {
        if self.ring.push(&request.into()).is_ok() {
            let _ = self.ring.publish();
        }
    }

    /// Lets the back end look.
    pub(crate) fn poll(&mut self) {
        let mut cx = Context::from_waker(Waker::noop());
        let _ = self.link.poll(&mut cx);
    }

    /// Puts an entry on the ring, and returns how it is answered.
    pub(crate) fn ask(&mut self, request: impl Into<RawRequest>) -> Status {
        let request = request.into();
        self.push(request);
        self.poll();
        let response = self.ring.pop().unwrap().expect("an answer");
        assert_eq!(response.id, request.id());
        response.status
    }

    /// Ends the access to all pages of data, and grants others in their place.
    pub(crate) fn grant_anew(&mut self) {
        let fresh = self.peer.memory().share(BACK, DATA_PAGES);
        // Without room, while the back end keeps old ones, they stay.
        if let Ok(fresh) = fresh {
            self.data = fresh;
        }
    }

    /// A page that the back end may only read.
    pub(crate) fn read_only(&self) -> EmulReadOnly {
        self.peer.memory().share_read_only(BACK, 1).unwrap()
    }

    /// How many pages the front end has ended the access to that the back end still maps.
    pub(crate) fn quarantined(&self) -> usize {
        self.peer.usage().quarantined_pages
    }

    /// The bytes of a page of data.
    pub(crate) fn bytes(&self, page: usize) -> Vec<u8> {
        let mut bytes = vec![0; PAGE_SIZE];
        self.data.region().read(page * PAGE_SIZE, &mut bytes);
        bytes
    }

    pub(crate) fn set(&self, page: usize, byte: u8) {
        self.data
            .region()
            .write(page * PAGE_SIZE, &[byte; PAGE_SIZE]);
    }

    /// Ends both sides, the mapping one first, and checks that nothing is left over.
    pub(crate) fn end(self) {
        let Self {
            machine,
            link,
            peer,
            ring,
            data,
        } = self;
        drop(link);
        drop((ring, data));
        drop(peer);
        machine.assert_clean();
    }
}

const _: () = assert!(PAGE_SIZE == 8 * SECTOR_SIZE);
