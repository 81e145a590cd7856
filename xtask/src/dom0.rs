//! `cargo xtask dom0`: a command in the dom0 of a fresh testbed.

use std::io;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::build::{self, Image};
use crate::cli::{Dom0, XenconsoledChoice, XenstoredChoice};
use crate::testbed::{Deadline, Ours, Testbed, Xenstored};
use crate::workspace::Workspace;

/// The package of our own xenstored.
const XENSTORED: &str = "xenstored";

/// A testbed whose dom0 runs on the daemon of that choice.
pub(crate) fn start(xenstored: XenstoredChoice) -> Result<Testbed> {
    match xenstored {
        XenstoredChoice::C => Testbed::start(Xenstored::C),
        XenstoredChoice::Ocaml => Testbed::start(Xenstored::Ocaml),
        XenstoredChoice::Ours => {
            let program = build::program_for_linux(&Workspace::load()?, XENSTORED)?;
            Testbed::start_with_xenstored(Ours::Process, &program)
        }
        XenstoredChoice::Stubdom => {
            let workspace = Workspace::load()?;
            let images = Image::build(&workspace, &[workspace.app(XENSTORED)?])?;
            let image = images.first().context("xenstored has no image")?;
            Testbed::start_with_xenstored(Ours::StubDomain, &image.kernel)
        }
    }
}

/// Runs the command and returns its status.
pub(crate) fn run(arguments: &Dom0) -> Result<i32> {
    match arguments.xenconsoled {
        XenconsoledChoice::C => {}
        XenconsoledChoice::Ours | XenconsoledChoice::Stubdom => {
            bail!("this version has no xenconsoled of its own yet: use --xenconsoled c")
        }
    }
    let testbed = start(arguments.xenstored)?;
    testbed.add_packages(&arguments.deb)?;
    for &forward in &arguments.forward {
        testbed.forward(forward)?;
    }
    for (host, dom0) in &arguments.put {
        testbed.put(Path::new(host), dom0)?;
    }
    let deadline = Deadline::after(Duration::from_secs(arguments.timeout));
    let status = testbed.run(
        &arguments.command.join(" "),
        deadline,
        &mut io::stdout(),
        &mut io::stderr(),
    )?;
    for (dom0, host) in &arguments.get {
        testbed.get(dom0, Path::new(host))?;
    }
    Ok(status)
}
