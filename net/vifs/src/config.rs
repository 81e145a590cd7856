//! How interfaces are served.

use morgana_netback::Config as DeviceConfig;
use morgana_xenbus::Directories;

/// What holds for all interfaces.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Config {
    /// How many interfaces are served at once; further ones wait until one is gone.
    pub interfaces: usize,
    /// Memory and limits of each.
    pub device: DeviceConfig,
    /// From which addresses guests may send.
    pub sources: SourcePolicy,
    /// Who takes an interface's directory away at its end.
    pub directories: Directories,
}

impl Default for Config {
    /// For a driver domain: 256 interfaces, own addresses only.
    fn default() -> Self {
        Self {
            interfaces: 256,
            device: DeviceConfig::default(),
            sources: SourcePolicy::OwnAddress,
            directories: Directories::RemovedHere,
        }
    }
}

/// From which addresses guests may send.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum SourcePolicy {
    /// From the one that the toolstack has given them (the key `mac`).
    #[default]
    OwnAddress,
    /// From any, as a guest does that has a bridge of its own.
    Any,
}
