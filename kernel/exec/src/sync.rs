//! What threads share: the real thing, or in the models of this crate's tests what the model checker sees through.

#[cfg(not(all(test, loom)))]
pub(crate) use {
    core::sync::atomic::{AtomicBool, Ordering},
    spin::Mutex,
};

#[cfg(all(test, loom))]
pub(crate) use {
    crate::models::Mutex,
    loom::sync::atomic::{AtomicBool, Ordering},
};
