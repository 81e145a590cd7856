//! What runs: an app, and what is around it.

use std::net::Ipv4Addr;
use std::path::PathBuf;

use crate::cli::PortPair;
use crate::workspace::App;

use super::disks::Disk;

/// One app that is to run.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    /// The app.
    pub(super) app: &'a App,
    /// Its address in the testbed's network.
    pub(super) address: Ipv4Addr,
    /// The ports of the host that lead to it.
    pub(super) forwards: Vec<PortPair>,
    /// Its disks, besides those that it names itself.
    pub(super) disks: Vec<Disk>,
    /// Where to record what passes over its network interface.
    pub(super) pcap: Option<PathBuf>,
    /// More words on its command line.
    pub(super) words: String,
}

/// What the user reads when the apps answer.
#[derive(Debug)]
pub(super) enum Announce {
    /// Of each port what leads there, as soon as something answers.
    Each,
    /// This text, when all answer.
    Together(String),
}
