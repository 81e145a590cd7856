//! A connected network device: both rings, their pools and the event channel. Knows no xenstore.

use core::fmt;
use core::ops::DerefMut;
use core::task::{Context, Poll};

use morgana_hal::{
    Channel, DomId, EventError, Events, MemoryError, PAGE_SIZE, Platform, SharedPages,
};
use morgana_netif::{Chains, Features, Offload, RingKeys, RxMeta, SegmentationOffload, TxMeta};
use morgana_ring::RingError;

use crate::config::frame_length;
use crate::receive::Receiver;
use crate::transmit::Transmitter;
use crate::{Config, Stats, Violation};

/// How many received slots are looked at in one pass; what is beyond waits for the next.
const RECEIVE_BUDGET: usize = 64;

type ChannelOf<P> = <<P as Platform>::Events as Events>::Channel;

/// The front end's half of a connected network device.
///
/// Once the back end breaks the protocol, there is no more room to send, nothing is received, and [`violation`](Self::violation) tells
/// which rule was broken.
pub struct Link<P: Platform> {
    transmitter: Transmitter<P::Memory>,
    receiver: Receiver<P::Memory>,
    channel: ChannelOf<P>,
    max_frame: usize,
    budget: usize,
    violation: Option<Violation>,
    violation_told: bool,
    stats: Stats,
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
        Ok(Self {
            transmitter,
            receiver: Receiver::new(memory, backend, config, max_frame, index)?,
            channel: platform.events().listen(backend)?,
            max_frame,
            budget: RECEIVE_BUDGET,
            violation: None,
            violation_told: false,
            stats: Stats::default(),
        })
    }

    /// What the back end must know to connect.
    pub fn keys(&self) -> RingKeys {
        RingKeys {
            tx_ring: self.transmitter.ring_pages().grants()[0],
            rx_ring: self.receiver.ring_pages().grants()[0],
            port: self.channel.port(),
        }
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
            rx_offered: self.receiver.offered(),
            ..self.stats
        }
    }

    /// Room for one frame, if there is any.
    pub fn transmit(&mut self) -> Option<TxSlot<&mut Self>> {
        self.has_room().then_some(TxSlot { link: self })
    }

    /// The next frame received, if there is one. After 64 slots there is none until [`flush`](Self::flush) has been called.
    pub fn receive(&mut self) -> Option<RxFrame<&mut Self>> {
        let (len, meta) = self.next_frame()?;
        Some(RxFrame {
            link: self,
            len,
            meta,
        })
    }

    /// Shows the back end what was sent and which pages are free again, and notifies it if it waits for that.
    pub fn flush(&mut self) {
        self.budget = RECEIVE_BUDGET;
        if self.violation.is_some() {
            return;
        }
        let needed = self.transmitter.publish().or(self.receiver.publish());
        if needed.is_needed() {
            self.stats.notifications += 1;
            self.channel.notify();
        }
        let reclaimed = self.transmitter.reclaim(&mut self.stats);
        self.check(reclaimed);
    }

    /// Flushes; then ready if there is something to receive, room after there was none, or (once) a broken protocol to be seen. Else the
    /// waker is woken by the back end's next notification.
    pub fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let seen = self.channel.count();
        self.flush();
        if self.violation.is_some() {
            return self.tell_once();
        }
        let received = self.receiver.has_more();
        let room = self.transmitter.has_room_again(&mut self.stats);
        let received = self.check(received).unwrap_or(false);
        let room = self.check(room).unwrap_or(false);
        if self.violation.is_some() {
            return self.tell_once();
        }
        if received || room {
            return Poll::Ready(());
        }
        self.channel.poll_after(seen, cx).map(|_| ())
    }

    /// Shows the back end, which connects or has just connected, the pages for what it receives, and notifies it in any case: it may have
    /// looked before it could be told.
    pub(crate) fn begin(&mut self) {
        self.flush();
        self.stats.notifications += 1;
        self.channel.notify();
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

    pub(crate) fn next_frame(&mut self) -> Option<(usize, RxMeta)> {
        if self.violation.is_some() {
            return None;
        }
        let received = self.receiver.receive(&mut self.budget, &mut self.stats);
        let received = self.check(received).flatten()?;
        Some((received.len, received.meta))
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
        self.link.receiver.frame_mut(self.len)
    }
}

/// Why a device could not be set up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LinkError {
    /// Pages could not be shared.
    Memory(MemoryError),
    /// No event channel could be opened.
    Events(EventError),
    /// The page is too small for a ring.
    Ring(RingError),
}

impl From<MemoryError> for LinkError {
    fn from(error: MemoryError) -> Self {
        Self::Memory(error)
    }
}

impl From<EventError> for LinkError {
    fn from(error: EventError) -> Self {
        Self::Events(error)
    }
}

impl From<RingError> for LinkError {
    fn from(error: RingError) -> Self {
        Self::Ring(error)
    }
}

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory(error) => write!(f, "no memory for a network device: {error}"),
            Self::Events(error) => write!(f, "no event channel for a network device: {error}"),
            Self::Ring(error) => write!(f, "no ring for a network device: {error}"),
        }
    }
}

impl core::error::Error for LinkError {}
