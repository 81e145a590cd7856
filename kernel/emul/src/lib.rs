#![doc = include_str!("../README.md")]

mod backing;
mod clock;
mod config;
mod console;
mod domain;
#[cfg(not(all(test, loom)))]
mod doorbell;
mod entropy;
#[cfg(not(all(test, loom)))]
mod event_page;
mod event_words;
mod events;
mod faults;
mod grants;
mod heap;
mod hypercall;
mod hypervisor;
mod idle;
mod late;
mod leftovers;
mod lockstep;
mod mapping;
mod mappings;
mod memory;
#[cfg(all(test, loom))]
mod models;
mod pages;
mod platform;
mod ports;
mod random;
mod remote;
mod state;
mod sync;
mod upcall;

pub use clock::EmulClock;
pub use config::{Console, CreateError, DomainConfig, XenstoreServer};
pub use console::{CapturedConsole, EmulConsole};
pub use domain::{Domain, DomainThread, Outcome, XenstoreRing};
pub use events::{EmulChannel, EmulEvents};
pub use faults::{Fault, FaultPlan, Odds, Struck, Trouble};
pub use heap::HeapAccounts;
pub use hypervisor::Hypervisor;
pub use idle::EmulIdle;
pub use leftovers::{Leftover, Leftovers};
pub use lockstep::{Lockstep, Starter, Stuck, StuckReason, seeds};
pub use memory::{EmulImported, EmulMemory, EmulReadOnly, EmulShared};
pub use morgana_reactor::{Direction, HasReactor, Reactor, Source};
pub use platform::{EmulPlatform, EmulXenstore};
pub use remote::{Breach, Served, ServedEnd};

#[cfg(all(test, loom))]
use models::{doorbell, event_page};
#[cfg(all(test, not(loom)))]
mod tests;
