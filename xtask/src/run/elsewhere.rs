//! Apps with another provider, by the program that has it.

use std::os::unix::process::CommandExt;
use std::process::Command;

use anyhow::{Context, Error, Result, bail};

use crate::build::Image;
use crate::cli::Run;
use crate::machines::Foreign;
use crate::workspace::{App, Workspace};

/// Builds the app and the program, and becomes the latter, which ends the machine at Ctrl-C.
pub(super) fn run(
    workspace: &Workspace,
    app: &App,
    arguments: &Run,
    foreign: Foreign,
    at: &str,
) -> Result<i32> {
    let unknown = [
        (!arguments.forward.is_empty(), "--forward"),
        (!arguments.disk.is_empty(), "--disk"),
        (arguments.pcap.is_some(), "--pcap"),
    ];
    if let Some((_, option)) = unknown.iter().find(|(asked, _)| *asked) {
        bail!("{option} is for xen and linux: the network and the disks of {at} are its own");
    }
    match (foreign, &arguments.image) {
        (Foreign::Libvirt, Some(_)) => bail!("--image is for EC2"),
        (Foreign::Ec2, None) => bail!("EC2 wants the AMI that is to run: --image ID"),
        _ => {}
    }
    Image::build(workspace, &[app])?;
    let program = foreign.program(workspace)?;
    let mut command = Command::new(&program);
    command
        .envs(foreign.environment()?)
        // The configuration names the image so.
        .current_dir(workspace.images())
        .args(["--at", at, "run"])
        .arg(format!("{}.cfg", app.name))
        .args(["--extra", &arguments.words.join(" ")])
        .args(arguments.image.iter().flat_map(|id| ["--image", id]));
    let error = command.exec();
    Err(Error::new(error)).with_context(|| format!("cannot start {}", program.display()))
}
