//! Name servers of others, to be run on the host: tests ask them and ours the same.

use std::fs;
use std::path::PathBuf;

use anyhow::Result;

use super::apt::{Apt, Assumed};
use crate::cache::Cache;

/// What installing the servers needs, and running them does not.
const ABSENT: [Assumed; 4] = [
    "Package: adduser\nStatus: install ok installed\nVersion: 999\nArchitecture: all",
    "Package: debconf\nStatus: install ok installed\nVersion: 999\nArchitecture: all",
    "Package: lsb-base\nStatus: install ok installed\nVersion: 999\nArchitecture: all",
    "Package: openssl\nStatus: install ok installed\nVersion: 999\nArchitecture: amd64",
];

/// A folder with NSD, Knot and the tool that signs zones, and all libraries that they need, laid out as Debian does.
pub(crate) fn dns_packages() -> Result<PathBuf> {
    const NAMES: [&str; 3] = ["nsd", "knot", "ldnsutils"];
    let cache = Cache::open()?;
    let closure = Apt::new(&cache)?.closure(&NAMES, &ABSENT, "name servers from Debian")?;
    cache.entry(&format!("nameservers/{}", closure.key()), |stage| {
        // The links of the merged /usr, which the packages expect and do not bring.
        for name in ["bin", "lib", "lib64", "sbin"] {
            fs::create_dir_all(stage.join("usr").join(name))?;
        }
        closure.unpack(stage, "name servers", |package| {
            let name = package.name();
            let is_library = name.starts_with("lib") && !name.contains("perl");
            NAMES.contains(&name) || is_library
        })
    })
}
