//! The conformance suite on real Xen. Both domains run the same program, each in its role.

use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::{Lab, XenTest};
use crate::build::Changes;
use crate::testbed::{Deadline, End, Guest};

pub(super) const TESTS: &[XenTest] = &[XenTest {
    name: "conformance/guests",
    run: guests,
}];

/// How long the suite may take. It takes a few seconds; the two give each other a minute for each word.
const PATIENCE: Duration = Duration::from_secs(180);
/// Where the two meet.
const ROOT: &str = "/conformance";

/// The subject and the peer as PV guests.
fn guests(lab: &Lab<'_>) -> Result<()> {
    open_root(lab)?;
    let subject = guest(lab, "subject")?;
    let peer = guest(lab, "peer")?;
    let (subject, peer) = thread::scope(|scope| {
        let peer = scope.spawn(|| run(lab, &peer));
        let subject = run(lab, &subject);
        (subject, peer.join())
    });
    let peer = peer.map_err(|_| anyhow::anyhow!("the thread of the peer panicked"))?;
    subject.context("the subject").and(peer.context("the peer"))
}

/// Makes the node that both may write.
fn open_root(lab: &Lab<'_>) -> Result<()> {
    lab.sh(&format!(
        "xenstore-write {ROOT} '' && xenstore-chmod {ROOT} b0"
    ))
    .map(drop)
}

fn guest(lab: &Lab<'_>, role: &str) -> Result<Guest> {
    let changes = Changes {
        name: Some(role.to_owned()),
        extra: format!("role={role} root={ROOT}"),
        ..Changes::default()
    };
    lab.guest_with("guest-conformance", &changes)
}

/// Runs a guest until it ends, and reads its verdict.
fn run(lab: &Lab<'_>, guest: &Guest) -> Result<()> {
    let mut console = Vec::new();
    let end = guest.run(lab, Deadline::after(PATIENCE), &mut console);
    let text = String::from_utf8_lossy(&console).replace('\r', "");
    let end = end.with_context(|| format!("its console:\n{text}"))?;
    let passed = !text.contains("FAILURE") && text.contains("SUCCESS") && end == End::PowerOff;
    ensure!(passed, "it ends with {end:?}; its console:\n{text}");
    Ok(())
}
