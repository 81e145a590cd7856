//! The device that a network stack owns.

use alloc::rc::Rc;
use core::cell::{Cell, RefCell, RefMut};
use core::fmt;
use core::task::{Context, Poll};

use morgana_exec::{Handle, Task, join};
use morgana_hal::Platform;
use morgana_netif::{Joint, MacAddr, Offload, SegmentationOffload, keys};
use morgana_xenbus::{Device, keep};
use morgana_xenstore_client::Client;

use crate::handshake::{ConnectError, Interface, connect, interface};
use crate::keeper::{Keeper, Parted, Phase};
use crate::{Config, Link, RxFrame, Stats, TxSlot};

/// A network device of this domain.
///
/// A task of its own keeps it connected: when the back end leaves (its domain restarts, the toolstack gives another one), there is no room
/// to send and nothing to receive, until a back end is there again. Dropping the device ends the task, which closes in order.
pub struct Netfront<P: Platform> {
    shared: Rc<Shared<P>>,
    interface: Interface,
    offload: Offload,
    segmentation: SegmentationOffload,
    max_frame: usize,
    keeper: Option<Task<()>>,
}

/// What the device and its keeper share.
pub(crate) struct Shared<P: Platform> {
    pub(crate) joint: Joint<Link<P>>,
    pub(crate) parted: Cell<Option<Parted>>,
    /// The counters of connections that have ended.
    past: Cell<Stats>,
}

impl<P: Platform> Shared<P> {
    pub(crate) fn count_connection(&self) {
        let mut past = self.past.get();
        past.connections += 1;
        self.past.set(past);
    }

    fn stats(&self) -> Stats {
        let past = self.past.get();
        match self.joint.link() {
            Some(link) => past.and(&link.stats()),
            None => past,
        }
    }

    /// Keeps the counters of a connection that has ended.
    pub(crate) fn retire(&self, link: &Link<P>) {
        self.past
            .set(self.past.get().and(&link.stats()).without_gauges());
    }
}

impl<P: Platform> Netfront<P> {
    /// Connects the front end `device/vif/INDEX`. Waits for its back end as long as it takes; a caller that does not want that uses a
    /// time-out, and drops the future.
    ///
    /// # Errors
    ///
    /// [`ConnectError`].
    pub async fn connect(
        platform: &P,
        client: &Client,
        handle: &Handle,
        index: u32,
        config: Config,
    ) -> Result<Self, ConnectError> {
        let timers = handle.timers();
        let device = Device::frontend(client, keys::CLASS, index);
        // Side by side: a round trip to xenstored is dear.
        let (device, interface) = join(device, interface(client, index)).await;
        let (device, interface) = (device?, interface?);
        let link = connect(platform, &device, &timers, &config, interface.mtu).await?;
        let (max_frame, offload) = (link.max_frame(), link.transmit_offload());
        let segmentation = link.segmentation();
        let shared = Rc::new(Shared {
            joint: Joint::default(),
            parted: Cell::new(None),
            past: Cell::default(),
        });
        let keeper = Keeper {
            platform: platform.clone(),
            client: client.clone(),
            timers,
            index,
            config,
            interface,
            max_frame,
            segmentation,
            shared: shared.clone(),
            phase: Cell::new(Phase::Joining),
            parting: RefCell::new(None),
        };
        keeper.enter(link).await;
        let keeper = handle.spawn(keep(keeper, device, handle.timers()));
        Ok(Self {
            shared,
            interface,
            offload,
            segmentation,
            max_frame,
            keeper: Some(keeper.map_err(|_| ConnectError::TooManyTasks)?),
        })
    }

    /// The device's Ethernet address.
    pub fn mac(&self) -> MacAddr {
        self.interface.mac
    }

    /// The largest IP packet in bytes.
    pub fn ip_mtu(&self) -> usize {
        self.max_frame - morgana_netif::ETHERNET_HEADER
    }

    /// The longest frame that can be sent, in bytes: [`ip_mtu`](Self::ip_mtu) and an Ethernet header.
    pub fn max_frame(&self) -> usize {
        self.max_frame
    }

    /// The checksums that may be left blank in frames that are sent. Received ones may be blank whatever this says.
    pub fn transmit_offload(&self) -> Offload {
        self.offload
    }

    /// The large TCP frames that may be sent. Received ones may be large whatever this says.
    pub fn segmentation(&self) -> SegmentationOffload {
        self.segmentation
    }

    /// Why there is no connection, if there is none.
    pub fn parted(&self) -> Option<Parted> {
        self.shared.parted.get()
    }

    /// The counters of all connections.
    pub fn stats(&self) -> Stats {
        self.shared.stats()
    }

    /// Shows the counters to others while a network stack has the device.
    pub fn monitor(&self) -> Monitor<P> {
        Monitor(self.shared.clone())
    }

    /// Room for one frame, if there is any.
    pub fn transmit(&mut self) -> Option<TxSlot<RefMut<'_, Link<P>>>> {
        let mut link = self.shared.joint.link()?;
        link.has_room().then(|| TxSlot { link })
    }

    /// The next frame received, if there is one. After 128 slots there is none until [`flush`](Self::flush) has been called.
    pub fn receive(&mut self) -> Option<RxFrame<RefMut<'_, Link<P>>>> {
        let mut link = self.shared.joint.link()?;
        let (queue, len, meta) = link.next_frame()?;
        Some(RxFrame {
            link,
            queue,
            len,
            meta,
        })
    }

    /// Shows the back end what was sent and which pages are free again, and notifies it if it waits for that.
    pub fn flush(&mut self) {
        if let Some(mut link) = self.shared.joint.link() {
            link.flush();
            self.report(&link);
        }
    }

    /// Flushes; then ready if there is something to receive, or room after there was none. Else the waker is woken when there may be, or
    /// when the connection came or went.
    pub fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.shared.joint.poll_ready(cx, |link, cx| {
            let ready = link.poll_ready(cx);
            self.report(link);
            ready
        })
    }

    /// Closes the device in order, and waits until the back end has let go.
    pub async fn close(mut self) {
        self.shared.joint.abandon();
        if let Some(keeper) = self.keeper.take() {
            keeper.await;
        }
    }

    /// Calls the keeper if there is something that it should see.
    fn report(&self, link: &Link<P>) {
        if link.violation().is_some() && self.shared.parted.get().is_none() {
            self.shared.joint.call();
        }
    }
}

/// A view of a device's counters; see [`Netfront::monitor`].
pub struct Monitor<P: Platform>(Rc<Shared<P>>);

impl<P: Platform> Monitor<P> {
    /// The counters of all connections.
    pub fn stats(&self) -> Stats {
        self.0.stats()
    }
}

impl<P: Platform> Clone for Monitor<P> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<P: Platform> fmt::Debug for Monitor<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Monitor").field(&self.stats()).finish()
    }
}

impl<P: Platform> Drop for Netfront<P> {
    fn drop(&mut self) {
        self.shared.joint.abandon();
    }
}

impl<P: Platform> fmt::Debug for Netfront<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Netfront")
            .field("interface", &self.interface)
            .field("parted", &self.parted())
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}
