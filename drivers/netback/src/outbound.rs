//! To the front end: frames wait in a bounded queue until it offers pages, and are copied into them, a batch at a time.

use alloc::vec::Vec;

use morgana_hal::{CopyTo, DomId, GrantRef, Memory, PAGE_SIZE};
use morgana_netif::{
    Chains, ETHERNET_HEADER, ExtraInfo, Features, MAX_PACKET, Offload, RING_ENTRIES, RX_ENTRY_SIZE,
    RxFlags, RxRequest, RxResponse, Segmentation, SegmentationOffload, Segments, TxChecksum,
    TxMeta, TxStatus, VLAN_TAG, complete, flow_hash,
};
use morgana_ring::{Armed, BackRing, Notify};
use zerocopy::transmute;

use crate::queue::FrameQueue;
use crate::{Config, RxNotify, Stats, Violation};

/// The large TCP frames that are taken for the front end.
pub(crate) const LARGE: SegmentationOffload = SegmentationOffload {
    kinds: Offload::Both,
    max_frame: MAX_PACKET,
};

/// Frames that a large frame becomes at an ordinary MTU: room for them must be there. Of one that becomes more, the rest is lost.
const SEGMENTS: usize = 48;
/// What they add to its length: a header each (RFC 8200, section 3; RFC 9293, section 3.1, with its options).
const SEGMENT_HEADERS: usize = SEGMENTS * (ETHERNET_HEADER + 40 + 60);

/// A slot as it stands in the ring: a response, or extra info.
type Slot = [u8; RX_ENTRY_SIZE];

pub(crate) struct Outbound<M: Memory> {
    rings: Vec<BackRing<M::Imported, RxRequest, Slot>>,
    peer: DomId,
    features: Features,
    notify: RxNotify,
    max_frame: usize,
    queue: FrameQueue<Queued>,
    /// Whether there was no room when some was wanted.
    starved: bool,
    /// A large frame that is to be cut.
    scratch: Vec<u8>,
    pieces: Vec<Piece>,
}

/// What is known of a frame in the queue.
#[derive(Clone, Copy)]
struct Queued {
    meta: TxMeta,
    /// The ring that it goes to: that of its flow.
    ring: usize,
}

/// What goes into one page that the front end has offered.
struct Piece {
    ring: usize,
    id: u16,
    content: Content,
}

enum Content {
    /// A piece of a frame.
    Data {
        grant: GrantRef,
        start: usize,
        len: usize,
        flags: RxFlags,
    },
    /// Nothing: the slot says that the frame is a large one.
    Extra(Segmentation),
}

impl<M: Memory> Outbound<M> {
    pub(crate) fn new(
        rings: Vec<BackRing<M::Imported, RxRequest, Slot>>,
        peer: DomId,
        features: Features,
        notify: RxNotify,
        max_frame: usize,
        config: &Config,
    ) -> Self {
        let bytes = config
            .outbound_bytes
            .max(2 * (MAX_PACKET + SEGMENT_HEADERS));
        Self {
            rings,
            peer,
            features,
            notify,
            max_frame,
            queue: FrameQueue::new(bytes, config.outbound_frames),
            starved: false,
            scratch: Vec::new(),
            pieces: Vec::new(),
        }
    }

    /// Whether large frames must be cut here.
    fn cuts(&self) -> bool {
        self.features.segmentation != Offload::Both
    }

    /// Whether there is room for one frame of any length.
    fn is_room(&self) -> bool {
        if self.cuts() {
            let limit = self.queue.limit();
            let frames = SEGMENTS.min(limit);
            self.queue.len() + frames <= limit && self.queue.has_room(MAX_PACKET + SEGMENT_HEADERS)
        } else {
            self.queue.has_room(MAX_PACKET)
        }
    }

    pub(crate) fn has_room(&mut self, stats: &mut Stats) -> bool {
        self.starved = !self.is_room();
        if self.starved {
            stats.out_full += 1;
        }
        !self.starved
    }

