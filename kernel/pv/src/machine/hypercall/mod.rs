//! Hypercalls with Rust types: what is safe to call from anywhere is a safe function here.

mod console;
mod domctl;
mod events;
mod grants;
mod mmu;
mod sched;
mod traps;

pub(super) use console::console_write;
pub(super) use domctl::domain_info;
pub(super) use events::{
    alloc_unbound, bind_interdomain, bind_virq, close_port, send, unbound_peer, unmask,
};
pub(super) use grants::{copy, map_grants, query_size, setup_table, unmap_grants};
pub(super) use mmu::{TableUpdate, flush_tlb, update_tables, update_va_mapping};
pub(super) use sched::{block, set_timer, shutdown, stop_periodic_timer, yield_now};
pub(super) use traps::{register_callback, set_trap_table};

/// A hypercall's negative result (`errno.h`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Errno(pub(super) i64);

fn check(result: i64) -> Result<i64, Errno> {
    if result < 0 {
        Err(Errno(-result))
    } else {
        Ok(result)
    }
}
