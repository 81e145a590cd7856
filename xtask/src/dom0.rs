//! `cargo xtask dom0`: a command in the dom0 of a fresh testbed.

use std::io;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use crate::build::{Make, Workshop};
use crate::cli::{Dom0, XenconsoledChoice, XenstoredChoice};
use crate::testbed::{Deadline, Ours, Testbed, Xenstored};
use crate::workspace::Workspace;

/// The package of our own xenstored.
const XENSTORED: &str = "xenstored";

/// The package of our own xenconsoled.
const XENCONSOLED: &str = "xenconsoled";
/// Where it is in dom0.
const OUR_XENCONSOLED: &str = "/usr/local/bin/xenconsoled";
/// Where Xen's own is.
const XENS_XENCONSOLED: &str = "/usr/lib/xen-4.17/bin/xenconsoled";
/// Where the process id of dom0's xenconsoled is.
pub(crate) const XENCONSOLED_ID: &str = "/run/xen/xenconsoled.pid";

/// A testbed whose dom0 runs on the daemon of that choice.
pub(crate) fn start(workshop: &Workshop<'_>, xenstored: XenstoredChoice) -> Result<Testbed> {
    match xenstored {
        XenstoredChoice::C => Testbed::start(Xenstored::C),
        XenstoredChoice::Ocaml => Testbed::start(Xenstored::Ocaml),
        XenstoredChoice::Ours => {
            let program = workshop.program(XENSTORED)?;
            Testbed::start_with_xenstored(Ours::Process, &program)
        }
        XenstoredChoice::Stubdom => {
            let image = workshop.image(XENSTORED)?;
            Testbed::start_with_xenstored(Ours::StubDomain, &image.kernel)
        }
    }
}

/// Replaces the daemon that serves consoles, which can be done at any time. A stub-domain serves guests that are made from then on.
pub(crate) fn change_xenconsoled(
    workshop: &Workshop<'_>,
    testbed: &Testbed,
    choice: XenconsoledChoice,
) -> Result<()> {
    let program = match choice {
        XenconsoledChoice::C => XENS_XENCONSOLED.to_owned(),
        XenconsoledChoice::Ours => put_xenconsoled(workshop, testbed)?.to_owned(),
        XenconsoledChoice::Stubdom => {
            start_stub_domain(workshop, testbed)?;
            format!(
                "{} --for {XENCONSOLED}",
                put_xenconsoled(workshop, testbed)?
            )
        }
    };
    testbed.sh(&format!(
        "id=$(cat {XENCONSOLED_ID}) && kill $id && while [ -d /proc/$id ]; do sleep 0.1; done; \
         timeout 60 {program} --pid-file={XENCONSOLED_ID} --log=all --log-dir=/var/log/xen/console"
    ))?;
    Ok(())
}

/// Builds our xenconsoled for Linux and copies it to dom0; returns its path there.
fn put_xenconsoled(workshop: &Workshop<'_>, testbed: &Testbed) -> Result<&'static str> {
    testbed.put(&workshop.program(XENCONSOLED)?, OUR_XENCONSOLED)?;
    Ok(OUR_XENCONSOLED)
}

/// Builds our xenconsoled as a stub-domain and creates it.
fn start_stub_domain(workshop: &Workshop<'_>, testbed: &Testbed) -> Result<()> {
    let image = workshop.image(XENCONSOLED)?;
    testbed.put(&image.kernel, "/usr/local/lib/xenconsoled.xen")?;
    let config = image.kernel.with_extension("cfg");
    testbed.put(&config, "/usr/local/lib/xenconsoled.cfg")?;
    testbed
        .sh("cd /usr/local/lib && xl create -q xenconsoled.cfg")
        .map(drop)
}

/// Runs the command and returns its status.
pub(crate) fn run(arguments: &Dom0) -> Result<i32> {
    let workspace = Workspace::load()?;
    let workshop = Workshop::new(&workspace, Make::Shipped);
    let testbed = start(&workshop, arguments.xenstored)?;
    // Xen's own runs already.
    if arguments.xenconsoled != XenconsoledChoice::C {
        change_xenconsoled(&workshop, &testbed, arguments.xenconsoled)?;
    }
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
