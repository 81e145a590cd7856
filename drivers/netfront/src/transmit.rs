//! The transmit side: buffers granted once, filled in place, and given back by the back end's responses.
//!
//! Invariants: a buffer is in `free`, or it has `pieces > 0` requests in `in_flight`. There are never more requests in flight than the
//! ring has entries, because there are not more pieces in all buffers.

use alloc::vec;
use alloc::vec::Vec;

use morgana_hal::{DomId, Memory, MemoryError, PAGE_SIZE, ReadOnlyPages};
use morgana_netif::{
    ETHERNET_HEADER, Features, Offload, RING_ENTRIES, TxChecksum, TxFlags, TxMeta, TxRequest,
    TxResponse, TxStatus, complete,
};
use morgana_ring::{Armed, FrontRing, Notify, Slots};

use crate::link::LinkError;
use crate::{Config, Stats, Violation};

/// Half a page: what an Ethernet frame of ordinary size fits into.
const SMALL_BUFFER: usize = PAGE_SIZE / 2;

pub(crate) struct Transmitter<M: Memory> {
    ring: FrontRing<M::Shared, TxRequest, TxResponse>,
    pool: M::ReadOnly,
    /// Each request's buffer.
    in_flight: Slots<u16>,
    free: Vec<u16>,
    /// For each buffer the requests without response.
    pieces: Vec<u8>,
    buffer_bytes: usize,
    max_frame: usize,
    /// Whether there was no free buffer when one was wanted, so that the next completion matters.
    starved: bool,
    features: Features,
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
        let buffer_bytes = if max_frame <= SMALL_BUFFER {
            SMALL_BUFFER
        } else {
            max_frame.next_multiple_of(PAGE_SIZE)
        };
        let pieces_each = buffer_bytes.div_ceil(PAGE_SIZE);
        let buffers =
            (config.transmit_pages * PAGE_SIZE / buffer_bytes).clamp(1, RING_ENTRIES / pieces_each);
        let pages = (buffers * buffer_bytes).div_ceil(PAGE_SIZE);
        let ring = FrontRing::starting_at(memory.share(backend, 1)?, index)?;
        let pool = memory.share_read_only(backend, pages)?;
        if pool.grants().len() < pages || pool.bytes().len() < pages * PAGE_SIZE {
            return Err(LinkError::Memory(MemoryError::OutOfMemory));
        }
        Ok(Self {
            ring,
            pool,
            in_flight: Slots::new(buffers * pieces_each),
            // Both are at most RING_ENTRIES, so the cast loses nothing. The first buffers are on top.
            free: (0..buffers as u16).rev().collect(),
            pieces: vec![0; buffers],
            buffer_bytes,
            max_frame,
            starved: false,
            features,
        })
    }

    pub(crate) fn ring_pages(&self) -> &M::Shared {
        self.ring.pages()
    }

    pub(crate) fn offload(&self) -> Offload {
        self.features.checksum
    }

    /// Whether there is a free buffer.
    pub(crate) fn has_room(&mut self, stats: &mut Stats) -> Result<bool, Violation> {
        if self.free.is_empty() {
            self.reclaim(stats)?;
        }
        self.starved = self.free.is_empty();
        if self.starved {
            stats.tx_full += 1;
        }
        Ok(!self.starved)
    }

    /// Puts a frame of `len` bytes, which `fill` writes, into the ring. Without a free buffer it is dropped; but [`has_room`](Self::has_room)
    /// has been asked before.
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
            (ETHERNET_HEADER..=self.max_frame).contains(&len),
            "a frame has 14 bytes or more, and no more than the device's capabilities say"
        );
        let Some(buffer) = self.free.pop() else {
            return;
        };
        let start = usize::from(buffer) * self.buffer_bytes;
        let frame = &mut self.pool.bytes_mut()[start..start + len];
        let TxMeta { checksum, .. } = fill(frame);
        let mut flags = checksum.tx_flags();
        if checksum == TxChecksum::Blank && !self.features.checksum.covers(frame) {
            flags = TxFlags::empty();
            stats.tx_completed += 1;
            // A frame in which nothing can be completed goes out as it is: its maker will hear of it from the receiver.
            complete(frame).ok();
        }
        stats.tx_frames += 1;
        stats.tx_bytes += len as u64;

        let (mut at, end, mut size) = (start, start + len, len);
        while at < end {
            let piece_end = end.min((at / PAGE_SIZE + 1) * PAGE_SIZE);
            if piece_end < end {
                flags |= TxFlags::MORE_DATA;
            } else {
                flags -= TxFlags::MORE_DATA;
            }
            // The module's invariants leave room in the table and in the ring.
            let Ok(id) = self.in_flight.insert(buffer) else {
                break;
            };
            let request = TxRequest {
                gref: self.pool.grants()[at / PAGE_SIZE].number(),
                offset: (at % PAGE_SIZE) as u16,
                flags,
                id,
                size: size as u16,
            };
            if self.ring.push(&request).is_err() {
                break;
            }
            self.pieces[usize::from(buffer)] += 1;
            // The first request tells the frame's size and has its flags, the others tell their own (netif.h, "Guest transmit").
            at = piece_end;
            size = (end - at).min(PAGE_SIZE);
            flags = TxFlags::empty();
        }
    }

    /// Takes in responses; there cannot be more than the ring has entries.
    pub(crate) fn reclaim(&mut self, stats: &mut Stats) -> Result<(), Violation> {
        for _ in 0..RING_ENTRIES {
            let Some(response) = self.ring.pop().map_err(Violation::TransmitRing)? else {
                break;
            };
            match response.status {
                TxStatus::OKAY => {}
                TxStatus::DROPPED => stats.tx_dropped += 1,
                TxStatus::ERROR => stats.tx_errors += 1,
                other => return Err(Violation::TransmitStatus(other.0)),
            }
            let buffer = self
                .in_flight
                .remove(response.id)
                .map_err(Violation::TransmitId)?;
            let pieces = &mut self.pieces[usize::from(buffer)];
            *pieces -= 1;
            if *pieces == 0 {
                self.free.push(buffer);
            }
        }
        Ok(())
    }

    /// Whether there is a buffer after there was none; otherwise a notification is asked for.
    pub(crate) fn has_room_again(&mut self, stats: &mut Stats) -> Result<bool, Violation> {
        if !self.starved {
            return Ok(false);
        }
        // Not one event for each completion: a quarter of the buffers at once is worth waking for.
        let batch = (self.ring.in_flight() / 4).max(1);
        let armed = self
            .ring
            .arm_after(batch)
            .map_err(Violation::TransmitRing)?;
        if armed == Armed::Work {
            self.reclaim(stats)?;
        }
        self.starved = self.free.is_empty();
        Ok(!self.starved)
    }

    pub(crate) fn publish(&mut self) -> Notify {
        self.ring.publish()
    }

    pub(crate) fn buffers(&self) -> usize {
        self.pieces.len()
    }

    pub(crate) fn buffers_in_flight(&self) -> usize {
        self.pieces.len() - self.free.len()
    }
}
