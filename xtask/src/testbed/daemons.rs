//! Xen's own daemons, to be run on the host: benchmarks and tests give them something that stands in for Xen.

use std::path::PathBuf;

use anyhow::Result;

use super::apt::Apt;
use super::initramfs::ABSENT;
use crate::cache::Cache;

/// A folder with the programs, their libraries and the headers, laid out as Debian does.
pub(crate) fn xen_packages() -> Result<PathBuf> {
    const PROGRAMS: &str = "xen-utils-4.17";
    let cache = Cache::open()?;
    let names = ["libxen-dev", PROGRAMS];
    let closure = Apt::new(&cache)?.closure(&names, &ABSENT, "Xen's daemons from Debian")?;
    cache.entry(&format!("daemons/{}", closure.key()), |stage| {
        closure.unpack(stage, "Xen's daemons", |package| {
            package.name() == PROGRAMS || package.name().starts_with("libxen")
        })
    })
}
