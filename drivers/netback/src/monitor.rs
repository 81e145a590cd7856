//! A view of a device while a bridge or a user-mode network has it.

use alloc::rc::Rc;
use core::fmt;

use morgana_hal::Platform;

use crate::netback::Shared;
use crate::{Parted, Stats};

/// Shows how a device is doing; see [`Netback::monitor`](crate::Netback::monitor).
pub struct Monitor<P: Platform>(pub(crate) Rc<Shared<P>>);

impl<P: Platform> Monitor<P> {
    /// The counters of all connections.
    pub fn stats(&self) -> Stats {
        self.0.stats()
    }

    /// Whether a front end is connected.
    pub fn is_connected(&self) -> bool {
        self.0.joint.link().is_some()
    }

    /// Why there was no connection the last time that there was none.
    pub fn parted(&self) -> Parted {
        self.0.parted.get()
    }

    /// Waits until no front end is served any more, nor will be: the toolstack has taken the device away, or does not want it any more, or it
    /// was closed.
    pub async fn ended(&self) {
        self.0.over.after(0).await;
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
