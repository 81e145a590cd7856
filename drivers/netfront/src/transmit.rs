//! The transmit side: memory granted once, filled in place, and given back by the back end's responses.
//!
//! Invariants: the units of a frame are taken from the pool as long as it has `pieces > 0` requests in `in_flight`. There are never more
//! requests in flight than the ring has entries, because a frame begins only if there is room for all of its slots.

use alloc::vec;
use alloc::vec::Vec;

use morgana_hal::{DomId, Memory, MemoryError, PAGE_SIZE, ReadOnlyPages};
use morgana_netif::{
    ETHERNET_HEADER, ExtraInfo, Features, GsoProtocol, MAX_PACKET, Offload, RING_ENTRIES,
    Segmentation, SegmentationOffload, Segments, TX_ENTRY_SIZE, TxChecksum, TxFlags, TxMeta,
    TxRequest, TxResponse, TxStatus, complete, flow_hash,
};
use morgana_ring::{Armed, FrontRing, Notify, Slots};
use zerocopy::transmute;

use crate::pool::{MAX_RUN, Pool, UNIT};
use crate::{Config, Stats, Violation};
use morgana_xenbus::LinkError;

/// A slot as it stands in the ring: a request, or extra info.
type Slot = [u8; TX_ENTRY_SIZE];

pub(crate) struct Transmitter<M: Memory> {
    lanes: Vec<Lane<M>>,
    pages: M::ReadOnly,
    pool: Pool,
    /// For each unit with which a frame begins: its length in units, and its requests without response.
    frames: Vec<Span>,
    max_frame: usize,
    /// The large frames that are taken from above; what the back end does not take of them is cut here.
    segmentation: SegmentationOffload,
    features: Features,
    /// Where the next frame goes, once that is known.
    place: Option<usize>,
    /// Whether there was no room when some was wanted, so that the next completion matters.
    starved: bool,
    /// Whether anything that was sent was ever answered.
    has_answer: bool,
    /// A large frame that is to be cut.
    scratch: Vec<u8>,
}

/// A ring. All of them have their frames in the same pool.
struct Lane<M: Memory> {
    ring: FrontRing<M::Shared, Slot, TxResponse>,
    /// For each request the first unit of its frame.
    in_flight: Slots<u16>,
    /// Slots of extra info without response.
    extras: usize,
}

#[derive(Clone, Copy, Default)]
struct Span {
    units: u8,
    pieces: u8,
}

impl<M: Memory> Transmitter<M> {
    pub(crate) fn new(
        memory: &M,
        backend: DomId,
        config: &Config,
        features: Features,
        max_frame: usize,
        index: u32,
    ) -> Result<Self, LinkError> {
        let wanted = config.transmit_pages.min(RING_ENTRIES) * PAGE_SIZE / UNIT;
        let units = wanted.max(units_of(max_frame));
        let pages = (units * UNIT).div_ceil(PAGE_SIZE);
        let mut lanes = Vec::new();
        for _ in 0..config.queues() {
            lanes.push(Lane {
                ring: FrontRing::starting_at(memory.share(backend, 1)?, index)?,
                in_flight: Slots::new(RING_ENTRIES),
                extras: 0,
            });
        }
        let memory = memory.share_read_only(backend, pages)?;
        if memory.grants().len() < pages || memory.bytes().len() < pages * PAGE_SIZE {
            return Err(LinkError::Memory(MemoryError::OutOfMemory));
        }
        // Two large frames at least, so that one can be built while another is on its way.
        let large = (units / 2 / 2 * PAGE_SIZE).min(MAX_PACKET);
        let segmentation = if large >= 2 * max_frame {
            SegmentationOffload {
                kinds: features.segmentation,
                max_frame: large,
            }
        } else {
            SegmentationOffload::NONE
        };
        Ok(Self {
            lanes,
            pages: memory,
            pool: Pool::new(units),
            frames: vec![Span::default(); units],
            max_frame,
            segmentation,
            features,
            place: None,
            starved: false,
            has_answer: false,
            scratch: Vec::new(),
        })
    }

    pub(crate) fn ring_pages(&self, queue: usize) -> &M::Shared {
        self.lanes[queue].ring.pages()
    }

    pub(crate) fn offload(&self) -> Offload {
        self.features.checksum
    }

    pub(crate) fn segmentation(&self) -> SegmentationOffload {
        self.segmentation
    }

    /// Takes such large frames, whatever the back end takes.
    pub(crate) fn promise(&mut self, segmentation: SegmentationOffload) {
        self.segmentation = segmentation;
    }

    /// Whether large frames must be cut here.
    fn cuts(&self) -> bool {
        let (ours, theirs) = (self.segmentation.kinds, self.features.segmentation);
        [GsoProtocol::TcpV4, GsoProtocol::TcpV6]
            .into_iter()
            .any(|kind| ours.includes(kind) && !theirs.includes(kind))
    }

