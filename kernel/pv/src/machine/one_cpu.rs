//! Global state of a machine that has one processor and no interrupts.
//!
//! An image runs on one virtual processor, has no threads, and takes upcalls only inside `SCHEDOP_block`, where the upcall's
//! entry point returns without running any Rust code. So ordinary code is never interrupted by ordinary code. What can cut in
//! is an exception; its handler ends the domain or steps over a probe (`trap::probe`), and touches nothing of this kind except
//! by `try_borrow`.

use core::ops::Deref;

/// A value of the one processor's. Inside it belongs `Cell`, `RefCell` or `OnceCell`.
pub(super) struct OneCpu<T>(T);

impl<T> OneCpu<T> {
    pub(super) const fn new(value: T) -> Self {
        Self(value)
    }
}

// SAFETY: 1. There is one processor and no thread, so no second thread exists that could hold the reference that `Sync` would let
// it have. 2. Upcalls run no Rust code. 3. Exception handlers only `try_borrow`, which `RefCell`'s own flag makes sound on one
// processor.
unsafe impl<T> Sync for OneCpu<T> {}

impl<T> Deref for OneCpu<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}
