//! Providers in dom0: our own daemon, and Debian's libvirt with its driver for Xen.

use std::time::Duration;

use anyhow::{Result, ensure};

use super::{Lab, XenTest};
use crate::machines::{Foreign, program_for_xen};

/// Run only if it is named: what it takes is built and fetched for it alone.
pub(super) const TESTS: &[XenTest] = &[XenTest {
    name: "libvirt",
    run: libvirt,
}];

/// How long the script may take, on a slow machine with many at work.
const PATIENCE: Duration = Duration::from_secs(600);

/// What is done in dom0.
const SCRIPT: &str = include_str!("libvirt.sh");

/// The daemon, and its driver for Xen, which loads it.
const PACKAGES: [&str; 2] = ["libvirt-daemon", "libvirt-daemon-driver-xen"];

fn libvirt(lab: &Lab<'_>) -> Result<()> {
    let workspace = lab.workshop().workspace();
    let program = Foreign::Libvirt.program(workspace)?;
    let plain = program_for_xen(workspace)?;
    let daemon = lab.workshop().program_of("morgana-cli", "morgana")?;
    lab.add_packages(&PACKAGES.map(str::to_owned))?;
    lab.guest("hello", "")?;
    lab.put(&program, "/bin/morgana-machines")?;
    // Without libvirt's libraries, of which there are many, it starts in a fraction of the time.
    lab.put(&plain, "/bin/morgana-machines-xen")?;
    lab.put(&daemon, "/bin/morgana")?;
    lab.put_bytes(SCRIPT.as_bytes(), "/libvirt.sh", 0o755)?;
    let seconds = PATIENCE.as_secs();
    // What is still running when the time is over must not keep the output open.
    let script = format!("ldconfig; timeout {seconds} sh /libvirt.sh >/told 2>&1; cat /told");
    let told = lab.sh_within(&script, PATIENCE + Duration::from_secs(30))?;
    ensure!(told.lines().last() == Some("SUCCESS"), "{told}");
    Ok(())
}
