//! Network interfaces: every front end with every back end, and what comes and goes while they work.

mod back;
mod front;

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use self::back::Back;
use self::front::{ADDRESS, Front};
use super::{Lab, XenTest};

pub(super) const TESTS: &[XenTest] = &[
    XenTest {
        name: "net/linux-and-linux",
        run: |lab| cell(lab, Front::Linux, Back::Linux),
    },
    XenTest {
        name: "net/linux-and-driver-domain",
        run: |lab| cell(lab, Front::Linux, Back::DriverDomain),
    },
    XenTest {
        name: "net/linux-and-process",
        run: |lab| cell(lab, Front::Linux, Back::Process),
    },
    XenTest {
        name: "net/unikernel-and-linux",
        run: |lab| cell(lab, Front::Unikernel, Back::Linux),
    },
    XenTest {
        name: "net/unikernel-and-driver-domain",
        run: |lab| cell(lab, Front::Unikernel, Back::DriverDomain),
    },
    XenTest {
        name: "net/unikernel-and-process",
        run: |lab| cell(lab, Front::Unikernel, Back::Process),
    },
    XenTest {
        name: "net/process-and-linux",
        run: |lab| cell(lab, Front::Process, Back::Linux),
    },
    XenTest {
        name: "net/process-and-driver-domain",
        run: |lab| cell(lab, Front::Process, Back::DriverDomain),
    },
    XenTest {
        name: "net/process-and-process",
        run: |lab| cell(lab, Front::Process, Back::Process),
    },
    XenTest {
        name: "net/hotplug",
        run: hotplug,
    },
    XenTest {
        name: "net/driver-domain-restarts",
        run: driver_domain_restarts,
    },
];

/// How long the largest transfer may take: a busy machine emulates both ends.
const PATIENCE: Duration = Duration::from_secs(300);

/// One front end with one back end.
fn cell(lab: &Lab<'_>, front: Front, back: Back) -> Result<()> {
    back.start(lab).context("the back end does not start")?;
    front.start(lab, back.vif())?;
    let moved = transfer(lab, 2_000_000);
    moved.map_err(|error| {
        let log = lab.sh(back.log()).unwrap_or_default();
        error.context(format!("the back end said:\n{log}"))
    })
}

/// Sends random bytes to the front end's echo, and compares what comes back.
fn transfer(lab: &Lab<'_>, bytes: u32) -> Result<()> {
    let script = format!(
        "head -c {bytes} /dev/urandom >/tmp/body\n\
         tries=0; until curl -s --max-time 3 -o /dev/null http://{ADDRESS}/; do tries=$((tries+1)); [ $tries -lt 30 ] || exit 1; sleep 1; done\n\
         curl -sf --max-time 200 -H Expect: -H 'Content-Type: application/octet-stream' --data-binary @/tmp/body \
         http://{ADDRESS}/cgi-bin/echo >/tmp/back || exit 2\n\
         md5sum </tmp/body; md5sum </tmp/back"
    );
    let told = lab.sh_within(&script, PATIENCE)?;
    let sums: Vec<&str> = told
        .split_whitespace()
        .filter(|word| word.len() == 32)
        .collect();
    ensure!(
        sums.len() == 2 && sums[0] == sums[1],
        "what came back is not what was sent:\n{told}"
    );
    Ok(())
}

/// An interface is taken away and given again while the guest runs.
fn hotplug(lab: &Lab<'_>) -> Result<()> {
    let (front, back) = (Front::Unikernel, Back::DriverDomain);
    back.start(lab)?;
    front.start(lab, back.vif())?;
    for _ in 0..2 {
        transfer(lab, 100_000)?;
        lab.sh(&format!("timeout 60 xl network-detach {} 0", front::NAME))?;
        attach(lab, back)?;
    }
    transfer(lab, 100_000)?;
    lab.sh_within(&format!("timeout 60 xl destroy {}", front::NAME), PATIENCE)?;
    let left = lab.sh("xenstore-ls -f /local/domain/$(xl domid netback)/backend/vif | grep -c frontend-id || true")?;
    ensure!(left.trim() == "0", "{left} directories are left");
    Ok(())
}

/// The driver domain is destroyed and made anew; the guest goes on with its new interface.
fn driver_domain_restarts(lab: &Lab<'_>) -> Result<()> {
    let (front, back) = (Front::Unikernel, Back::DriverDomain);
    back.start(lab)?;
    front.start(lab, back.vif())?;
    transfer(lab, 100_000)?;
    for _ in 0..2 {
        lab.sh("timeout 60 xl destroy netback; rm /var/log/xen/console/guest-netback.log; kill -HUP $(pidof xenconsoled)")?;
        back.start(lab)?;
        lab.sh(&format!("timeout 60 xl network-detach {} 0", front::NAME))?;
        attach(lab, back)?;
        transfer(lab, 100_000)?;
    }
    Ok(())
}

fn attach(lab: &Lab<'_>, back: Back) -> Result<()> {
    let (name, mac) = (front::NAME, front::MAC);
    lab.sh(&format!(
        "timeout 60 xl network-attach {name} {} mac={mac}",
        back.vif()
    ))
    .map(drop)
}
