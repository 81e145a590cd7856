//! `cargo xtask dom0`: a command in the dom0 of a fresh testbed.

use std::io;
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, bail};

use crate::cli::{Dom0, XenconsoledChoice, XenstoredChoice};
use crate::testbed::{Deadline, Testbed, Xenstored};

/// Runs the command and returns its status.
pub(crate) fn run(arguments: &Dom0) -> Result<i32> {
    let xenstored = match arguments.xenstored {
        XenstoredChoice::C => Xenstored::C,
        XenstoredChoice::Ocaml => Xenstored::Ocaml,
        XenstoredChoice::Ours | XenstoredChoice::Stubdom => {
            bail!(
                "this version has no xenstored of its own yet: use --xenstored c or --xenstored ocaml"
            )
        }
    };
    match arguments.xenconsoled {
        XenconsoledChoice::C => {}
        XenconsoledChoice::Ours | XenconsoledChoice::Stubdom => {
            bail!("this version has no xenconsoled of its own yet: use --xenconsoled c")
        }
    }
    let testbed = Testbed::start(xenstored)?;
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
