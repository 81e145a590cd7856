//! The testbed: Xen and a Linux dom0 under QEMU, restored from a snapshot.

mod agent;
pub(crate) mod apt;
mod capture;
mod console;
mod cpio;
mod daemons;
mod debs;
mod disk;
mod emulator;
mod guest;
mod handle;
mod headers;
mod initramfs;
mod modules;
mod nameservers;
mod ours;
mod peer;
mod qemu;
mod qmp;
mod readers;
mod relay;
mod servers;
mod snapshot;
mod tree;

pub(crate) use agent::Deadline;
pub(crate) use cpio::Node;
pub(crate) use daemons::xen_packages;
pub(crate) use disk::Access;
pub(crate) use guest::{Birth, End, Guest};
pub(crate) use handle::{Forward, Protocol, Testbed, Xenstored};
pub(crate) use headers::{xen_headers, xen_libraries};
pub(crate) use nameservers::dns_packages;
pub(crate) use ours::Ours;
pub(crate) use peer::with_program;
pub(crate) use readers::capture_readers;
pub(crate) use servers::{Server, Servers};
