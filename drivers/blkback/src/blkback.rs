//! A disk that is being served.

use alloc::rc::Rc;
use core::cell::{Cell, RefCell};
use core::fmt;

use morgana_blkif::keys;
use morgana_block::BlockDevice;
use morgana_exec::{Handle, Notify, Task};
use morgana_hal::Platform;
use morgana_xenbus::{BackendAddress, Device, keep};
use morgana_xenstore_client::Client;

use crate::handshake::ConnectError;
use crate::keeper::{Keeper, Parted, Shared};
use crate::{Config, Stats};

/// Our end of a block device of another domain: what that domain reads and writes is a block device of ours.
///
/// A task of its own waits for the front end, serves it, and serves the next one when one leaves. Dropping this ends the task, which closes in order.
pub struct Blkback {
    shared: Rc<Shared>,
    keeper: Option<Task<()>>,
}

impl Blkback {
    /// Opens the back end `backend/vbd/DOMAIN/NUMBER`, and begins to wait for its front end, which is to be served from `disk`.
    ///
    /// # Errors
    ///
    /// [`ConnectError`].
    pub async fn open<P: Platform, D: BlockDevice + 'static>(
        platform: &P,
        client: &Client,
        handle: &Handle,
        address: BackendAddress,
        disk: D,
        config: Config,
    ) -> Result<Self, ConnectError> {
        let device = Device::backend(client, keys::CLASS, address).await?;
        let shared = Rc::new(Shared {
            attention: Notify::new(),
            abandoned: Cell::new(false),
            resized: Cell::new(false),
            parted: Cell::new(Parted::NotYet),
            connected: Cell::new(false),
            past: Cell::default(),
            now: Cell::default(),
        });
        let keeper = Keeper {
            platform: platform.clone(),
            timers: handle.timers(),
            address,
            disk: Rc::new(disk),
            config,
            shared: shared.clone(),
            link: RefCell::new(None),
        };
        let keeper = handle.spawn(keep(keeper, device, handle.timers()));
        Ok(Self {
            shared,
            keeper: Some(keeper.map_err(|_| ConnectError::TooManyTasks)?),
        })
    }

    /// Whether a front end is connected.
    pub fn is_connected(&self) -> bool {
        self.shared.connected.get()
    }

    /// Whether the toolstack does not want the device any more, so that this does nothing any more.
    pub fn is_ended(&self) -> bool {
        self.keeper.as_ref().is_none_or(Task::is_finished)
    }

    /// Why there was no connection the last time that there was none.
    pub fn parted(&self) -> Parted {
        self.shared.parted.get()
    }

    /// The counters of all connections.
    pub fn stats(&self) -> Stats {
        self.shared.past.get().and(&self.shared.now.get())
    }

    /// The disk has another size: the front end is told.
    pub fn resized(&self) {
        self.shared.resized.set(true);
        self.shared.attention.notify();
    }

    /// Waits until the toolstack does not want the device any more.
    pub async fn ended(&mut self) {
        if let Some(keeper) = self.keeper.take() {
            keeper.await;
        }
    }

    /// Closes the device in order, and waits until the front end has closed too, or does not answer.
    pub async fn close(mut self) {
        self.abandon();
        self.ended().await;
    }

    fn abandon(&self) {
        self.shared.abandoned.set(true);
        self.shared.attention.notify();
    }
}

impl Drop for Blkback {
    fn drop(&mut self) {
        self.abandon();
    }
}

impl fmt::Debug for Blkback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blkback")
            .field("parted", &self.parted())
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}