    /// Queues a frame of `len` bytes, which `fill` writes. Without room it is dropped; but [`has_room`](Self::has_room) has been asked
    /// before.
    ///
    /// # Panics
    ///
    /// If the frame is longer than the device takes, or shorter than an Ethernet header.
    pub(crate) fn send(
        &mut self,
        len: usize,
        fill: impl FnOnce(&mut [u8]) -> TxMeta,
        stats: &mut Stats,
    ) {
        assert!((ETHERNET_HEADER..=MAX_PACKET).contains(&len), "{LENGTH}");
        let ordinary = self.max_frame + VLAN_TAG;
        let check = |meta: TxMeta| {
            assert!(len <= ordinary || meta.segmentation.is_some(), "{LENGTH}");
            meta
        };
        if len > self.max_frame && self.cuts() {
            let mut frame = core::mem::take(&mut self.scratch);
            frame.resize(len, 0);
            let meta = check(fill(&mut frame));
            match meta.segmentation {
                Some(segmentation) => self.cut(&frame, segmentation, stats),
                // One with a VLAN tag.
                None => self.put(
                    len,
                    |into| {
                        into.copy_from_slice(&frame);
                        meta
                    },
                    stats,
                ),
            }
            self.scratch = frame;
            return;
        }
        self.put(len, |frame| check(fill(frame)), stats);
    }

    /// Queues a frame that the front end takes as it is.
    fn put(&mut self, len: usize, fill: impl FnOnce(&mut [u8]) -> TxMeta, stats: &mut Stats) {
        if len > PAGE_SIZE && self.features.chains == Chains::SingleSlot {
            stats.out_too_long += 1;
            return;
        }
        let (features, rings) = (self.features, self.rings.len());
        self.queue.push(len, |frame| {
            let meta = fill(frame);
            finish(frame, meta, features, rings, stats)
        });
    }

    /// Queues a large frame as ordinary ones, as many as there is room for.
    fn cut(&mut self, frame: &[u8], segmentation: Segmentation, stats: &mut Stats) {
        stats.out_cut += 1;
        let longest = match self.features.chains {
            Chains::SingleSlot => self.max_frame.min(PAGE_SIZE),
            Chains::Several => self.max_frame,
        };
        let Ok(mut segments) = Segments::new(frame, segmentation, longest) else {
            return;
        };
        let (features, rings) = (self.features, self.rings.len());
        while let Some(len) = segments.next_len() {
            let queued = self.queue.push(len, |into| {
                let meta = segments.write(into);
                finish(into, meta, features, rings, stats)
            });
            if !queued {
                stats.out_full += 1;
                return;
            }
        }
    }

    /// Copies waiting frames into the pages that the front end has offered, as many as there are pages for.
    pub(crate) fn deliver(&mut self, memory: &M, stats: &mut Stats) -> Result<(), Violation> {
        if self.queue.len() == 0 {
            return Ok(());
        }
        let mut pieces = core::mem::take(&mut self.pieces);
        let collected = self.collect(&mut pieces);
        if collected.is_ok() {
            self.copy(memory, &pieces, stats);
        }
        pieces.clear();
        self.pieces = pieces;
        collected?;
        if self.notify == RxNotify::Never && self.queue.len() > 0 {
            stats.out_no_page += self.queue.len() as u64;
            self.queue.clear();
        }
        Ok(())
    }

    /// Takes a page for every piece of as many frames as there are pages for.
    fn collect(&mut self, pieces: &mut Vec<Piece>) -> Result<(), Violation> {
        // As many pages as the rings have entries at the most: a bounded pass.
        let mut left = RING_ENTRIES * self.rings.len();
        while let Some((range, queued)) = self.queue.front() {
            let (range, Queued { meta, ring }) = (range.clone(), *queued);
            let data = range.len().div_ceil(PAGE_SIZE);
            let needed = data + usize::from(meta.segmentation.is_some());
            let offered = self.rings[ring].available();
            let offered = offered.map_err(Violation::ReceiveRing)? as usize;
            if needed > offered.min(left) {
                break;
            }
            left -= needed;
            self.queue.pop();
            let mut extra = meta.segmentation;
            for index in 0..data {
                let Some(request) = self.next_page(ring)? else {
                    break;
                };
                let start = range.start + index * PAGE_SIZE;
                let mut flags = RxFlags::empty();
                if index == 0 {
                    flags = meta.checksum.rx_flags();
                    if extra.is_some() {
                        flags |= RxFlags::EXTRA_INFO;
                    }
                }
                if index + 1 < data {
                    flags |= RxFlags::MORE_DATA;
                }
                pieces.push(Piece {
                    ring,
                    id: request.id,
                    content: Content::Data {
                        grant: GrantRef::new(request.gref),
                        start,
                        len: (range.end - start).min(PAGE_SIZE),
                        flags,
                    },
                });
                if let Some(segmentation) = extra.take()
                    && let Some(request) = self.next_page(ring)?
                {
                    pieces.push(Piece {
                        ring,
                        id: request.id,
                        content: Content::Extra(segmentation),
                    });
                }
            }
        }
        Ok(())
    }

