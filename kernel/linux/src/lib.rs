#![doc = include_str!("../README.md")]

mod bridge;
mod console;
mod device;
mod domains;
mod entropy;
mod events;
mod hypervisor_console;
mod idle;
mod inherited;
mod ioctl;
mod loops;
mod memory;
mod platform;
mod ports;
mod tap;
mod toolstack;
mod xenstore;

pub use bridge::{JoinError, interface, is_served, join_bridge};
pub use console::LinuxConsole;
pub use device::OpenError;
pub use domains::LinuxDomains;
pub use events::{LinuxChannel, LinuxEvents};
pub use hypervisor_console::HypervisorConsole;
pub use idle::{LinuxIdle, ReactorIdle};
pub use inherited::inherited;
pub use loops::{DiskBackEnd, LoopAccess, LoopDevice, disk_back_end};
pub use memory::{
    LinuxImported, LinuxMemory, LinuxOwnRing, LinuxReadOnly, LinuxShared, MappedFile,
};
pub use morgana_reactor::{Direction, HasReactor, LinuxClock, Reactor, Source};
pub use platform::Linux;
pub use tap::open_tap;
pub use toolstack::{LinuxForeign, LinuxToolstack};
pub use xenstore::{ConnectError, LinuxXenstore, Obstacle};
