//! The testbed itself: commands, files, the clock, the network.

use std::fs;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, ensure};

use super::{Lab, XenTest};
use crate::testbed::Deadline;

pub(super) const TESTS: &[XenTest] = &[
    XenTest {
        name: "testbed/commands",
        run: commands,
    },
    XenTest {
        name: "testbed/files",
        run: files,
    },
    XenTest {
        name: "testbed/clock",
        run: clock,
    },
    XenTest {
        name: "testbed/network",
        run: network,
    },
];

fn commands(lab: &Lab<'_>) -> Result<()> {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let soon = Deadline::after(Duration::from_secs(30));
    let status = lab.run(
        "echo to stdout; echo to stderr >&2; exit 7",
        soon,
        &mut out,
        &mut err,
    )?;
    ensure!(status == 7, "the status is {status}");
    ensure!(
        out == b"to stdout\n" && err == b"to stderr\n",
        "out {out:?}, err {err:?}"
    );
    let domains = lab.sh("xl list")?;
    ensure!(domains.contains("Domain-0"), "xl list says {domains}");
    let late = lab.run(
        "sleep 30",
        Deadline::after(Duration::from_secs(1)),
        &mut out,
        &mut err,
    );
    ensure!(late.is_err(), "a command that takes too long goes on");
    Ok(())
}

fn files(lab: &Lab<'_>) -> Result<()> {
    let folder = std::env::temp_dir().join(format!("morgana-test-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    // Every byte, and more than one buffer of anything on the way.
    let bytes: Vec<u8> = (0..3_000_001_u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    let result = (|| {
        fs::write(folder.join("out"), &bytes)?;
        lab.put(&folder.join("out"), "/a folder/it's here")?;
        lab.get("/a folder/it's here", &folder.join("back"))?;
        ensure!(
            fs::read(folder.join("back"))? == bytes,
            "a file comes back changed"
        );
        ensure!(
            lab.get("/nowhere", &folder.join("none")).is_err(),
            "a file that is not there comes back"
        );
        ensure!(
            !folder.join("none").exists() && !folder.join("none.part").exists(),
            "a failed copy leaves a file"
        );
        Ok(())
    })();
    fs::remove_dir_all(&folder)?;
    result
}

fn clock(lab: &Lab<'_>) -> Result<()> {
    let theirs: u64 = lab
        .sh("date +%s")?
        .trim()
        .parse()
        .context("date says no number")?;
    let ours = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)?
        .as_secs();
    ensure!(
        ours.abs_diff(theirs) <= 5,
        "dom0 has {theirs}, the host {ours}"
    );
    Ok(())
}

fn network(lab: &Lab<'_>) -> Result<()> {
    let bridge = lab.sh("ip -4 -o address show dev xenbr0")?;
    ensure!(bridge.contains("10.0.2.15/24"), "the bridge has {bridge}");
    let members = lab.sh("ls /sys/class/net/xenbr0/brif")?;
    ensure!(members.contains("eth0"), "in the bridge are {members}");
    lab.sh("ping -c 1 -W 5 10.0.2.2").map(drop)
}
