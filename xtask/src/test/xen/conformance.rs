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

/// The subject and the peer as PV guests: with less memory than there are grant references, and with more.
fn guests(lab: &Lab<'_>) -> Result<()> {
    for memory in [32, 160] {
        both(lab, memory).with_context(|| format!("with {memory} MiB each"))?;
    }
    Ok(())
}

fn both(lab: &Lab<'_>, memory: u32) -> Result<()> {
    let root = format!("/conformance-{memory}");
    open_root(lab, &root)?;
    let subject = guest(lab, "subject", memory, &root)?;
    let peer = guest(lab, "peer", memory, &root)?;
    let (subject, peer) = thread::scope(|scope| {
        let peer = scope.spawn(|| run(lab, &peer));
        let subject = run(lab, &subject);
        (subject, peer.join())
    });
    let peer = peer.map_err(|_| anyhow::anyhow!("the thread of the peer panicked"))?;
    subject.context("the subject").and(peer.context("the peer"))
}

/// Makes the node that both may write.
fn open_root(lab: &Lab<'_>, root: &str) -> Result<()> {
    lab.sh(&format!(
        "xenstore-write {root} '' && xenstore-chmod {root} b0"
    ))
    .map(drop)
}

fn guest(lab: &Lab<'_>, role: &str, memory: u32, root: &str) -> Result<Guest> {
    let changes = Changes {
        name: Some(format!("{role}-{memory}")),
        memory: Some(memory),
        extra: format!("role={role} root={root}"),
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
