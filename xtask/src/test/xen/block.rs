//! Disks: our front end and others' back ends, others' front ends and our back ends. Whatever moves is compared by checksum, on both sides.

use anyhow::{Context, Result, ensure};

use super::{Lab, XenTest};
use crate::build::Changes;
use crate::testbed::End;

pub(super) const TESTS: &[XenTest] = &[
    XenTest {
        name: "block/linux-back",
        run: linux_back,
    },
    XenTest {
        name: "block/read-only",
        run: read_only,
    },
];

/// What Linux's back end needs: which device it serves.
const SCRIPT: &str = include_str!("../../testbed/dom0/block");
/// A disk in dom0's memory.
const DEVICE: &str = "/dev/ram0";

/// Our front end, Linux's back end.
fn linux_back(lab: &Lab<'_>) -> Result<()> {
    ram_disks(lab)?;
    let disk = format!("vdev=xvda,format=raw,access=rw,target={DEVICE}");
    let disks = || Some(vec![disk.clone()]);
    let written = run(lab, "do=write seed=11", disks())?;
    let checksum = word_after(&written, "crc ")?;
    let theirs = lab.sh(&format!("crc32 {DEVICE}"))?;
    ensure!(
        theirs.starts_with(checksum),
        "the guest wrote {checksum}, dom0 has {theirs}"
    );
    let read = run(lab, "do=read", disks())?;
    ensure!(
        word_after(&read, "crc ")? == checksum,
        "the guest wrote {checksum}, and reads\n{read}"
    );
    // With as little memory and as small requests as there can be, and with more than there is by default.
    for words in [
        "pool=16 segments=11",
        "pool=1024 segments=256 queues=4 order=2",
    ] {
        let again = run(lab, &format!("do=read {words}"), disks())?;
        ensure!(word_after(&again, "crc ")? == checksum, "{words}:\n{again}");
    }
    run(lab, "do=check", disks()).map(drop)
}

/// A disk that may only be read, and that Linux says so of.
fn read_only(lab: &Lab<'_>) -> Result<()> {
    ram_disks(lab)?;
    let disk = format!("vdev=xvdb,format=raw,access=ro,target={DEVICE}");
    let told = run(lab, "do=refused disk=xvdb", Some(vec![disk]))?;
    let theirs = lab.sh(&format!("crc32 {DEVICE}"))?;
    ensure!(theirs.starts_with(word_after(&told, "crc ")?), "{told}");
    Ok(())
}

/// Makes disks in dom0's memory, and the script by which xl gives them to Linux's back end.
fn ram_disks(lab: &Lab<'_>) -> Result<()> {
    lab.put_bytes(SCRIPT.as_bytes(), "/etc/xen/scripts/block", 0o755)?;
    lab.sh("modprobe brd rd_nr=4 rd_size=8192").map(drop)
}

/// Runs guest-disk, which must succeed; returns the line in which it says so.
fn run(lab: &Lab<'_>, extra: &str, disks: Option<Vec<String>>) -> Result<String> {
    let changes = Changes {
        name: Some("disk".to_owned()),
        disks,
        extra: extra.to_owned(),
        ..Changes::default()
    };
    let (end, console) = lab.run_guest("guest-disk", &changes)?;
    let success = console.lines().find(|line| line.contains("SUCCESS"));
    ensure!(
        end == End::PowerOff,
        "with {extra} it ends with {end:?}; its console:\n{console}"
    );
    success
        .map(str::to_owned)
        .with_context(|| format!("with {extra} it does not succeed; its console:\n{console}"))
}

/// The word behind `key`.
fn word_after<'a>(text: &'a str, key: &str) -> Result<&'a str> {
    let (_, rest) = text
        .split_once(key)
        .with_context(|| format!("no {key:?} in {text}"))?;
    rest.split_whitespace()
        .next()
        .with_context(|| format!("nothing after {key:?} in {text}"))
}
