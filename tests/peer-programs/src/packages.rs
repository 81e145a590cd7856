//! Where the programs are.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A folder into which Debian's packages were unpacked, with all libraries that they need.
#[derive(Clone, Debug)]
pub struct Packages {
    folder: PathBuf,
}

impl Packages {
    /// The folder that a variable of the environment names, if it does. `cargo xtask test unit` sets them.
    pub fn from_environment(variable: &str) -> Option<Self> {
        let folder = std::env::var_os(variable)?.into();
        Some(Self { folder })
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A command that runs a program of the packages, by its path from the root, with their own C library.
    pub fn command(&self, program: &str) -> Command {
        let loader = "lib/x86_64-linux-gnu/ld-linux-x86-64.so.2";
        let mut command = Command::new(self.folder.join(loader));
        let libraries = ["lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu"];
        let libraries = libraries.map(|path| self.folder.join(path).display().to_string());
        command.arg("--library-path").arg(libraries.join(":"));
        command.arg(self.folder.join(program));
        command
    }
}