    /// How many units and slots the next frame may need.
    fn needs(&self) -> (usize, usize) {
        if self.cuts() {
            // What the segments of the longest frame take at an ordinary MTU. Of one that has more, the rest is lost.
            let units = MAX_RUN.min(self.pool.units());
            return (units, units);
        }
        let longest = match self.segmentation.kinds {
            Offload::None => self.max_frame,
            _ => self.segmentation.max_frame.max(self.max_frame),
        };
        (units_of(longest), longest.div_ceil(PAGE_SIZE) + 1)
    }

    /// Finds room for one frame of any length.
    fn find_room(&mut self) -> bool {
        let (units, slots) = self.needs();
        // The flow, and so the ring, is known only when the frame is there.
        let fits = |lane: &Lane<M>| lane.ring.free() as usize >= slots;
        self.place = match self.lanes.iter().all(fits) {
            true => self.pool.find(units),
            false => None,
        };
        self.place.is_some()
    }

    /// Whether there is room for one frame of any length.
    pub(crate) fn has_room(&mut self, stats: &mut Stats) -> Result<bool, Violation> {
        if !self.find_room() {
            self.reclaim(stats)?;
            self.find_room();
        }
        self.starved = self.place.is_none();
        if self.starved {
            stats.tx_full += 1;
        }
        Ok(!self.starved)
    }

