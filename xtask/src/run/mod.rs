//! `cargo xtask run`: apps, built and running.

mod answers;
mod autoscale;
mod disks;
mod elsewhere;
mod lines;
mod linux;
mod plan;
mod ports;
mod site;
mod tar;
mod tell;
mod xen;

use anyhow::Result;

use self::plan::{Announce, Plan};
use crate::cli::{On, Run, Target};
use crate::workspace::Workspace;

pub(crate) use site::{DNS_ADDRESS as SITE_DNS_ADDRESS, disks as site_disks};
pub(crate) use xen::{ADDRESS, ADDRESS_WORDS};

/// Runs the app; returns the status to exit with.
pub(crate) fn run(arguments: &Run) -> Result<i32> {
    let workspace = Workspace::load()?;
    if arguments.app == site::NAME {
        return site::run(&workspace, arguments);
    }
    if arguments.app == autoscale::NAME {
        return autoscale::run(&workspace, arguments);
    }
    if arguments.domain.is_some() {
        anyhow::bail!("--domain is for `cargo xtask run {}`", site::NAME);
    }
    let app = workspace.app(&arguments.app)?;
    if arguments.pcap.is_some() && !app.domain.vif {
        anyhow::bail!(
            "{} has no network interface: nothing can be recorded",
            app.name
        );
    }
    let here = match &arguments.on {
        On::Here(_) if arguments.image.is_some() => anyhow::bail!("--image is for EC2"),
        On::Here(target) => target,
        On::Elsewhere(foreign, at) => {
            return elsewhere::run(&workspace, app, arguments, *foreign, at);
        }
    };
    let scratch = workspace.target.join("disks").join(&app.name);
    let plan = Plan {
        app,
        address: ADDRESS,
        forwards: ports::choose(&arguments.forward, app)?,
        disks: disks::choose(&arguments.disk, &scratch)?,
        pcap: arguments.pcap.clone(),
        words: arguments.words.join(" "),
    };
    match here {
        Target::Xen => xen::run(&workspace, &[plan], &Announce::Each),
        Target::Linux => linux::run(&workspace, &plan),
    }
}
