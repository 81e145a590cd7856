//! A connected network device: both rings, their pools and the event channel. Knows no xenstore.

use alloc::vec;
use alloc::vec::Vec;
use core::fmt;
use core::ops::DerefMut;
use core::task::{Context, Poll};

use morgana_hal::{Channel, DomId, Events, PAGE_SIZE, Platform, SharedPages};
use morgana_netif::{
    Chains, Features, MAX_EXTRAS, MAX_SLOTS, Offload, RingKeys, RxMeta, SegmentationOffload, TxMeta,
};
use morgana_xenbus::LinkError;

use crate::config::frame_length;
use crate::receive::Receiver;
use crate::transmit::Transmitter;
use crate::{Config, Stats, Violation};

/// How many received slots are looked at in one pass; what is beyond waits for the next.
const RECEIVE_BUDGET: usize = 128;

/// The share of one of so many queues: a longest frame with its extra info, at least.
fn budget(queues: usize) -> usize {
    (RECEIVE_BUDGET / queues.max(1)).max(MAX_SLOTS + MAX_EXTRAS)
}

type ChannelOf<P> = <<P as Platform>::Events as Events>::Channel;

/// The front end's half of a connected network device.
///
/// Once the back end breaks the protocol, there is no more room to send, nothing is received, and [`violation`](Self::violation) tells
/// which rule was broken.
pub struct Link<P: Platform> {
    transmitter: Transmitter<P::Memory>,
    /// One for each queue, as are the channels.
    receivers: Vec<Receiver<P::Memory>>,
    channels: Vec<ChannelOf<P>>,
    /// How often each channel had been notified when the link was looked at last.
    seen: Vec<u64>,
    /// How many slots of each queue may still be looked at in this pass.
    budgets: Vec<usize>,
    /// The queue that is looked at.
    turn: usize,
    max_frame: usize,
    violation: Option<Violation>,
    violation_told: bool,
    /// Whether the back end is still connecting, and is not to be shown anything.
    is_held: bool,
    stats: Stats,
}

/// What a back end has done with what was sent since it has connected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Hearing {
    /// Nothing was.
    NothingSent,
    /// It has taken nothing yet.
    Nothing,
    /// It has taken something.
    Something,
}

impl<P: Platform> Link<P> {
    /// Shares rings and pools with `backend` and opens an event channel for it. `mtu` is the IP MTU; it is lowered to what fits into one
    /// slot if the back end takes no more.
    pub fn new(
        platform: &P,
        backend: DomId,
        config: &Config,
        features: Features,
        mtu: usize,
    ) -> Result<Self, LinkError> {
        Self::starting_at(platform, backend, config, features, mtu, 0)
    }

    /// As [`new`](Self::new), with ring indices that begin at `index`; so a test comes to the wrap-around soon.
    pub fn starting_at(
        platform: &P,
        backend: DomId,
        config: &Config,
        features: Features,
        mtu: usize,
        index: u32,
    ) -> Result<Self, LinkError> {
        let max_frame = match features.chains {
            Chains::Several => frame_length(mtu),
            Chains::SingleSlot => frame_length(mtu).min(PAGE_SIZE),
        };
        let memory = platform.memory();
        let transmitter = Transmitter::new(memory, backend, config, features, max_frame, index)?;
        let (mut receivers, mut channels) = (Vec::new(), Vec::new());
        for _ in 0..config.queues() {
            receivers.push(Receiver::new(memory, backend, config, max_frame, index)?);
            channels.push(platform.events().listen(backend)?);
        }
        Ok(Self {
            transmitter,
            budgets: vec![budget(receivers.len()); receivers.len()],
            receivers,
            channels,
            seen: Vec::new(),
            turn: 0,
            max_frame,
            violation: None,
            violation_told: false,
            is_held: false,
            stats: Stats::default(),
        })
    }

    /// What the back end must know to connect, of each queue.
    pub fn keys(&self) -> Vec<RingKeys> {
        let rings = self.receivers.iter().zip(&self.channels).enumerate();
        rings
            .map(|(queue, (receiver, channel))| RingKeys {
                tx_ring: self.transmitter.ring_pages(queue).grants()[0],
                rx_ring: receiver.ring_pages().grants()[0],
                port: channel.port(),
            })
            .collect()
    }

    /// The longest frame that can be sent, in bytes.
    pub fn max_frame(&self) -> usize {
        self.max_frame
    }

    /// The checksums that the back end takes blank.
    pub fn transmit_offload(&self) -> Offload {
        self.transmitter.offload()
    }

    /// The large TCP frames that can be sent.
    pub fn segmentation(&self) -> SegmentationOffload {
        self.transmitter.segmentation()
    }

    /// Takes such large TCP frames from now on, as an earlier link did; those that the back end does not take are cut here.
    pub fn promise(&mut self, segmentation: SegmentationOffload) {
        self.transmitter.promise(segmentation);
    }

    /// The rule that the back end has broken, if it has.
    pub fn violation(&self) -> Option<Violation> {
        self.violation
    }

    /// The counters of this connection.
    pub fn stats(&self) -> Stats {
        let (tx_buffers, tx_in_flight) = self.transmitter.usage();
        Stats {
            tx_buffers,
            tx_in_flight,
            rx_offered: self.receivers.iter().map(Receiver::offered).sum(),
            ..self.stats
        }
    }

