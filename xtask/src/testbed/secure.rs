//! Servers and clients of TLS and HTTP, to be run on the host: tests have ours at the other end.

use std::fs;
use std::path::PathBuf;

use anyhow::Result;

use super::apt::{Apt, Assumed};
use crate::cache::Cache;

/// What installing them needs, and running them does not.
const ABSENT: [Assumed; 4] = [
    "Package: adduser\nStatus: install ok installed\nVersion: 999\nArchitecture: all",
    "Package: debconf\nStatus: install ok installed\nVersion: 999\nArchitecture: all",
    "Package: media-types\nStatus: install ok installed\nVersion: 999\nArchitecture: all",
    "Package: iproute2\nStatus: install ok installed\nVersion: 999\nArchitecture: amd64",
];

/// A folder with OpenSSL, curl, nginx and Python, and all libraries that they need, laid out as Debian does.
pub(crate) fn tls_packages() -> Result<PathBuf> {
    const WHAT: &str = "OpenSSL, curl, nginx and Python from Debian";
    const NAMES: [&str; 4] = ["curl", "nginx", "openssl", "python3.11"];
    let cache = Cache::open()?;
    let closure = Apt::new(&cache)?.closure(&NAMES, &ABSENT, WHAT)?;
    cache.entry(&format!("secure/{}", closure.key()), |stage| {
        // The links of the merged /usr, which the packages expect and do not bring.
        for name in ["bin", "lib", "lib64", "sbin"] {
            fs::create_dir_all(stage.join("usr").join(name))?;
        }
        closure.unpack(stage, WHAT, |_| true)
    })
}
