//! A server of messages, to be run on the host: a job queue of ours is on it.

use std::fs;
use std::path::PathBuf;

use anyhow::Result;

use super::apt::{Apt, Assumed};
use crate::cache::Cache;

/// What installing it needs, and running it does not.
const ABSENT: [Assumed; 2] = [
    "Package: adduser\nStatus: install ok installed\nVersion: 999\nArchitecture: all",
    "Package: debconf\nStatus: install ok installed\nVersion: 999\nArchitecture: all",
];

/// A folder with nats-server and the libraries that it needs, laid out as Debian does.
pub(crate) fn nats_packages() -> Result<PathBuf> {
    const WHAT: &str = "nats-server from Debian";
    let cache = Cache::open()?;
    let closure = Apt::new(&cache)?.closure(&["nats-server"], &ABSENT, WHAT)?;
    cache.entry(&format!("messaging/{}", closure.key()), |stage| {
        // The links of the merged /usr, which the packages expect and do not bring.
        for name in ["bin", "lib", "lib64", "sbin"] {
            fs::create_dir_all(stage.join("usr").join(name))?;
        }
        closure.unpack(stage, WHAT, |_| true)
    })
}
