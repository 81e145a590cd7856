#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
// There is no image of it: it is for programs of Linux.
#![cfg(not(target_os = "none"))]

mod at;
mod error;
mod harmless;
mod launch;
mod libvirt_xml;
mod machine;
mod provider;
mod xen;

pub use at::{At, AtError, Ec2At};
pub use error::{Cause, Error, Family, ProviderName, Unable};
pub use launch::Launch;
pub use libvirt_xml::{Hypervisor, domain_xml};
pub use machine::{Machine, MachineId, State, Stats};
pub use morgana_toolstack::Config;
pub use provider::{CONSOLE_BYTES, Provider};
pub use xen::{SOCKET, Xen};
