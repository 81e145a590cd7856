//! Both ends of a device over a small store.

extern crate std;

mod close;
mod handshake;
mod store;

use std::boxed::Box;

use morgana_exec::{Executor, Handle, ManualClock};
use morgana_hal::DomId;

use self::store::Store;

pub(crate) const FRONT: DomId = DomId::new(3);
pub(crate) const FRONT_DIR: &str = "/local/domain/3/device/vif/0";
pub(crate) const BACK_DIR: &str = "/local/domain/0/backend/vif/3/0";

/// Runs a test over a store that has a vif as a toolstack makes it.
fn with_vif<F: Future<Output = ()> + 'static>(test: impl FnOnce(Store, Handle) -> F) {
    let clock = ManualClock::default();
    let mut executor = Executor::new();
    let handle = executor.handle();
    let store = Store::new(&handle);
    for (key, value) in [
        ("backend", BACK_DIR),
        ("backend-id", "0"),
        ("state", "1"),
        ("handle", "0"),
    ] {
        store.put(&std::format!("{FRONT_DIR}/{key}"), value);
    }
    for (key, value) in [
        ("frontend", FRONT_DIR),
        ("frontend-id", "3"),
        ("state", "1"),
        ("online", "1"),
    ] {
        store.put(&std::format!("{BACK_DIR}/{key}"), value);
    }
    executor.block_on(Box::pin(test(store, handle)), &mut clock.idle(), &clock);
}
