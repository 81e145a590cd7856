//! Programs in C, of Xen's own libraries, beside which ours are run.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::process;
use crate::testbed::{xen_headers, xen_libraries};
use crate::workspace::Workspace;

/// Builds the end of a vchan that libxenvchan makes; returns it. It needs no library of the machine that it runs on.
pub(crate) fn vchan_peer(workspace: &Workspace) -> Result<PathBuf> {
    const LIBRARIES: [&str; 7] = [
        "-lxenvchan",
        "-lxengnttab",
        "-lxenevtchn",
        "-lxenstore",
        "-lxencall",
        "-lxentoolcore",
        "-lxentoollog",
    ];
    let folder = workspace.programs();
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let program = folder.join("vchan-peer");
    let mut command = Command::new("cc");
    command
        .args(["-static", "-O2", "-Wall", "-Wextra", "-o"])
        .arg(&program)
        .arg(workspace.root.join("tests/guests/vchan/src/peer.c"))
        .args(LIBRARIES);
    if let Some(folder) = xen_headers()? {
        command.env("CPATH", folder);
    }
    if let Some(folder) = xen_libraries()? {
        command.env("LIBRARY_PATH", folder);
    }
    process::quietly(&mut command)?;
    Ok(program)
}
