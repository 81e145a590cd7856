//! libvirt from Debian: what the program is linked against and runs with.

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::cache::{Cache, key};
use crate::testbed::apt::Apt;

/// The library with its headers, and what tells of them.
const PACKAGES: [&str; 2] = ["libvirt-dev", "pkgconf"];

/// A folder with them and with all that they need but the C library: the host's is used, and its loader.
fn libvirt_packages() -> Result<PathBuf> {
    const WHAT: &str = "libvirt from Debian";
    let cache = Cache::open()?;
    let closure = Apt::new(&cache)?.closure(&PACKAGES, &[], WHAT)?;
    let folder = key(&[closure.key().as_bytes(), include_bytes!("libvirt.rs")]);
    cache.entry(&format!("libvirt/{folder}"), |stage| {
        closure.unpack(stage, WHAT, |package| {
            !["libc6", "libc6-dev", "libc-bin", "libgcc-s1"].contains(&package.name())
        })
    })
}

/// Where the linker, the loader and pkg-config find them.
pub(super) fn environment() -> Result<Vec<(&'static str, OsString)>> {
    let root = libvirt_packages()?;
    let library = root.join("usr/lib/x86_64-linux-gnu");
    let libraries = [root.join("lib/x86_64-linux-gnu"), library.clone()];
    let libraries =
        std::env::join_paths(libraries).context("the cache's path has a colon in it")?;
    Ok(vec![
        ("LD_LIBRARY_PATH", libraries),
        ("PKG_CONFIG", root.join("usr/bin/pkgconf").into()),
        ("PKG_CONFIG_LIBDIR", library.join("pkgconfig").into()),
        ("PKG_CONFIG_SYSROOT_DIR", root.into()),
    ])
}
