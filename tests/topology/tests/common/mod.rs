//! What tests of whole machines have in common.

use std::sync::{Mutex, MutexGuard, PoisonError};

use cap::Cap;
use morgana_emul::HeapAccounts;
use morgana_topology::{Worker, World};

#[global_allocator]
static HEAP: Cap<HeapAccounts> = Cap::new(HeapAccounts, usize::MAX);

/// One test at a time, so that the heap is one test's.
static ALONE: Mutex<()> = Mutex::new(());

pub(crate) fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The heap in use.
pub(crate) fn heap_bytes() -> usize {
    HEAP.allocated()
}

/// Lets things go on to a point that nobody expects.
pub(crate) fn surprise(world: &mut World, guest: &impl Worker) {
    match world.random.below(3) {
        0 => {
            let turns = world.random.below(400);
            world.run_turns(turns);
        }
        1 => world.run_until(|| guest.connections() > 0),
        _ => {
            let enough = guest.steps() + 1 + world.random.below(20);
            world.run_until(|| guest.steps() >= enough);
            let turns = world.random.below(20);
            world.run_turns(turns);
        }
    }
}