    fn next_page(&mut self, ring: usize) -> Result<Option<RxRequest>, Violation> {
        self.rings[ring].pop().map_err(Violation::ReceiveRing)
    }

    /// Whether there is room after there was none, or waiting frames have got pages; if frames go on waiting, a notification of new
    /// pages is asked for.
    pub(crate) fn has_work(&mut self) -> Result<bool, Violation> {
        let room = self.starved && self.is_room();
        if room {
            self.starved = false;
        }
        let Some((range, queued)) = self.queue.front() else {
            return Ok(room);
        };
        let extra = u32::from(queued.meta.segmentation.is_some());
        let needed = range.len().div_ceil(PAGE_SIZE) as u32 + extra;
        let armed = self.rings[queued.ring]
            .arm_after(needed)
            .map_err(Violation::ReceiveRing)?;
        Ok(room || armed == Armed::Work)
    }

    /// Shows the responses of one ring.
    pub(crate) fn publish(&mut self, queue: usize) -> Notify {
        self.rings[queue].publish()
    }

    pub(crate) fn queued(&self) -> usize {
        self.queue.len()
    }

    pub(crate) fn queue_limit(&self) -> usize {
        self.queue.limit()
    }

    fn copy(&mut self, memory: &M, pieces: &[Piece], stats: &mut Stats) {
        let mut operations: Vec<_> = pieces
            .iter()
            .filter_map(|piece| match piece.content {
                Content::Data {
                    grant, start, len, ..
                } => Some(CopyTo {
                    grant,
                    offset: 0,
                    from: self.queue.bytes(start..start + len),
                    status: Ok(()),
                }),
                Content::Extra(_) => None,
            })
            .collect();
        if operations.is_empty() {
            return;
        }
        memory.copy_to(self.peer, &mut operations);
        let mut statuses = operations.iter().map(|operation| operation.status);
        let mut failed = false;
        for piece in pieces {
            let slot: Slot = match piece.content {
                Content::Extra(segmentation) => {
                    stats.out_large += 1;
                    transmute!(ExtraInfo::gso(segmentation.size.get(), segmentation.kind))
                }
                Content::Data { len, flags, .. } => {
                    let bad = statuses.next().is_some_and(|status| status.is_err());
                    failed |= bad;
                    stats.out_bytes += len as u64;
                    if !flags.contains(RxFlags::MORE_DATA) {
                        if failed {
                            stats.out_bad_grant += 1;
                        } else {
                            stats.out_frames += 1;
                        }
                        failed = false;
                    }
                    transmute!(RxResponse {
                        id: piece.id,
                        offset: 0,
                        flags,
                        status: if bad { TxStatus::ERROR.0 } else { len as i16 },
                    })
                }
            };
            // There is a popped request for each piece, so there is room.
            if self.rings[piece.ring].push(&slot).is_err() {
                break;
            }
        }
    }
}

/// Completes the checksum of a frame if the front end does not take it blank, and finds the ring of its flow. `None` if the frame cannot be
/// completed.
fn finish(
    frame: &mut [u8],
    mut meta: TxMeta,
    features: Features,
    rings: usize,
    stats: &mut Stats,
) -> Option<Queued> {
    // A frame of ordinary length is one segment, for whoever does not take large ones.
    if let Some(segmentation) = meta.segmentation
        && !features.segmentation.includes(segmentation.kind)
    {
        meta.segmentation = None;
    }
    if meta.checksum == TxChecksum::Blank && !features.checksum.covers(frame) {
        if complete(frame).is_err() {
            stats.out_not_completed += 1;
            return None;
        }
        stats.out_completed += 1;
        meta.checksum = TxChecksum::Complete;
    }
    let ring = match rings {
        1 => 0,
        rings => flow_hash(frame) as usize % rings,
    };
    Some(Queued { meta, ring })
}

const LENGTH: &str = "a frame has 14 bytes or more, and no more than the device's capabilities say";
