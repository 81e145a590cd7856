//! The program `morgana-machines` with the providers that want more than this workspace has.

mod libvirt;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::build::executable;
use crate::check::packages::MACHINES;
use crate::workspace::{Workspace, cargo};

/// A provider that is behind a feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Foreign {
    /// A host of libvirt.
    Libvirt,
}

impl Foreign {
    fn feature(self) -> &'static str {
        match self {
            Foreign::Libvirt => "libvirt",
        }
    }

    /// What the environment must say, when the program is built and when it runs.
    pub(crate) fn environment(self) -> Result<Vec<(&'static str, OsString)>> {
        match self {
            Foreign::Libvirt => libvirt::environment(),
        }
    }

    /// A command of cargo's for the program with this provider, with what its environment must say.
    pub(crate) fn cargo(self, workspace: &Workspace, verb: &str) -> Result<Command> {
        let mut command = cargo();
        command
            .current_dir(&workspace.root)
            .args([verb, "--manifest-path", MACHINES, "--target-dir"])
            .arg(workspace.machines(self.feature()))
            .args(["--features", self.feature()])
            .envs(self.environment()?);
        Ok(command)
    }

    /// The program, built.
    pub(crate) fn program(self, workspace: &Workspace) -> Result<PathBuf> {
        executable(&mut self.cargo(workspace, "build")?, "morgana-machines")
    }
}
