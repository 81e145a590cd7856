//! Where Xen's own daemons are, and what is preloaded before their libraries.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

/// A folder into which Debian's packages of Xen were unpacked: the daemons, their libraries and the headers; and the library that stands in
/// for Xen, compiled.
#[derive(Debug)]
pub struct Packages {
    folder: PathBuf,
    shim: PathBuf,
}

const SHIM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/shim.c");

impl Packages {
    /// The variable of the environment that names the folder. `cargo xtask test unit` sets it.
    pub const VARIABLE: &str = "MORGANA_XEN_PACKAGES";

    /// The folder that the environment names, if it does.
    ///
    /// # Errors
    ///
    /// Those of the compiler.
    pub fn from_environment() -> io::Result<Option<Self>> {
        let folder = std::env::var_os(Self::VARIABLE);
        folder.map(|folder| Self::new(folder.into())).transpose()
    }

    fn new(folder: PathBuf) -> io::Result<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("xs-{}-{number}-shim.so", std::process::id());
        let shim = std::env::temp_dir().join(name);
        let built = Command::new("cc")
            .args(["-O2", "-Wall", "-Wextra", "-shared", "-fPIC", "-I"])
            .arg(folder.join("usr/include"))
            .arg("-o")
            .arg(&shim)
            .args([SHIM, "-ldl"])
            .output()?;
        if built.status.success() {
            Ok(Self { folder, shim })
        } else {
            let said = String::from_utf8_lossy(&built.stderr);
            Err(io::Error::other(format!("cc {SHIM}: {said}")))
        }
    }

    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.folder.join("usr/lib/xen-4.17/bin").join(name)
    }

    pub(crate) fn libraries(&self) -> PathBuf {
        self.folder.join("usr/lib/x86_64-linux-gnu")
    }

    pub(crate) fn shim(&self) -> &Path {
        &self.shim
    }
}

impl Drop for Packages {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.shim);
    }
}
