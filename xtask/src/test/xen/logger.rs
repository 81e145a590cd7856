//! The logger: a domain with a disk, guests that log, and `morgana log` in dom0.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::{Lab, XenTest};
use crate::build::Changes;
use crate::testbed::Guest;

pub(super) const TESTS: &[XenTest] = &[
    XenTest {
        name: "logger/domain",
        run: domain,
    },
    XenTest {
        name: "logger/process",
        run: process,
    },
];

const APP: &str = "logger";
const GUEST: &str = "guest-logs";
/// How long something may take on a slow machine with many at work.
const PATIENCE: Duration = Duration::from_secs(120);

/// Copies `morgana` to dom0.
fn install(lab: &Lab<'_>) -> Result<()> {
    let program = lab.workshop().program_of("morgana-cli", "morgana")?;
    lab.put(&program, "/bin/morgana")?;
    lab.sh("chmod 755 /bin/morgana").map(drop)
}

/// A guest that logs with this word.
fn guest(lab: &Lab<'_>, word: &str) -> Result<Guest> {
    let changes = Changes {
        name: Some(word.to_owned()),
        extra: format!("word={word} count=20"),
        ..Changes::default()
    };
    let guest = lab.guest_with(GUEST, &changes)?;
    guest.create(lab)?;
    Ok(guest)
}

/// What `morgana log` prints.
fn log(lab: &Lab<'_>, arguments: &str) -> Result<Vec<String>> {
    let told = lab.sh_within(&format!("morgana log {arguments}"), PATIENCE)?;
    Ok(told.lines().map(str::to_owned).collect())
}

/// Two guests log and find their own records; dom0 finds them by domain, level, time and text.
fn guests_are_found(lab: &Lab<'_>) -> Result<()> {
    let guests = [guest(lab, "alpha")?, guest(lab, "beta")?];
    for guest in &guests {
        lab.expect_line(guest, "all of it is in the log")?;
    }
    let id = lab.sh("xl domid alpha")?;
    let alpha = log(lab, &format!("--domain {} --grep says", id.trim()))?;
    ensure!(alpha.len() == 20, "{alpha:?}");
    for (number, line) in alpha.iter().enumerate() {
        let end = format!("alpha says {number} number={number}");
        ensure!(line.ends_with(&end), "{line}");
    }
    let warnings = log(lab, "--level warn --target guest_logs")?;
    ensure!(warnings.len() == 2, "{warnings:?}");
    let recent = log(lab, "--since 1h --target guest_logs --json")?;
    ensure!(recent.len() == 44, "{recent:?}");
    let old = log(lab, "--until 1h")?;
    ensure!(old.is_empty(), "{old:?}");
    for guest in &guests {
        guest.destroy(lab)?;
    }
    Ok(())
}

/// As a domain of its own, that is destroyed and made again.
fn domain(lab: &Lab<'_>) -> Result<()> {
    install(lab)?;
    super::block::ram_disks(lab)?;
    let device = super::block::DEVICE;
    let changes = Changes {
        disks: Some(vec![format!(
            "vdev=xvda,format=raw,access=rw,target={device}"
        )]),
        ..Changes::default()
    };
    let logger = lab.guest_with(APP, &changes)?;
    let begin = || {
        logger.create(lab)?;
        lab.sh("morgana logger logger").map(drop)
    };
    begin()?;
    guests_are_found(lab).with_context(|| logger.console(lab).unwrap_or_default())?;
    let before = log(lab, "")?;
    logger.destroy(lab)?;
    begin()?;
    let after = log(lab, "")?;
    ensure!(
        before.len() > 40 && after.starts_with(&before),
        "before:\n{before:#?}\nafter:\n{after:#?}"
    );
    let left = lab.sh("xenstore-ls /local/domain/0/data/log 2>/dev/null || true")?;
    ensure!(!left.contains("read-"), "{left}");
    logger.destroy(lab)
}

/// As a program in dom0, with a file.
fn process(lab: &Lab<'_>) -> Result<()> {
    install(lab)?;
    let program = lab.program(APP)?;
    lab.start_program(&program, "--xen disk=/log size=4", "serves as the machine")?;
    guests_are_found(lab).with_context(|| lab.sh(&format!("cat {program}.log")).unwrap_or_default())
}
