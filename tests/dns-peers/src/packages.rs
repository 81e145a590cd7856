//! Where the programs of the peers are.

use std::path::PathBuf;
use std::process::Command;

/// A folder into which Debian's packages of NSD, Knot and ldns were unpacked, with all libraries that they need.
#[derive(Clone, Debug)]
pub struct Packages {
    folder: PathBuf,
}

impl Packages {
    /// The variable of the environment that names the folder. `cargo xtask test unit` sets it.
    pub const VARIABLE: &str = "MORGANA_DNS_PACKAGES";

    /// The folder that the environment names, if it does.
    pub fn from_environment() -> Option<Self> {
        let folder = std::env::var_os(Self::VARIABLE)?;
        Some(Self {
            folder: folder.into(),
        })
    }

    /// A command that runs a program of the packages, with their own C library: the machine may have another one.
    pub(crate) fn command(&self, program: &str) -> Command {
        let loader = "lib/x86_64-linux-gnu/ld-linux-x86-64.so.2";
        let mut command = Command::new(self.folder.join(loader));
        let libraries = ["lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu"];
        let libraries = libraries.map(|path| self.folder.join(path).display().to_string());
        command.arg("--library-path").arg(libraries.join(":"));
        command.arg(self.folder.join(program));
        command
    }
}
