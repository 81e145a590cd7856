//! A connected interface: the front end's rings, and the event channel. Knows no xenstore.

use alloc::vec::Vec;
use core::fmt;
use core::ops::DerefMut;
use core::task::{Context, Poll};

use morgana_hal::{Channel, DomId, Events, Memory, Platform};
use morgana_netif::{Features, RingKeys, RxMeta, TxMeta, VLAN_TAG};
use morgana_ring::BackRing;
use morgana_xenbus::LinkError;

use crate::inbound::Inbound;
use crate::outbound::Outbound;
use crate::{Config, RxNotify, Stats, Violation};

/// How many slots are taken out of the transmit ring in one pass; what is beyond waits for the next.
const RECEIVE_BUDGET: usize = 128;

type ChannelOf<P> = <<P as Platform>::Events as Events>::Channel;

/// The back end's half of a connected network device: it receives what the front end sends, and sends what the front end receives.
///
/// Once the front end breaks the protocol, there is no more room to send, nothing is received, and [`violation`](Self::violation) tells
/// which rule was broken. Other front ends are not concerned.
pub struct Link<P: Platform> {
    platform: P,
    inbound: Inbound<P::Memory>,
    outbound: Outbound<P::Memory>,
    /// One for each queue: a transmit ring, and a receive ring.
    channels: Vec<ChannelOf<P>>,
    max_frame: usize,
    /// How often each channel had been notified when the link was looked at last.
    seen: Vec<u64>,
    budget: usize,
    violation: Option<Violation>,
    violation_told: bool,
    stats: Stats,
}

impl<P: Platform> Link<P> {
    /// Maps the rings of `peer`, of one queue or several, and connects to its event channels.
    pub fn new(
        platform: &P,
        peer: DomId,
        queues: &[RingKeys],
        features: Features,
        notify: RxNotify,
        config: &Config,
    ) -> Result<Self, LinkError> {
        if queues.is_empty() {
            return Err(LinkError::Queues);
        }
        let memory = platform.memory();
        let (mut tx_rings, mut rx_rings, mut channels) = (Vec::new(), Vec::new(), Vec::new());
        for keys in queues {
            tx_rings.push(BackRing::attach(memory.import(peer, &[keys.tx_ring])?)?);
            rx_rings.push(BackRing::attach(memory.import(peer, &[keys.rx_ring])?)?);
            channels.push(platform.events().connect(peer, keys.port)?);
        }
        let max_frame = config.max_frame();
        Ok(Self {
            platform: platform.clone(),
            inbound: Inbound::new(tx_rings, peer, max_frame + VLAN_TAG, config.inbound_bytes),
            outbound: Outbound::new(rx_rings, peer, features, notify, max_frame, config),
            channels,
            max_frame,
            seen: Vec::new(),
            budget: RECEIVE_BUDGET,
            violation: None,
            violation_told: false,
            stats: Stats::default(),
        })
    }

    /// The longest frame that can be sent, in bytes; one with a VLAN tag may have 4 more. A front end that takes only frames of one slot does
    /// not get those that are longer than a page.
    pub fn max_frame(&self) -> usize {
        self.max_frame
    }

    /// The rule that the front end has broken, if it has.
    pub fn violation(&self) -> Option<Violation> {
        self.violation
    }

    /// The counters of this connection.
    pub fn stats(&self) -> Stats {
        Stats {
            out_queued: self.outbound.queued(),
            out_queue_limit: self.outbound.queue_limit(),
            ..self.stats
        }
    }

    /// Room for one frame to the front end, if there is any.
    pub fn transmit(&mut self) -> Option<TxSlot<&mut Self>> {
        self.has_room().then_some(TxSlot { link: self })
    }

    /// The next frame from the front end, if there is one. After 128 slots there is none until [`flush`](Self::flush) has been called.
    pub fn receive(&mut self) -> Option<RxFrame<&mut Self>> {
        let (start, len, meta) = self.next_frame()?;
        Some(RxFrame {
            link: self,
            start,
            len,
            meta,
        })
    }

