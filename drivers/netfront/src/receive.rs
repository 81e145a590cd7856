//! The receive side: pages granted once and offered again and again; what comes in them is copied out before it is looked at.
//!
//! Both sides answer in order (netif.h, "Guest receive"): the response to request `i` stands where request `i` stood. Pages are
//! offered in turn, and their number is a power of two, so request `i` always offers page `i mod pages`, also when `i` wraps around.

use alloc::vec;
use alloc::vec::Vec;

use morgana_hal::{DomId, Memory, MemoryError, PAGE_SIZE, Pages, SharedPages};
use morgana_netif::{
    ETHERNET_HEADER, Extra, ExtraInfo, MAX_EXTRAS, MAX_PACKET, MAX_SLOTS, RX_ENTRY_SIZE,
    RxChecksum, RxFlags, RxMeta, RxRequest, RxResponse, Segmentation, VLAN_TAG,
};
use morgana_ring::{Armed, FrontRing, Notify};
use zerocopy::transmute;

use crate::{Config, Stats, Violation};
use morgana_xenbus::LinkError;

/// A slot as it stands in the ring: a response, or extra info.
type Slot = [u8; RX_ENTRY_SIZE];

pub(crate) struct Receiver<M: Memory> {
    ring: FrontRing<M::Shared, RxRequest, Slot>,
    pool: M::Shared,
    pages: u32,
    /// Requests made and responses taken, both as ring indices: they wrap.
    offered: u32,
    answered: u32,
    /// Private memory for one frame, large ones included.
    frame: Vec<u8>,
    /// The longest frame that is no large one, with a tag.
    limit: usize,
    partial: Partial,
}

/// A frame of which not all slots have been seen.
#[derive(Clone, Copy, Default)]
struct Partial {
    len: usize,
    checksum: RxChecksum,
    segmentation: Option<Segmentation>,
    slots: usize,
    extras: usize,
    next: Expect,
    /// Whether the first slot announced that more data follows the extra info.
    more_data: bool,
    spoilt: Option<Spoilt>,
}

/// What the next slot holds.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Expect {
    #[default]
    Data,
    Extra,
}

/// Why a frame is to be dropped although the protocol was kept.
#[derive(Clone, Copy)]
enum Spoilt {
    Error,
    TooLong,
    NotNegotiated,
}

/// A whole frame in the private memory.
pub(crate) struct Received {
    pub(crate) len: usize,
    pub(crate) meta: RxMeta,
}

impl<M: Memory> Receiver<M> {
    pub(crate) fn new(
        memory: &M,
        backend: DomId,
        config: &Config,
        max_frame: usize,
        index: u32,
    ) -> Result<Self, LinkError> {
        let pages = config.receive_pages();
        let ring = FrontRing::starting_at(memory.share(backend, 1)?, index)?;
        let pool = memory.share(backend, pages)?;
        if pool.grants().len() < pages || pool.region().len() < pages * PAGE_SIZE {
            return Err(LinkError::Memory(MemoryError::OutOfMemory));
        }
        let mut receiver = Self {
            ring,
            pool,
            pages: pages as u32,
            offered: index,
            answered: index,
            frame: vec![0; MAX_PACKET],
            limit: max_frame + VLAN_TAG,
            partial: Partial::default(),
        };
        for _ in 0..pages {
            receiver.offer();
        }
        Ok(receiver)
    }

    pub(crate) fn ring_pages(&self) -> &M::Shared {
        self.ring.pages()
    }

    /// The next whole frame. Takes at most `*budget` slots, and takes them off it.
    pub(crate) fn receive(
        &mut self,
        budget: &mut usize,
        stats: &mut Stats,
    ) -> Result<Option<Received>, Violation> {
        while *budget > 0 {
            let Some(slot) = self.ring.pop().map_err(Violation::ReceiveRing)? else {
                return Ok(None);
            };
            *budget -= 1;
            let page = self.answered % self.pages;
            self.answered = self.answered.wrapping_add(1);
            let whole = match self.partial.next {
                Expect::Data => self.data(page, transmute!(slot))?,
                Expect::Extra => self.extra(transmute!(slot))?,
            };
            self.offer();
            if whole {
                let partial = core::mem::take(&mut self.partial);
                if let Some(received) = self.finish(partial, stats) {
                    return Ok(Some(received));
                }
            }
        }
        Ok(None)
    }

    /// The bytes of the frame received last.
    pub(crate) fn frame_mut(&mut self, len: usize) -> &mut [u8] {
        &mut self.frame[..len]
    }

    /// Whether responses wait; otherwise a notification of the next one is asked for.
    pub(crate) fn has_more(&mut self) -> Result<bool, Violation> {
        let armed = self.ring.arm().map_err(Violation::ReceiveRing)?;
        Ok(armed == Armed::Work)
    }

