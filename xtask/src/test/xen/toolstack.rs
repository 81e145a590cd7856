//! Our own toolstack in dom0: it makes domains by hypercalls, and Xen's tools understand them.

use std::time::Duration;

use anyhow::{Result, ensure};

use super::{Lab, XenTest, block, xenconsoled};
use crate::build::Changes;
use crate::run::ADDRESS_WORDS;

pub(super) const TESTS: &[XenTest] = &[
    XenTest {
        name: "toolstack/domains",
        run: domains,
    },
    XenTest {
        name: "toolstack/devices",
        run: devices,
    },
    XenTest {
        name: "toolstack/daemon",
        run: daemon,
    },
    XenTest {
        name: "toolstack/services",
        run: services,
    },
    XenTest {
        name: "toolstack/cycles",
        run: cycles,
    },
];

/// How long a script may take, on a slow machine with many at work.
const PATIENCE: Duration = Duration::from_secs(600);

/// What is done in dom0, and what both scripts share.
const DOMAINS: &str = include_str!("toolstack/domains.sh");
const DEVICES: &str = include_str!("toolstack/devices.sh");
const DAEMON: &str = include_str!("toolstack/daemon.sh");
const SERVICES: &str = include_str!("toolstack/services.sh");
const CYCLES: &str = include_str!("toolstack/cycles.sh");
const SHARED: &str = include_str!("toolstack/shared.sh");

fn domains(lab: &Lab<'_>) -> Result<()> {
    lab.guest_with("hello", &words("seconds=600"))?;
    xenconsoled::talker(lab, 0)?;
    run(lab, DOMAINS)
}

fn devices(lab: &Lab<'_>) -> Result<()> {
    lab.guest("website", ADDRESS_WORDS)?;
    disk(lab)?;
    run(lab, DEVICES)
}

fn services(lab: &Lab<'_>) -> Result<()> {
    lab.guest_with("hello", &words("seconds=600"))?;
    lab.guest("website", ADDRESS_WORDS)?;
    disk(lab)?;
    run(lab, SERVICES)
}

/// A guest that writes a disk and reads it.
fn disk(lab: &Lab<'_>) -> Result<()> {
    block::ram_disks(lab)?;
    let disks = vec![format!("{},raw,xvda,w", block::DEVICE)];
    let changes = Changes {
        disks: Some(disks),
        ..words("do=check")
    };
    lab.guest_with("guest-disk", &changes).map(drop)
}

fn daemon(lab: &Lab<'_>) -> Result<()> {
    lab.guest_with("hello", &words("seconds=600"))?;
    lab.guest("website", ADDRESS_WORDS)?;
    run(lab, DAEMON)
}

fn cycles(lab: &Lab<'_>) -> Result<()> {
    lab.guest_with("hello", &words("seconds=600"))?;
    lab.guest("website", ADDRESS_WORDS)?;
    run(lab, CYCLES)
}

fn words(extra: &str) -> Changes {
    Changes {
        extra: extra.to_owned(),
        ..Changes::default()
    }
}

fn run(lab: &Lab<'_>, script: &str) -> Result<()> {
    let program = lab.workshop().program_of("morgana-cli", "morgana")?;
    lab.put(&program, "/bin/morgana")?;
    lab.put_bytes(SHARED.as_bytes(), "/shared.sh", 0o755)?;
    lab.put_bytes(script.as_bytes(), "/toolstack.sh", 0o755)?;
    let seconds = PATIENCE.as_secs();
    // What is still running when the time is over must not keep the output open.
    let script = format!(
        "chmod 755 /bin/morgana; cd /guests; timeout {seconds} sh -x /toolstack.sh >/told 2>&1; cat /told"
    );
    let told = lab.sh_within(&script, PATIENCE + Duration::from_secs(30))?;
    let passed = told.lines().last() == Some("SUCCESS");
    ensure!(passed, "{told}");
    Ok(())
}
