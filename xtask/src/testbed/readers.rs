//! Programs that read captures, to be run on the host: tests give them ours.

use std::path::PathBuf;

use anyhow::Result;

use super::apt::Apt;
use super::initramfs::ABSENT;
use crate::cache::Cache;

/// A folder with tcpdump, tshark and capinfos and with all that they need, the loader included, laid out as Debian does.
pub(crate) fn capture_readers() -> Result<PathBuf> {
    const WHAT: &str = "tcpdump and tshark";
    let cache = Cache::open()?;
    let names = ["tcpdump", "tshark", "wireshark-common"];
    let closure = Apt::new(&cache)?.closure(&names, &ABSENT, WHAT)?;
    cache.entry(&format!("readers/{}", closure.key()), |stage| {
        closure.unpack(stage, WHAT, |_| true)
    })
}
