//! Guests that stop and go on, so that a machine can come to rest.

use std::cell::Cell;

use morgana_exec::Notify;

/// Whether a guest begins anything new.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    held: Cell<bool>,
    changed: Notify,
}

impl Pace {
    pub(crate) fn hold(&self) {
        self.held.set(true);
        self.changed.notify();
    }

    pub(crate) fn release(&self) {
        self.held.set(false);
        self.changed.notify();
    }

    /// Ready while the guest is held.
    pub(crate) async fn held(&self) {
        self.until(true).await;
    }

    /// Ready while it is not.
    pub(crate) async fn going(&self) {
        self.until(false).await;
    }

    async fn until(&self, held: bool) {
        loop {
            let seen = self.changed.count();
            if self.held.get() == held {
                return;
            }
            self.changed.after(seen).await;
        }
    }
}
