//! The life of a domain that is being made.

use core::fmt;

use morgana_hal::{DomId, Toolstack};

/// A domain that ends when this is dropped.
pub struct Domain<'a, T: Toolstack> {
    pub(super) toolstack: &'a T,
    pub(super) id: DomId,
}

impl<T: Toolstack> Domain<'_, T> {
    /// Which one it is.
    pub fn id(&self) -> DomId {
        self.id
    }

    /// Lets the domain live on.
    pub fn keep(self) -> DomId {
        let id = self.id;
        core::mem::forget(self);
        id
    }
}

impl<T: Toolstack> Drop for Domain<'_, T> {
    fn drop(&mut self) {
        // Who drops it gives up anyway. Xen has the domain listed for as long as it is not gone.
        let _ = self.toolstack.destroy(self.id);
    }
}

impl<T: Toolstack> fmt::Debug for Domain<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Domain").field(&self.id).finish()
    }
}
