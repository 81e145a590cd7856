//! From the front end: requests of the transmit ring become frames in private memory, a batch at a time.
//!
//! A batch comes from one ring; the rings take turns. While a batch is being made, `answers` and `frames` describe slots that were popped and not
//! answered, in the ring's order, those of the unfinished `chain` last; so the responses go out in the order of the requests, which is the
//! only one that a ring allows.

use alloc::vec;
use alloc::vec::Vec;

use morgana_hal::{CopyFrom, DomId, GrantRef, Memory, PAGE_SIZE};
use morgana_netif::{
    ETHERNET_HEADER, Extra, ExtraInfo, MAX_EXTRAS, MAX_PACKET, MAX_SLOTS, RxChecksum, RxMeta,
    Segmentation, TX_ENTRY_SIZE, TxFlags, TxRequest, TxResponse, TxStatus,
};
use morgana_ring::{Armed, BackRing, Notify};
use zerocopy::{FromBytes, transmute};

use crate::{Stats, Violation};

/// A slot as it stands in the ring: a request, or extra info.
type Slot = [u8; TX_ENTRY_SIZE];

/// The least number of slots that a ring's turn takes: a longest frame, with its extra info.
const LEAST_TURN: usize = MAX_SLOTS + MAX_EXTRAS;

pub(crate) struct Inbound<M: Memory> {
    lanes: Vec<Lane<M>>,
    /// The ring whose turn is next.
    turn: usize,
    peer: DomId,
    /// The longest frame that is taken and is no large one, with a tag.
    limit: usize,
    /// The bytes of the batch's frames, one after the other.
    staging: Vec<u8>,
    frames: Vec<Frame>,
    pieces: Vec<Piece>,
    answers: Vec<Answer>,
    /// How many of `frames` have been handed out.
    taken: usize,
}

/// A ring, and what has been seen of its next frame.
struct Lane<M: Memory> {
    ring: BackRing<M::Imported, Slot, TxResponse>,
    chain: Chain,
}

/// A frame of which not all slots have been seen.
#[derive(Default)]
struct Chain {
    pieces: Vec<TxRequest>,
    /// For each slot its id, or `None` for extra info.
    ids: Vec<Option<u16>>,
    extras: usize,
    next: Expect,
    more_data: bool,
    /// How extra info wants the frame to be cut.
    segmentation: Option<Segmentation>,
    /// Whether extra info asked for what was not offered.
    not_negotiated: bool,
}

/// What the next slot holds.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Expect {
    #[default]
    Data,
    Extra,
}

/// A frame of the batch, in `staging`.
struct Frame {
    start: usize,
    len: usize,
    meta: RxMeta,
    refused: Option<Refused>,
}

/// A piece of a frame, to be copied to the end of what is staged before it.
struct Piece {
    frame: usize,
    grant: GrantRef,
    offset: u16,
    len: usize,
}

/// A slot that awaits its response.
struct Answer {
    frame: usize,
    id: Option<u16>,
}

/// Why a frame is not passed on although the protocol was kept.
#[derive(Clone, Copy)]
enum Refused {
    TooLong,
    TooShort,
    NotNegotiated,
    NotLarge,
    BadGrant,
}

/// A frame handed out: where it is in the private memory, and what is known of it.
pub(crate) struct Received {
    pub(crate) start: usize,
    pub(crate) len: usize,
    pub(crate) meta: RxMeta,
}

impl<M: Memory> Inbound<M> {
    pub(crate) fn new(
        rings: Vec<BackRing<M::Imported, Slot, TxResponse>>,
        peer: DomId,
        limit: usize,
        staging_bytes: usize,
    ) -> Self {
        let lane = |ring| Lane {
            ring,
            chain: Chain::default(),
        };
        Self {
            lanes: rings.into_iter().map(lane).collect(),
            turn: 0,
            peer,
            limit,
            staging: vec![0; staging_bytes.max(MAX_PACKET)],
            frames: Vec::new(),
            pieces: Vec::new(),
            answers: Vec::new(),
            taken: 0,
        }
    }

    /// The next frame. Takes at most `*budget` slots out of the ring, and takes them off it.
    pub(crate) fn receive(
        &mut self,
        memory: &M,
        budget: &mut usize,
        stats: &mut Stats,
    ) -> Result<Option<Received>, Violation> {
        loop {
            while let Some(frame) = self.frames.get(self.taken) {
                self.taken += 1;
                if frame.refused.is_none() {
                    return Ok(Some(Received {
                        start: frame.start,
                        len: frame.len,
                        meta: frame.meta,
                    }));
                }
            }
            self.fetch(memory, budget, stats)?;
            if self.frames.is_empty() {
                return Ok(None);
            }
        }
    }

