//! Xen's C headers, against which tests prove layouts, and its libraries, for C programs that ours are compared with.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::apt::Apt;
use crate::cache::Cache;

/// The folder for the compiler to search besides its own; `None` if the machine has the headers itself.
pub(crate) fn xen_headers() -> Result<Option<PathBuf>> {
    Ok(development()?.map(|folder| folder.join("include")))
}

/// The folder in which the linker finds static libraries of Xen's; `None` if the machine has them itself.
pub(crate) fn xen_libraries() -> Result<Option<PathBuf>> {
    Ok(development()?.map(|folder| folder.join("lib/x86_64-linux-gnu")))
}

/// Where `include` and `lib` of Debian's package are; `None` if it is installed.
fn development() -> Result<Option<PathBuf>> {
    const PACKAGE: &str = "libxen-dev";
    if Path::new("/usr/include/xen/xen.h").is_file() {
        return Ok(None);
    }
    let cache = Cache::open()?;
    let closure = Apt::new(&cache)?.closure(&[PACKAGE], &[], "Xen's headers from Debian")?;
    let folder = cache.entry(&format!("headers/{}", closure.key()), |stage| {
        closure.unpack(stage, "Xen's headers", |package| package.name() == PACKAGE)
    })?;
    Ok(Some(folder.join("usr")))
}
