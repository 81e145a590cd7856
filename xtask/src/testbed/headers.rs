//! Xen's C headers, against which tests prove layouts.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::apt::Apt;
use crate::cache::Cache;

/// The folder for the compiler to search besides its own; `None` if the machine has the headers itself.
pub(crate) fn xen_headers() -> Result<Option<PathBuf>> {
    const PACKAGE: &str = "libxen-dev";
    if Path::new("/usr/include/xen/xen.h").is_file() {
        return Ok(None);
    }
    let cache = Cache::open()?;
    let closure = Apt::new(&cache)?.closure(&[PACKAGE], &[], "Xen's headers from Debian")?;
    let folder = cache.entry(&format!("headers/{}", closure.key()), |stage| {
        closure.unpack(stage, "Xen's headers", |package| package.name() == PACKAGE)
    })?;
    Ok(Some(folder.join("usr/include")))
}