    /// Room for one frame, if there is any.
    pub fn transmit(&mut self) -> Option<TxSlot<&mut Self>> {
        self.has_room().then_some(TxSlot { link: self })
    }

    /// The next frame received, if there is one. After 128 slots there is none until [`flush`](Self::flush) has been called.
    pub fn receive(&mut self) -> Option<RxFrame<&mut Self>> {
        let (queue, len, meta) = self.next_frame()?;
        Some(RxFrame {
            link: self,
            queue,
            len,
            meta,
        })
    }

    /// Shows the back end what was sent and which pages are free again, and notifies it if it waits for that.
    pub fn flush(&mut self) {
        self.budgets.fill(budget(self.channels.len()));
        if self.violation.is_some() || self.is_held {
            return;
        }
        let queues = self.receivers.iter_mut().zip(&self.channels).enumerate();
        for (queue, (receiver, channel)) in queues {
            let sent = self.transmitter.publish(queue);
            if sent.or(receiver.publish()).is_needed() {
                self.stats.notifications += 1;
                channel.notify();
            }
        }
        let reclaimed = self.transmitter.reclaim(&mut self.stats);
        self.check(reclaimed);
    }

    /// Flushes; then ready if there is something to receive, room after there was none, or (once) a broken protocol to be seen. Else the
    /// waker is woken by the back end's next notification.
    pub fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.seen.clear();
        self.seen.extend(self.channels.iter().map(Channel::count));
        self.flush();
        if self.violation.is_some() {
            return self.tell_once();
        }
        let received = self.has_more();
        let room = self.transmitter.has_room_again(&mut self.stats);
        let received = self.check(received).unwrap_or(false);
        let room = self.check(room).unwrap_or(false);
        if self.violation.is_some() {
            return self.tell_once();
        }
        if received || room {
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

    /// What the back end has done with what was sent.
    pub(crate) fn hearing(&mut self) -> Hearing {
        let reclaimed = self.transmitter.reclaim(&mut self.stats);
        self.check(reclaimed);
        match self.transmitter.has_answer() {
            true => Hearing::Something,
            false if self.is_held || self.stats.tx_frames == 0 => Hearing::NothingSent,
            false => Hearing::Nothing,
        }
    }

    /// Whether responses wait in a receive ring; otherwise a notification of the next one is asked for.
    fn has_more(&mut self) -> Result<bool, Violation> {
        let mut more = false;
        for receiver in &mut self.receivers {
            more |= receiver.has_more()?;
        }
        Ok(more)
    }

    /// Until [`begin`](Self::begin) the back end, which is connecting, sees nothing and is not notified. Linux's netback has its interrupt for a moment before it may do anything, and binding the
    /// event channel makes one. Frames that it finds then it takes for work that is under way, and nobody ends the interrupt: no other one ever comes (`xenvif_interrupt`).
    pub(crate) fn hold(&mut self) {
        self.is_held = true;
    }

    /// Shows the back end, which has connected, what is there already, and notifies it in any case.
    pub(crate) fn begin(&mut self) {
        self.is_held = false;
        self.flush();
        for channel in &self.channels {
            self.stats.notifications += 1;
            channel.notify();
        }
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
        if self.violation.is_some() {
            return false;
        }
        let room = self.transmitter.has_room(&mut self.stats);
        self.check(room).unwrap_or(false)
    }

    /// The queue, length and kind of the next frame. The queues take turns: each is looked at until it is empty, or has had its share.
    pub(crate) fn next_frame(&mut self) -> Option<(usize, usize, RxMeta)> {
        for _ in 0..self.receivers.len() {
            if self.violation.is_some() {
                return None;
            }
            let queue = self.turn;
            let budget = &mut self.budgets[queue];
            let received = self.receivers[queue].receive(budget, &mut self.stats);
            if let Some(received) = self.check(received).flatten() {
                return Some((queue, received.len, received.meta));
            }
            self.turn = (queue + 1) % self.receivers.len();
        }
        None
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
            .field("keys", &self.keys())
            .field("violation", &self.violation)
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

/// Room for one frame to be sent. Dropping it sends nothing.
#[derive(Debug)]
pub struct TxSlot<L> {
    pub(crate) link: L,
}

impl<P: Platform, L: DerefMut<Target = Link<P>>> TxSlot<L> {
    /// Sends a frame of `len` bytes that `fill` writes straight into memory which the back end reads. What `fill` leaves alone holds
    /// bytes of an older frame. `fill` says whether the frame's checksum is blank; if the back end does not take that, it is completed
    /// here.
    ///
    /// # Panics
    ///
    /// If `len` is less than an Ethernet header's 14 bytes, or more than [`Link::max_frame`] and no large frame of
    /// [`Link::segmentation`].
    pub fn send(mut self, len: usize, fill: impl FnOnce(&mut [u8]) -> TxMeta) {
        let link = &mut *self.link;
        link.transmitter.send(len, fill, &mut link.stats);
    }
}

/// A frame received, in memory that nobody else can write.
#[derive(Debug)]
pub struct RxFrame<L> {
    pub(crate) link: L,
    pub(crate) queue: usize,
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
        self.link.receivers[self.queue].frame_mut(self.len)
    }
}