    pub(crate) fn bytes_mut(&mut self, start: usize, len: usize) -> &mut [u8] {
        &mut self.staging[start..start + len]
    }

    /// Whether frames or requests wait; otherwise a notification of the next request is asked for.
    pub(crate) fn has_more(&mut self) -> Result<bool, Violation> {
        if self.taken < self.frames.len() {
            return Ok(true);
        }
        let mut more = false;
        for lane in &mut self.lanes {
            let armed = lane.ring.arm().map_err(Violation::TransmitRing)?;
            more |= armed == Armed::Work;
        }
        Ok(more)
    }

    /// Shows the responses of one ring.
    pub(crate) fn publish(&mut self, queue: usize) -> Notify {
        self.lanes[queue].ring.publish()
    }

    /// Replaces the batch, all of whose frames have been taken, by the next one, from the next ring that has one.
    fn fetch(
        &mut self,
        memory: &M,
        budget: &mut usize,
        stats: &mut Stats,
    ) -> Result<(), Violation> {
        self.frames.clear();
        self.taken = 0;
        for _ in 0..self.lanes.len() {
            let lane = self.turn;
            self.turn = (lane + 1) % self.lanes.len();
            self.fetch_from(lane, memory, budget, stats)?;
            if !self.frames.is_empty() {
                break;
            }
        }
        Ok(())
    }

    fn fetch_from(
        &mut self,
        lane: usize,
        memory: &M,
        budget: &mut usize,
        stats: &mut Stats,
    ) -> Result<(), Violation> {
        self.pieces.clear();
        self.answers.clear();
        let mut share = match self.lanes.len() {
            1 => *budget,
            lanes => (*budget / lanes).max(LEAST_TURN).min(*budget),
        };
        let mut staged = 0;
        while share > 0 && self.staging.len() - staged >= MAX_PACKET {
            let Lane { ring, chain } = &mut self.lanes[lane];
            let Some(slot) = ring.pop().map_err(Violation::TransmitRing)? else {
                break;
            };
            share -= 1;
            *budget -= 1;
            if chain.take(slot)? {
                staged += self.stage(lane, staged)?;
            }
        }
        self.copy(memory);
        self.answer(lane, stats);
        Ok(())
    }

    /// Puts the finished chain into the batch. Answers how many bytes it takes.
    fn stage(&mut self, lane: usize, start: usize) -> Result<usize, Violation> {
        let chain = &mut self.lanes[lane].chain;
        let Some((first, rest)) = chain.pieces.split_first() else {
            return Ok(0);
        };
        // netif.h, "Guest transmit": the first request's size is the whole frame's.
        let total = usize::from(first.size);
        let others: usize = rest.iter().map(|piece| usize::from(piece.size)).sum();
        let first_len = total.checked_sub(others).ok_or(Violation::SizeMismatch)?;
        if usize::from(first.offset) + first_len > PAGE_SIZE {
            return Err(Violation::OutOfPage);
        }
        let refused = if chain.not_negotiated {
            Some(Refused::NotNegotiated)
        } else if total > self.limit && chain.segmentation.is_none() {
            Some(Refused::TooLong)
        } else if total < ETHERNET_HEADER {
            Some(Refused::TooShort)
        } else {
            None
        };
        let frame = self.frames.len();
        let staged = if refused.is_none() {
            for (index, request) in chain.pieces.iter().enumerate() {
                let len = if index == 0 {
                    first_len
                } else {
                    usize::from(request.size)
                };
                if len > 0 {
                    self.pieces.push(Piece {
                        frame,
                        grant: GrantRef::new(request.gref),
                        offset: request.offset,
                        len,
                    });
                }
            }
            total
        } else {
            0
        };
        self.frames.push(Frame {
            start,
            len: staged,
            meta: RxMeta {
                checksum: RxChecksum::from_tx_flags(first.flags),
                segmentation: chain.segmentation.take(),
            },
            refused,
        });
        self.answers
            .extend(chain.ids.drain(..).map(|id| Answer { frame, id }));
        chain.pieces.clear();
        chain.extras = 0;
        chain.not_negotiated = false;
        Ok(staged)
    }

