//! The program `morgana-machines` with the providers that want more than this workspace has.

mod libvirt;
mod moto;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::build::executable;
use crate::check::packages::MACHINES;
use crate::workspace::{Workspace, cargo};

pub(crate) use moto::Moto;

/// What it is called.
const PROGRAM: &str = "morgana-machines";

/// A provider that is behind a feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Foreign {
    /// A host of libvirt.
    Libvirt,
    /// EC2.
    Ec2,
}

impl Foreign {
    fn feature(self) -> &'static str {
        match self {
            Foreign::Libvirt => "libvirt",
            Foreign::Ec2 => "ec2",
        }
    }

    /// What the environment must say, when the program is built and when it runs.
    pub(crate) fn environment(self) -> Result<Vec<(&'static str, OsString)>> {
        match self {
            Foreign::Libvirt => libvirt::environment(),
            Foreign::Ec2 => Ok(Vec::new()),
        }
    }

    /// A command of cargo's for the program with this provider, with what its environment must say.
    pub(crate) fn cargo(self, workspace: &Workspace, verb: &str) -> Result<Command> {
        let mut command = for_machines(workspace, verb, self.feature());
        command
            .args(["--features", self.feature()])
            .envs(self.environment()?);
        Ok(command)
    }

    /// The program, built.
    pub(crate) fn program(self, workspace: &Workspace) -> Result<PathBuf> {
        if self == Foreign::Ec2 {
            eprintln!("building EC2's crate takes minutes, and 7 GB of memory, the first time");
        }
        executable(&mut self.cargo(workspace, "build")?, PROGRAM)
    }
}

/// The program with the provider for Xen alone, built.
pub(crate) fn program_for_xen(workspace: &Workspace) -> Result<PathBuf> {
    let mut command = for_machines(workspace, "build", "none");
    executable(&mut command, PROGRAM)
}

/// A command of cargo's for the program, which builds in a folder of this name. A lock file that is not up to date is an error, and not mended in passing.
pub(crate) fn for_machines(workspace: &Workspace, verb: &str, folder: &str) -> Command {
    let mut command = cargo();
    command
        .current_dir(&workspace.root)
        .args([verb, "--locked", "--manifest-path", MACHINES])
        .arg("--target-dir")
        .arg(workspace.machines(folder));
    command
}
