//! The queue of jobs as a domain, which dies without a word.

use std::time::Duration;

use anyhow::{Result, ensure};

use super::archives::ArchiveDisk;
use super::{Lab, XenTest};
use crate::build::Changes;
use crate::run::ADDRESS_WORDS;
use crate::testbed::Guest;

pub(super) const TESTS: &[XenTest] = &[XenTest {
    name: "queue/destroyed",
    run: destroyed,
}];

const SCRIPT: &str = include_str!("queue.py");
/// How long the script may take.
const PATIENCE: Duration = Duration::from_secs(120);
/// The queue fits on a disk of the testbed.
const WORDS: &str = "disk=xvda jobs=4096 bytes=1000000 keys=16";

const SERVING: &str = "serving the queue of xvda on port 80";

/// What was answered before `xl destroy`, in the midst of more jobs, is there after it: no job is lost, and none that was done comes back.
fn destroyed(lab: &Lab<'_>) -> Result<()> {
    lab.add_packages(&["python3-minimal".to_owned()])?;
    lab.put_bytes(SCRIPT.as_bytes(), "/queue.py", 0o644)?;
    let disk = ArchiveDisk::new(lab, 0)?.device();
    let changes = Changes {
        disks: Some(vec![format!(
            "vdev=xvda,format=raw,access=rw,target={disk}"
        )]),
        extra: format!("{ADDRESS_WORDS} {WORDS}"),
        ..Changes::default()
    };
    let guest = lab.guest_with("queue", &changes)?;
    begin(lab, &guest, SERVING)?;
    let name = guest.name();
    let told = lab.sh_within(
        &format!(
            "python3 /queue.py 10.0.2.50 produce >/queue.log 2>&1 & producer=$!\n\
             until grep -q enough /queue.log || ! kill -0 $producer; do sleep 0.2; done\n\
             sleep 0.5; xl destroy {name}; wait $producer; cat /queue.log"
        ),
        PATIENCE,
    )?;
    ensure!(told.contains("gone after "), "{told}");
    begin(lab, &guest, SERVING)?;
    let told = lab.sh_within("python3 /queue.py 10.0.2.50 check 2>&1", PATIENCE)?;
    ensure!(told.contains("all there: "), "{told}");
    // Something else on its disk is refused, and stays.
    guest.destroy(lab)?;
    lab.sh(&format!(
        "dd if=/dev/urandom of=/before bs=1M count=8 && dd if=/before of={disk} bs=1M conv=fsync"
    ))?;
    begin(
        lab,
        &guest,
        "xvda: the device has something other than a queue",
    )?;
    lab.sh(&format!("dd if={disk} bs=1M | cmp - /before"))
        .map(drop)
}

/// Creates the guest, and waits until it says this; what it said in an earlier life does not count.
fn begin(lab: &Lab<'_>, guest: &Guest, text: &str) -> Result<()> {
    let name = guest.name();
    lab.sh(&format!("rm -f /var/log/xen/console/guest-{name}.log"))?;
    guest.create(lab)?;
    lab.expect_line(guest, text).map(drop)
}