    /// Copies the batch's pieces in one go.
    fn copy(&mut self, memory: &M) {
        if self.pieces.is_empty() {
            return;
        }
        let mut rest = self.staging.as_mut_slice();
        let mut operations = Vec::with_capacity(self.pieces.len());
        for piece in &self.pieces {
            // The sum of the lengths is what `stage` counted, and fits.
            let (into, after) = rest.split_at_mut(piece.len);
            rest = after;
            operations.push(CopyFrom {
                grant: piece.grant,
                offset: piece.offset,
                into,
                status: Ok(()),
            });
        }
        memory.copy_from(self.peer, &mut operations);
        for (operation, piece) in operations.iter().zip(&self.pieces) {
            if operation.status.is_err() {
                self.frames[piece.frame].refused = Some(Refused::BadGrant);
            }
        }
        self.judge();
    }

    /// Looks whether the frames that are said to be large ones are.
    fn judge(&mut self) {
        for frame in &mut self.frames {
            if let (Some(segmentation), None) = (frame.meta.segmentation, frame.refused) {
                let bytes = &mut self.staging[frame.start..frame.start + frame.len];
                match segmentation.judge(bytes, frame.meta, self.limit) {
                    Ok(meta) => frame.meta = meta,
                    Err(_) => frame.refused = Some(Refused::NotLarge),
                }
            }
        }
    }

    /// Answers all slots of the batch: the front end may use their pages again.
    fn answer(&mut self, lane: usize, stats: &mut Stats) {
        for frame in &self.frames {
            match frame.refused {
                None => {
                    stats.in_frames += 1;
                    stats.in_bytes += frame.len as u64;
                    stats.in_large += u64::from(frame.meta.segmentation.is_some());
                }
                Some(Refused::NotLarge) => stats.in_not_large += 1,
                Some(Refused::TooLong) => stats.in_too_long += 1,
                Some(Refused::TooShort) => stats.in_too_short += 1,
                Some(Refused::NotNegotiated) => stats.in_not_negotiated += 1,
                Some(Refused::BadGrant) => stats.in_bad_grant += 1,
            }
        }
        for answer in &self.answers {
            let response = match (answer.id, &self.frames[answer.frame].refused) {
                (None, _) => TxResponse {
                    id: 0,
                    status: TxStatus::NULL,
                },
                (Some(id), None) => TxResponse {
                    id,
                    status: TxStatus::OKAY,
                },
                (Some(id), Some(_)) => TxResponse {
                    id,
                    status: TxStatus::ERROR,
                },
            };
            // There is a popped request for each answer, so there is room.
            if self.lanes[lane].ring.push(&response).is_err() {
                break;
            }
        }
    }
}

impl Chain {
    /// Takes in a slot. Answers whether the frame is whole.
    fn take(&mut self, slot: Slot) -> Result<bool, Violation> {
        match self.next {
            Expect::Data => self.data(transmute!(slot)),
            Expect::Extra => match ExtraInfo::read_from_prefix(&slot) {
                Ok((extra, _)) => self.extra(extra),
                // Not possible: extra info is shorter than a slot.
                Err(_) => Err(Violation::UnknownExtra(0)),
            },
        }
    }

    fn data(&mut self, request: TxRequest) -> Result<bool, Violation> {
        let first = self.pieces.is_empty();
        if self.pieces.len() == MAX_SLOTS {
            return Err(Violation::TooManySlots);
        }
        let has_extra = request.flags.contains(TxFlags::EXTRA_INFO);
        if has_extra && !first {
            return Err(Violation::MisplacedExtra);
        }
        // How much of the first piece's size is its own is known at the end only.
        if !first && usize::from(request.offset) + usize::from(request.size) > PAGE_SIZE {
            return Err(Violation::OutOfPage);
        }
        self.pieces.push(request);
        self.ids.push(Some(request.id));
        self.more_data = request.flags.contains(TxFlags::MORE_DATA);
        if has_extra {
            self.next = Expect::Extra;
        }
        Ok(!has_extra && !self.more_data)
    }

    fn extra(&mut self, extra: ExtraInfo) -> Result<bool, Violation> {
        self.extras += 1;
        if self.extras > MAX_EXTRAS {
            return Err(Violation::TooManyExtras);
        }
        self.ids.push(None);
        match extra.parse() {
            // A hint that nothing here needs.
            Ok(Extra::Hash { .. }) => {}
            Ok(Extra::Gso {
                segment, protocol, ..
            }) => {
                let said = Segmentation::from_extra(segment, protocol);
                self.segmentation = Some(said.ok_or(Violation::Segmentation)?);
            }
            Ok(_) => self.not_negotiated = true,
            Err(unknown) => return Err(Violation::UnknownExtra(unknown.0)),
        }
        if extra.has_more() {
            return Ok(false);
        }
        self.next = Expect::Data;
        Ok(!self.more_data)
    }
}
