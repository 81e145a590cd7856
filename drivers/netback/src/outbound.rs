//! To the front end: frames wait in a bounded queue until it offers pages, and are copied into them, a batch at a time.

use alloc::vec;
use alloc::vec::Vec;

use morgana_hal::{CopyTo, DomId, GrantRef, Memory, PAGE_SIZE};
use morgana_netif::{
    Chains, ETHERNET_HEADER, Features, RING_ENTRIES, RxFlags, RxRequest, RxResponse, TxChecksum,
    TxMeta, TxStatus, VLAN_TAG, complete,
};
use morgana_ring::{Armed, BackRing, Notify};

use crate::{RxNotify, Stats, Violation};

pub(crate) struct Outbound<M: Memory> {
    ring: BackRing<M::Imported, RxRequest, RxResponse>,
    peer: DomId,
    features: Features,
    notify: RxNotify,
    /// The queue: a circle of buffers of `buffer_bytes` each.
    staging: Vec<u8>,
    buffer_bytes: usize,
    queued: Vec<Queued>,
    first: usize,
    len: usize,
    /// Whether there was no room when some was wanted.
    starved: bool,
}

/// A frame in a buffer of the queue.
#[derive(Clone, Copy, Default)]
struct Queued {
    len: usize,
    flags: RxFlags,
}

/// A piece of a frame on its way into a page.
struct Piece {
    id: u16,
    grant: GrantRef,
    start: usize,
    len: usize,
    flags: RxFlags,
}

impl<M: Memory> Outbound<M> {
    pub(crate) fn new(
        ring: BackRing<M::Imported, RxRequest, RxResponse>,
        peer: DomId,
        features: Features,
        notify: RxNotify,
        max_frame: usize,
        frames: usize,
    ) -> Self {
        let (buffer_bytes, frames) = (max_frame + VLAN_TAG, frames.max(1));
        Self {
            ring,
            peer,
            features,
            notify,
            staging: vec![0; buffer_bytes * frames],
            buffer_bytes,
            queued: vec![Queued::default(); frames],
            first: 0,
            len: 0,
            starved: false,
        }
    }

    pub(crate) fn has_room(&mut self, stats: &mut Stats) -> bool {
        self.starved = self.len == self.queued.len();
        if self.starved {
            stats.out_full += 1;
        }
        !self.starved
    }

    /// Queues a frame of `len` bytes, which `fill` writes. In a full queue it is dropped; but [`has_room`](Self::has_room) has been asked
    /// before.
    ///
    /// # Panics
    ///
    /// If the frame is longer than a buffer or shorter than an Ethernet header.
    pub(crate) fn send(
        &mut self,
        len: usize,
        fill: impl FnOnce(&mut [u8]) -> TxMeta,
        stats: &mut Stats,
    ) {
        assert!(
            (ETHERNET_HEADER..=self.buffer_bytes).contains(&len),
            "a frame has 14 bytes or more, and no more than the device's capabilities say"
        );
        if self.len == self.queued.len() {
            return;
        }
        if len > PAGE_SIZE && self.features.chains == Chains::SingleSlot {
            stats.out_too_long += 1;
            return;
        }
        let index = (self.first + self.len) % self.queued.len();
        let start = index * self.buffer_bytes;
        let frame = &mut self.staging[start..start + len];
        let TxMeta { mut checksum, .. } = fill(frame);
        if checksum == TxChecksum::Blank && !self.features.checksum.covers(frame) {
            if complete(frame).is_err() {
                stats.out_not_completed += 1;
                return;
            }
            stats.out_completed += 1;
            checksum = TxChecksum::Complete;
        }
        self.queued[index] = Queued {
            len,
            flags: checksum.rx_flags(),
        };
        self.len += 1;
    }

    /// Copies waiting frames into the pages that the front end has offered, as many as there are pages for.
    pub(crate) fn deliver(&mut self, memory: &M, stats: &mut Stats) -> Result<(), Violation> {
        if self.len == 0 {
            return Ok(());
        }
        let mut pieces = Vec::new();
        let pages = self.ring.available().map_err(Violation::ReceiveRing)? as usize;
        // As many pages as a ring has entries at the most: a bounded pass.
        let mut pages = pages.min(RING_ENTRIES);
        while self.len > 0 {
            let Queued { len, flags } = self.queued[self.first];
            let needed = len.div_ceil(PAGE_SIZE);
            if needed > pages {
                break;
            }
            pages -= needed;
            let start = self.first * self.buffer_bytes;
            for index in 0..needed {
                let Some(request) = self.ring.pop().map_err(Violation::ReceiveRing)? else {
                    break;
                };
                let at = index * PAGE_SIZE;
                let more = if index + 1 < needed {
                    RxFlags::MORE_DATA
                } else {
                    RxFlags::empty()
                };
                pieces.push(Piece {
                    id: request.id,
                    grant: GrantRef::new(request.gref),
                    start: start + at,
                    len: (len - at).min(PAGE_SIZE),
                    flags: if index == 0 { flags | more } else { more },
                });
            }
            self.first = (self.first + 1) % self.queued.len();
            self.len -= 1;
        }
        self.copy(memory, &pieces, stats);
        if self.notify == RxNotify::Never && self.len > 0 {
            stats.out_no_page += self.len as u64;
            self.len = 0;
        }
        Ok(())
    }

    /// Whether there is room after there was none, or waiting frames have got pages; if frames go on waiting, a notification of new
    /// pages is asked for.
    pub(crate) fn has_work(&mut self) -> Result<bool, Violation> {
        let room = self.starved && self.len < self.queued.len();
        if room {
            self.starved = false;
        }
        if self.len == 0 {
            return Ok(room);
        }
        let needed = self.queued[self.first].len.div_ceil(PAGE_SIZE) as u32;
        let armed = self
            .ring
            .arm_after(needed)
            .map_err(Violation::ReceiveRing)?;
        Ok(room || armed == Armed::Work)
    }

    pub(crate) fn publish(&mut self) -> Notify {
        self.ring.publish()
    }

    pub(crate) fn queued(&self) -> usize {
        self.len
    }

    pub(crate) fn queue_limit(&self) -> usize {
        self.queued.len()
    }

    fn copy(&mut self, memory: &M, pieces: &[Piece], stats: &mut Stats) {
        let mut operations: Vec<_> = pieces
            .iter()
            .map(|piece| CopyTo {
                grant: piece.grant,
                offset: 0,
                from: &self.staging[piece.start..piece.start + piece.len],
                status: Ok(()),
            })
            .collect();
        if operations.is_empty() {
            return;
        }
        memory.copy_to(self.peer, &mut operations);
        let mut failed = false;
        for (operation, piece) in operations.iter().zip(pieces) {
            failed |= operation.status.is_err();
            let response = RxResponse {
                id: piece.id,
                offset: 0,
                flags: piece.flags,
                status: match operation.status {
                    Ok(()) => piece.len as i16,
                    Err(_) => TxStatus::ERROR.0,
                },
            };
            // There is a popped request for each piece, so there is room.
            if self.ring.push(&response).is_err() {
                break;
            }
            stats.out_bytes += piece.len as u64;
            if !piece.flags.contains(RxFlags::MORE_DATA) {
                if failed {
                    stats.out_bad_grant += 1;
                } else {
                    stats.out_frames += 1;
                }
                failed = false;
            }
        }
    }
}