    /// Puts a frame of `len` bytes, which `fill` writes, into the ring. Without room it is dropped; but [`has_room`](Self::has_room)
    /// has been asked before.
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
        let longest = self.max_frame.max(self.segmentation.max_frame);
        assert!((ETHERNET_HEADER..=longest).contains(&len), "{LENGTH}");
        let Some(unit) = self.place.take() else {
            return;
        };
        if len > self.max_frame && self.cuts() {
            let mut frame = core::mem::take(&mut self.scratch);
            frame.resize(len, 0);
            let meta = fill(&mut frame);
            self.check(len, meta);
            self.cut(&frame, meta, stats);
            self.scratch = frame;
            return;
        }
        let unit = begin(unit, len);
        let start = unit * UNIT;
        let frame = &mut self.pages.bytes_mut()[start..start + len];
        let meta = fill(frame);
        self.check(len, meta);
        self.emit(unit, len, meta, stats);
    }

    /// # Panics
    ///
    /// If the device does not take such a frame.
    fn check(&self, len: usize, meta: TxMeta) {
        let taken = match meta.segmentation {
            None => len <= self.max_frame,
            Some(segmentation) => self.segmentation.takes(segmentation, len),
        };
        assert!(taken, "{LENGTH}");
    }

    /// Sends a large frame as ordinary ones, as many as there is room for.
    fn cut(&mut self, frame: &[u8], meta: TxMeta, stats: &mut Stats) {
        let Some(segmentation) = meta.segmentation else {
            return;
        };
        stats.tx_cut += 1;
        let Ok(mut segments) = Segments::new(frame, segmentation, self.max_frame) else {
            return;
        };
        while let Some(len) = segments.next_len() {
            let slots = len.div_ceil(PAGE_SIZE);
            let fits = self
                .lanes
                .iter()
                .all(|lane| lane.ring.free() as usize >= slots);
            let Some(unit) = self.pool.find(units_of(len)).filter(|_| fits) else {
                stats.tx_full += 1;
                return;
            };
            let unit = begin(unit, len);
            let start = unit * UNIT;
            let meta = segments.write(&mut self.pages.bytes_mut()[start..start + len]);
            self.emit(unit, len, meta, stats);
        }
    }

    /// Puts the requests for a frame that begins at `unit` into the ring.
    fn emit(&mut self, unit: usize, len: usize, meta: TxMeta, stats: &mut Stats) {
        let start = unit * UNIT;
        let frame = &mut self.pages.bytes_mut()[start..start + len];
        let lane = match self.lanes.len() {
            1 => 0,
            lanes => flow_hash(frame) as usize % lanes,
        };
        let mut flags = meta.checksum.tx_flags();
        if meta.checksum == TxChecksum::Blank && !self.features.checksum.covers(frame) {
            flags = TxFlags::empty();
            stats.tx_completed += 1;
            // A frame in which nothing can be completed goes out as it is: its maker will hear of it from the receiver.
            complete(frame).ok();
        }
        stats.tx_frames += 1;
        stats.tx_bytes += len as u64;
        let mut extra = None;
        if let Some(segmentation) = meta.segmentation {
            stats.tx_large += 1;
            flags |= TxFlags::EXTRA_INFO;
            extra = Some(segmentation);
        }
        let units = units_of(len);
        self.pool.take(unit, units);
        let mut pieces = 0;
        let (mut at, end, mut size) = (start, start + len, len);
        while at < end {
            let piece_end = end.min((at / PAGE_SIZE + 1) * PAGE_SIZE);
            if piece_end < end {
                flags |= TxFlags::MORE_DATA;
            }
            // The module's invariants leave room in the table and in the ring.
            let lane = &mut self.lanes[lane];
            let Ok(id) = lane.in_flight.insert(unit as u16) else {
                break;
            };
            let request = TxRequest {
                gref: self.pages.grants()[at / PAGE_SIZE].number(),
                offset: (at % PAGE_SIZE) as u16,
                flags,
                id,
                size: size as u16,
            };
            if lane.ring.push(&transmute!(request)).is_err() {
                break;
            }
            pieces += 1;
            if let Some(segmentation) = extra.take() {
                lane.push_extra(segmentation);
            }
            // The first request tells the frame's size and has its flags, the others tell their own (netif.h, "Guest transmit").
            at = piece_end;
            size = (end - at).min(PAGE_SIZE);
            flags = TxFlags::empty();
        }
        self.frames[unit] = Span {
            units: units as u8,
            pieces,
        };
    }

    /// Takes in responses; there cannot be more than the rings have entries.
    pub(crate) fn reclaim(&mut self, stats: &mut Stats) -> Result<(), Violation> {
        for lane in 0..self.lanes.len() {
            self.reclaim_from(lane, stats)?;
        }
        Ok(())
    }

    fn reclaim_from(&mut self, lane: usize, stats: &mut Stats) -> Result<(), Violation> {
        let lane = &mut self.lanes[lane];
        for _ in 0..RING_ENTRIES {
            let Some(response) = lane.ring.pop().map_err(Violation::TransmitRing)? else {
                break;
            };
            self.has_answer = true;
            match response.status {
                TxStatus::OKAY => {}
                TxStatus::DROPPED => stats.tx_dropped += 1,
                TxStatus::ERROR => stats.tx_errors += 1,
                TxStatus::NULL if lane.extras > 0 => {
                    lane.extras -= 1;
                    continue;
                }
                other => return Err(Violation::TransmitStatus(other.0)),
            }
            let unit = lane
                .in_flight
                .remove(response.id)
                .map_err(Violation::TransmitId)?;
            let frame = &mut self.frames[usize::from(unit)];
            frame.pieces -= 1;
            if frame.pieces == 0 {
                self.pool.give_back(unit.into(), frame.units.into());
            }
        }
        Ok(())
    }

    /// Whether there is room after there was none; otherwise a notification is asked for.
    pub(crate) fn has_room_again(&mut self, stats: &mut Stats) -> Result<bool, Violation> {
        if !self.starved {
            return Ok(false);
        }
        let mut work = false;
        for Lane { ring, .. } in &mut self.lanes {
            // Not one event for each completion: a quarter of what is on its way is worth waking for.
            let batch = (ring.in_flight() / 4).max(1);
            let armed = ring.arm_after(batch).map_err(Violation::TransmitRing)?;
            work |= armed == Armed::Work;
        }
        if work {
            self.reclaim(stats)?;
        }
        self.starved = !self.find_room();
        Ok(!self.starved)
    }

    /// Shows the requests of one ring.
    pub(crate) fn publish(&mut self, queue: usize) -> Notify {
        self.lanes[queue].ring.publish()
    }

    /// Whether anything that was sent was ever answered.
    pub(crate) const fn has_answer(&self) -> bool {
        self.has_answer
    }

    /// The pool's size, and how much of it is on its way, both in half pages.
    pub(crate) fn usage(&self) -> (usize, usize) {
        (self.pool.units(), self.pool.in_use())
    }
}

impl<M: Memory> Lane<M> {
    /// Says that the frame is a large one, in the slot behind its first.
    fn push_extra(&mut self, segmentation: Segmentation) {
        let extra = ExtraInfo::gso(segmentation.size.get(), segmentation.kind);
        let mut slot = [0; TX_ENTRY_SIZE];
        let bytes: [u8; size_of::<ExtraInfo>()] = transmute!(extra);
        slot[..bytes.len()].copy_from_slice(&bytes);
        if self.ring.push(&slot).is_ok() {
            self.extras += 1;
        }
    }
}

/// Where a frame of `len` bytes begins in a run that [`Pool::find`] has found: with a page if it is longer than a unit, so that it takes as few
/// slots as possible.
const fn begin(unit: usize, len: usize) -> usize {
    if len > UNIT {
        unit.next_multiple_of(2)
    } else {
        unit
    }
}

/// How many units a frame of `len` bytes takes.
const fn units_of(len: usize) -> usize {
    len.div_ceil(UNIT)
}

const LENGTH: &str = "a frame has 14 bytes or more, and no more than the device's capabilities say";
