//! The device that a bridge or a user-mode network owns.

use alloc::rc::Rc;
use core::cell::{Cell, RefMut};
use core::fmt;
use core::task::{Context, Poll};

use morgana_exec::{Handle, Notify, Task};
use morgana_hal::Platform;
use morgana_netif::{ETHERNET_HEADER, Joint, Offload, SegmentationOffload, keys};
use morgana_xenbus::{BackendAddress, Device, keep};
use morgana_xenstore_client::Client;

use crate::handshake::ConnectError;
use crate::keeper::{Keeper, Parted};
use crate::outbound::LARGE;
use crate::{Config, Link, Monitor, RxFrame, Stats, TxSlot};

/// Our end of a network device of another domain: what is sent goes to that domain, what is received comes from it.
///
/// A task of its own waits for the front end, and serves the next one when one leaves. While there is none, there is no room to send and
/// nothing to receive. Dropping the device ends the task, which closes in order.
pub struct Netback<P: Platform> {
    shared: Rc<Shared<P>>,
    max_frame: usize,
    keeper: Option<Task<()>>,
}

/// What the device and its keeper share.
pub(crate) struct Shared<P: Platform> {
    pub(crate) joint: Joint<Link<P>>,
    pub(crate) parted: Cell<Parted>,
    /// The counters of connections that have ended.
    past: Cell<Stats>,
    /// Stepped once, when the keeper has ended.
    pub(crate) over: Notify,
}

impl<P: Platform> Shared<P> {
    pub(crate) fn count_connection(&self) {
        let mut past = self.past.get();
        past.connections += 1;
        self.past.set(past);
    }

    pub(crate) fn stats(&self) -> Stats {
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

impl<P: Platform> Netback<P> {
    /// Opens the back end `backend/vif/DOMAIN/INDEX`, and begins to wait for its front end.
    ///
    /// # Errors
    ///
    /// [`ConnectError`].
    pub async fn open(
        platform: &P,
        client: &Client,
        handle: &Handle,
        address: BackendAddress,
        config: Config,
    ) -> Result<Self, ConnectError> {
        let device = Device::backend(client, keys::CLASS, address).await?;
        let shared = Rc::new(Shared {
            joint: Joint::default(),
            parted: Cell::new(Parted::NotYet),
            past: Cell::default(),
            over: Notify::new(),
        });
        let keeper = Keeper {
            platform: platform.clone(),
            timers: handle.timers(),
            address,
            config,
            shared: shared.clone(),
        };
        let (over, timers) = (shared.clone(), handle.timers());
        let keeper = handle.spawn(async move {
            keep(keeper, device, timers).await;
            over.over.notify();
        });
        Ok(Self {
            shared,
            max_frame: config.max_frame(),
            keeper: Some(keeper.map_err(|_| ConnectError::TooManyTasks)?),
        })
    }

    /// The largest IP packet in bytes.
    pub fn ip_mtu(&self) -> usize {
        self.max_frame - ETHERNET_HEADER
    }

    /// The longest frame that can be sent, in bytes: [`ip_mtu`](Self::ip_mtu) and an Ethernet header.
    pub fn max_frame(&self) -> usize {
        self.max_frame
    }

    /// The checksums that may be left blank in frames that are sent: all, since those that the front end does not take blank are completed
    /// here.
    pub fn transmit_offload(&self) -> Offload {
        Offload::Both
    }

    /// The large TCP frames that may be sent: all, since those that the front end does not take are cut here.
    pub fn segmentation(&self) -> SegmentationOffload {
        LARGE
    }

    /// Whether a front end is connected.
    pub fn is_connected(&self) -> bool {
        self.shared.joint.link().is_some()
    }

    /// Why there was no connection the last time that there was none.
    pub fn parted(&self) -> Parted {
        self.shared.parted.get()
    }

    /// The counters of all connections.
    pub fn stats(&self) -> Stats {
        self.shared.stats()
    }

    /// Shows how the device is doing while a bridge has it.
    pub fn monitor(&self) -> Monitor<P> {
        Monitor(self.shared.clone())
    }

    /// Room for one frame to the front end, if there is any.
    pub fn transmit(&mut self) -> Option<TxSlot<RefMut<'_, Link<P>>>> {
        let mut link = self.shared.joint.link()?;
        link.has_room().then(|| TxSlot { link })
    }

    /// The next frame from the front end, if there is one. After 128 slots there is none until [`flush`](Self::flush) has been called.
    pub fn receive(&mut self) -> Option<RxFrame<RefMut<'_, Link<P>>>> {
        let mut link = self.shared.joint.link()?;
        let (start, len, meta) = link.next_frame()?;
        Some(RxFrame {
            link,
            start,
            len,
            meta,
        })
    }

    /// Copies waiting frames into the front end's pages, shows it what was done, and notifies it if it waits for that.
    pub fn flush(&mut self) {
        if let Some(mut link) = self.shared.joint.link() {
            link.flush();
            self.report(&link);
        }
    }

    /// Flushes; then ready if there is something to receive, or room after there was none. Else the waker is woken when there may be, or
    /// when a front end came or went.
    pub fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.shared.joint.poll_ready(cx, |link, cx| {
            let ready = link.poll_ready(cx);
            self.report(link);
            ready
        })
    }

    /// Closes the device in order, and waits until the front end has closed too, or does not answer.
    pub async fn close(mut self) {
        self.shared.joint.abandon();
        if let Some(keeper) = self.keeper.take() {
            keeper.await;
        }
    }

    /// Calls the keeper if there is something that it should see.
    fn report(&self, link: &Link<P>) {
        if link.violation().is_some() {
            self.shared.joint.call();
        }
    }
}

impl<P: Platform> Drop for Netback<P> {
    fn drop(&mut self) {
        self.shared.joint.abandon();
    }
}

impl<P: Platform> fmt::Debug for Netback<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Netback")
            .field("parted", &self.parted())
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}