    /// Copies waiting frames into the front end's pages, shows it what was done, and notifies it if it waits for that.
    pub fn flush(&mut self) {
        self.budget = RECEIVE_BUDGET;
        if self.violation.is_some() {
            return;
        }
        let delivered = self
            .outbound
            .deliver(self.platform.memory(), &mut self.stats);
        if self.check(delivered).is_none() {
            return;
        }
        for (queue, channel) in self.channels.iter().enumerate() {
            let answered = self.inbound.publish(queue);
            if answered.or(self.outbound.publish(queue)).is_needed() {
                self.stats.notifications += 1;
                channel.notify();
            }
        }
    }

    /// Flushes; then ready if there is something to receive, room after there was none, or (once) a broken protocol to be seen. Else the
    /// waker is woken by the front end's next notification.
    pub fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.seen.clear();
        self.seen.extend(self.channels.iter().map(Channel::count));
        self.flush();
        if self.violation.is_some() {
            return self.tell_once();
        }
        let received = self.inbound.has_more();
        let received = self.check(received).unwrap_or(false);
        let work = self.outbound.has_work();
        let work = self.check(work).unwrap_or(false);
        if self.violation.is_some() {
            return self.tell_once();
        }
        if received || work {
            return Poll::Ready(());
        }
        // Each registers the waker, also after one that is ready.
        let mut ready = Poll::Pending;
        for (channel, seen) in self.channels.iter().zip(&self.seen) {
            if channel.poll_after(*seen, cx).is_ready() {
                ready = Poll::Ready(());
            }
        }
        ready
    }

    /// A broken link is no reason to poll again and again.
    fn tell_once(&mut self) -> Poll<()> {
        if core::mem::replace(&mut self.violation_told, true) {
            Poll::Pending
        } else {
            Poll::Ready(())
        }
    }

    pub(crate) fn has_room(&mut self) -> bool {
        self.violation.is_none() && self.outbound.has_room(&mut self.stats)
    }

    pub(crate) fn next_frame(&mut self) -> Option<(usize, usize, RxMeta)> {
        if self.violation.is_some() {
            return None;
        }
        let received =
            self.inbound
                .receive(self.platform.memory(), &mut self.budget, &mut self.stats);
        let received = self.check(received).flatten()?;
        Some((received.start, received.len, received.meta))
    }

    fn check<T>(&mut self, result: Result<T, Violation>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(violation) => {
                if self.violation.is_none() {
                    self.stats.violations += 1;
                    self.violation = Some(violation);
                }
                None
            }
        }
    }
}

impl<P: Platform> fmt::Debug for Link<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("violation", &self.violation)
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

/// Room for one frame to the front end. Dropping it sends nothing.
#[derive(Debug)]
pub struct TxSlot<L> {
    pub(crate) link: L,
}

impl<P: Platform, L: DerefMut<Target = Link<P>>> TxSlot<L> {
    /// Sends a frame of `len` bytes that `fill` writes. What `fill` leaves alone holds bytes of an older frame. `fill` says whether the
    /// frame's checksum is blank, and whether it is a large one; if the front end does not take that, it is completed, or cut, here.
    ///
    /// # Panics
    ///
    /// If `len` is less than an Ethernet header's 14 bytes, or more than [`Link::max_frame`] and a VLAN tag and no large TCP frame of
    /// at most 65,535 bytes.
    pub fn send(mut self, len: usize, fill: impl FnOnce(&mut [u8]) -> TxMeta) {
        let link = &mut *self.link;
        link.outbound.send(len, fill, &mut link.stats);
    }
}

/// A frame from the front end, in memory that nobody else can write.
#[derive(Debug)]
pub struct RxFrame<L> {
    pub(crate) link: L,
    pub(crate) start: usize,
    pub(crate) len: usize,
    pub(crate) meta: RxMeta,
}

impl<P: Platform, L: DerefMut<Target = Link<P>>> RxFrame<L> {
    /// What is known of it besides its bytes.
    pub fn meta(&self) -> RxMeta {
        self.meta
    }

    /// The frame from its Ethernet header on.
    pub fn bytes(&mut self) -> &mut [u8] {
        self.link.inbound.bytes_mut(self.start, self.len)
    }
}