    pub(crate) fn publish(&mut self) -> Notify {
        self.ring.publish()
    }

    pub(crate) fn offered(&self) -> usize {
        self.ring.in_flight() as usize
    }

    /// Takes in a slot of data. Answers whether the frame is whole.
    fn data(&mut self, page: u32, response: RxResponse) -> Result<bool, Violation> {
        let partial = &mut self.partial;
        if u32::from(response.id) != page {
            return Err(Violation::ReceiveId);
        }
        let first = partial.slots == 0;
        partial.slots += 1;
        if partial.slots > MAX_SLOTS {
            return Err(Violation::TooManySlots);
        }
        let has_extra = response.flags.contains(RxFlags::EXTRA_INFO);
        if has_extra && !first {
            return Err(Violation::MisplacedExtra);
        }
        if first {
            partial.checksum = RxChecksum::from_rx_flags(response.flags);
        }
        if response.flags.contains(RxFlags::GSO_PREFIX) {
            partial.spoil(Spoilt::NotNegotiated);
        }
        match usize::try_from(response.status) {
            Err(_) => partial.spoil(Spoilt::Error),
            Ok(len) => {
                let offset = usize::from(response.offset);
                if offset + len > PAGE_SIZE {
                    return Err(Violation::ReceiveOutOfPage);
                }
                match self.frame.get_mut(partial.len..partial.len + len) {
                    None => partial.spoil(Spoilt::TooLong),
                    Some(_) if partial.spoilt.is_some() => {}
                    Some(into) => {
                        let start = page as usize * PAGE_SIZE + offset;
                        self.pool.region().read(start, into);
                        partial.len += len;
                    }
                }
            }
        }
        partial.more_data = response.flags.contains(RxFlags::MORE_DATA);
        if has_extra {
            partial.next = Expect::Extra;
        }
        Ok(!has_extra && !partial.more_data)
    }

    /// Takes in a slot of extra info. Answers whether the frame is whole.
    fn extra(&mut self, extra: ExtraInfo) -> Result<bool, Violation> {
        let partial = &mut self.partial;
        partial.extras += 1;
        if partial.extras > MAX_EXTRAS {
            return Err(Violation::TooManyExtras);
        }
        match extra.parse() {
            // A hint that nothing here needs.
            Ok(Extra::Hash { .. }) => {}
            Ok(Extra::Gso {
                segment, protocol, ..
            }) => {
                let said = Segmentation::from_extra(segment, protocol);
                partial.segmentation = Some(said.ok_or(Violation::Segmentation)?);
            }
            Ok(_) => partial.spoil(Spoilt::NotNegotiated),
            Err(unknown) => return Err(Violation::UnknownExtra(unknown.0)),
        }
        if extra.has_more() {
            return Ok(false);
        }
        partial.next = Expect::Data;
        Ok(!partial.more_data)
    }

    /// Judges a frame that is whole.
    fn finish(&mut self, partial: Partial, stats: &mut Stats) -> Option<Received> {
        let Partial { len, checksum, .. } = partial;
        let meta = match (partial.spoilt, partial.segmentation) {
            (Some(Spoilt::Error), _) => {
                stats.rx_errors += 1;
                return None;
            }
            (Some(Spoilt::NotNegotiated), _) => {
                stats.rx_not_negotiated += 1;
                return None;
            }
            (None, _) if len < ETHERNET_HEADER => {
                stats.rx_too_short += 1;
                return None;
            }
            (None, Some(segmentation)) => {
                let frame = &mut self.frame[..len];
                let Ok(meta) = segmentation.judge(frame, checksum.into(), self.limit) else {
                    stats.rx_not_large += 1;
                    return None;
                };
                meta
            }
            (None, None) if len <= self.limit => checksum.into(),
            (Some(Spoilt::TooLong), _) | (None, None) => {
                stats.rx_too_long += 1;
                return None;
            }
        };
        stats.rx_frames += 1;
        stats.rx_bytes += len as u64;
        stats.rx_large += u64::from(meta.segmentation.is_some());
        Some(Received { len, meta })
    }

    /// Offers the page whose turn it is. There are no more pages than entries, so there is always room.
    fn offer(&mut self) {
        let page = self.offered % self.pages;
        let request = RxRequest {
            id: page as u16,
            pad: 0,
            gref: self.pool.grants()[page as usize].number(),
        };
        if self.ring.push(&request).is_ok() {
            self.offered = self.offered.wrapping_add(1);
        }
    }
}

impl Partial {
    /// Keeps the first reason.
    fn spoil(&mut self, why: Spoilt) {
        self.spoilt.get_or_insert(why);
    }
}
