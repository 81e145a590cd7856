//! Apps as Linux processes in dom0, over /dev/xen.

use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};

use super::{Lab, XenTest};
use crate::build::Changes;
use crate::testbed::{Deadline, End, Guest};

pub(super) const TESTS: &[XenTest] = &[
    XenTest {
        name: "linux/hello",
        run: hello,
    },
    XenTest {
        name: "linux/no-device",
        run: no_device,
    },
    XenTest {
        name: "linux/subject",
        run: subject,
    },
    XenTest {
        name: "linux/peer",
        run: peer,
    },
    XenTest {
        name: "linux/both",
        run: both,
    },
];

/// How long the suite may take; see `conformance`.
const PATIENCE: Duration = Duration::from_secs(180);
/// Where the two meet.
const ROOT: &str = "/conformance";
/// The suite's program.
const PARTY: &str = "guest-conformance";

fn hello(lab: &Lab<'_>) -> Result<()> {
    let hello = lab.program("hello")?;
    let said = lab.sh(&format!("{hello} --xen seconds=0"))?;
    ensure!(said.contains("Hello") && said.contains("Goodbye"), "{said}");
    // Asked to end, it does so at once, and with success.
    for signal in ["INT", "TERM"] {
        let said = lab.sh(&format!(
            "{hello} --xen seconds=600 >/said & pid=$!; \
             until grep -q Hello /said; do sleep 0.05; done; kill -{signal} $pid; wait $pid && cat /said"
        ))?;
        ensure!(said.contains("asked to end"), "{said}");
    }
    let failed = lab.sh(&format!("! {hello} --xen seconds=soon"))?;
    ensure!(failed.contains("seconds=soon"), "{failed}");
    Ok(())
}

/// Without its module a device is not there, and the message says so.
fn no_device(lab: &Lab<'_>) -> Result<()> {
    let hello = lab.program("hello")?;
    let said = lab.sh(&format!("rmmod xen-gntalloc && ! {hello} --xen 2>&1"))?;
    ensure!(
        said.contains("/dev/xen/gntalloc") && said.contains("modprobe xen-gntalloc"),
        "{said}"
    );
    lab.sh(&format!("modprobe xen-gntalloc && {hello} --xen seconds=0"))
        .map(drop)
}

/// The conformance suite: a process is looked at, by a guest.
fn subject(lab: &Lab<'_>) -> Result<()> {
    process_and_guest(lab, "subject", "peer")
}

/// The conformance suite: a guest is looked at, by a process.
fn peer(lab: &Lab<'_>) -> Result<()> {
    process_and_guest(lab, "peer", "subject")
}

fn process_and_guest(lab: &Lab<'_>, process: &str, guest: &str) -> Result<()> {
    let program = lab.program(PARTY)?;
    open_root(lab)?;
    let changes = Changes {
        name: Some(guest.to_owned()),
        extra: words(guest),
        ..Changes::default()
    };
    let guest = lab.guest_with(PARTY, &changes)?;
    let (process, guest) = thread::scope(|scope| {
        let guest = scope.spawn(|| run_guest(lab, &guest));
        (run_process(lab, &program, process), guest.join())
    });
    let guest = guest.map_err(|_| anyhow!("the guest's thread panicked"))?;
    process
        .context("the process")
        .and(guest.context("the guest"))
}

/// The conformance suite: two processes of dom0.
fn both(lab: &Lab<'_>) -> Result<()> {
    let program = lab.program(PARTY)?;
    open_root(lab)?;
    let (subject, peer) = thread::scope(|scope| {
        let peer = scope.spawn(|| run_process(lab, &program, "peer"));
        (run_process(lab, &program, "subject"), peer.join())
    });
    let peer = peer.map_err(|_| anyhow!("the peer's thread panicked"))?;
    subject.context("the subject").and(peer.context("the peer"))
}

/// An id that no domain of these tests has. Xen lets one grant to, and listen for, whom there is not.
const STRANGER: u16 = 1_000;

/// Makes the node that both may write.
fn open_root(lab: &Lab<'_>) -> Result<()> {
    lab.sh(&format!(
        "xenstore-write {ROOT} '' && xenstore-chmod {ROOT} b0"
    ))
    .map(drop)
}

fn words(role: &str) -> String {
    format!("role={role} root={ROOT} stranger={STRANGER}")
}

fn run_process(lab: &Lab<'_>, program: &str, role: &str) -> Result<()> {
    let seconds = PATIENCE.as_secs();
    let script = format!("timeout {seconds} {program} --xen {}", words(role));
    let text = lab.sh_within(&script, PATIENCE + Duration::from_secs(10))?;
    ensure!(passed(&text), "it says:\n{text}");
    Ok(())
}

fn run_guest(lab: &Lab<'_>, guest: &Guest) -> Result<()> {
    let mut console = Vec::new();
    let end = guest.run(lab, Deadline::after(PATIENCE), &mut console);
    let text = String::from_utf8_lossy(&console).replace('\r', "");
    let end = end.with_context(|| format!("its console:\n{text}"))?;
    ensure!(
        passed(&text) && end == End::PowerOff,
        "it ends with {end:?}; its console:\n{text}"
    );
    Ok(())
}

fn passed(text: &str) -> bool {
    !text.contains("FAILURE") && text.contains("SUCCESS")
}
