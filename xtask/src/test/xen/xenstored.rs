//! A dom0 that has booted on our own xenstored: guests and devices come and go, as with Xen's.

use std::time::Duration;

use anyhow::{Result, ensure};

use super::crowd::crowd;
use super::{Lab, XenTest};
use crate::run::ADDRESS_WORDS;

/// On the daemon in dom0.
pub(super) const TESTS: &[XenTest] = &[
    XenTest {
        name: "xenstored/tools",
        run: tools,
    },
    XenTest {
        name: "xenstored/toolstack",
        run: toolstack,
    },
    XenTest {
        name: "xenstored/update",
        run: update,
    },
    XenTest {
        name: "xenstored/recovery",
        run: recovery,
    },
];

/// In a dom0 that has booted on Xen's C daemon.
pub(super) const FROM_C_TESTS: &[XenTest] = &[XenTest {
    name: "xenstored/update-from-c",
    run: update_from_c,
}];

/// On the stub-domain.
pub(super) const STUB_DOMAIN_TESTS: &[XenTest] = &[
    XenTest {
        name: "stubdom/tools",
        run: tools_of_stub_domain,
    },
    XenTest {
        name: "stubdom/toolstack",
        run: toolstack_of_stub_domain,
    },
    XenTest {
        name: "stubdom/crowd",
        run: crowd,
    },
];

/// Rounds of each row of Xen's test-xenstore.
const ROUNDS: u32 = 5;

/// By which xl gives disks to Linux's back end.
const SCRIPT: &str = include_str!("../../testbed/dom0/block");

/// Xen's own test of a xenstored.
fn rows(lab: &Lab<'_>) -> Result<()> {
    let test = format!("/usr/lib/xen-4.17/bin/test-xenstore -i {ROUNDS}");
    let rows = lab.sh(&test)?;
    ensure!(
        rows.lines().filter(|line| line.contains("avg:")).count() == 12,
        "{rows}"
    );
    Ok(())
}

/// That, and the commands that its tool knows.
fn tools(lab: &Lab<'_>) -> Result<()> {
    rows(lab)?;
    let script = "xenstore-control help && xenstore-control logfile /tmp/xs.log && xenstore-control log +io && \
         xenstore-read /local/domain/0/name && xenstore-control log -io && xenstore-control print 'a line' && \
         xenstore-control memreport /tmp/xs.memory && cat /tmp/xs.memory && xenstore-control quota 0 && \
         xenstore-control quota set nodes 500 && xenstore-control quota && xenstore-control check && cat /tmp/xs.log";
    let said = lab.sh(script)?;
    for part in [
        "quota           [set",
        "bytes of nodes   :",
        "watches          :",
        "nodes            :      500",
        "Read (/local/domain/0/name ",
        "INFO control: a line",
    ] {
        ensure!(said.contains(part), "no {part:?} in:\n{said}");
    }
    Ok(())
}

fn toolstack(lab: &Lab<'_>) -> Result<()> {
    let serving = lab.sh("readlink /proc/$(cat /run/xen/xenstored.pid)/exe; xl list")?;
    ensure!(
        serving.contains("/usr/local/bin/xenstored") && serving.contains("Domain-0"),
        "{serving}"
    );
    guests(lab)
}

/// The daemon is replaced by itself while a guest runs and devices come.
fn update(lab: &Lab<'_>) -> Result<()> {
    update_to(lab, "/usr/local/bin/xenstored")
}

/// Xen's C daemon is replaced by ours while a guest runs; and ours by itself.
fn update_from_c(lab: &Lab<'_>) -> Result<()> {
    let program = lab.program("xenstored")?;
    update_to(lab, &program)
}

fn update_to(lab: &Lab<'_>, program: &str) -> Result<()> {
    let website = lab.guest("website", ADDRESS_WORDS)?;
    let port = lab.forward_to(80)?;
    website.create(lab)?;
    ensure!(
        lab.http_get(port, "/")?.status() == Some(200),
        "no page before"
    );
    // A watcher that waits through all of it, on a socket.
    lab.sh(
        "setsid xenstore-watch /test/watched >/tmp/watched 2>&1 </dev/null & \
         until grep -q /test/watched /tmp/watched; do sleep 0.2; done; xenstore-ls -f / >/tmp/before",
    )?;
    for _ in 0..3 {
        lab.sh(&format!("xenstore-control live-update {program}"))?;
    }
    let said = lab.sh("pid=$(pidof xenstored) && readlink /proc/$pid/exe && \
         xenstore-ls -f / >/tmp/after && diff /tmp/before /tmp/after && \
         xenstore-write /test/watched 1 && xl list && xenstore-control check")?;
    ensure!(said.contains(program) && said.contains("website"), "{said}");
    ensure!(
        lab.http_get(port, "/")?.status() == Some(200),
        "no page after"
    );
    devices(lab)?;
    website.shut_down(lab, Duration::from_secs(30))?;
    lab.sh("while xl domid website >/dev/null 2>&1; do sleep 0.2; done")?;
    website.create(lab)?;
    website.destroy(lab)?;
    lab.sh("grep -x /test/watched /tmp/watched && xenstore-control check")?;
    rows(lab)
}

/// The daemon is killed, and another one started, while a guest runs: the tree is what it was, and the guest and dom0's kernel are served.
fn recovery(lab: &Lab<'_>) -> Result<()> {
    let website = lab.guest("website", ADDRESS_WORDS)?;
    let port = lab.forward_to(80)?;
    website.create(lab)?;
    ensure!(
        lab.http_get(port, "/")?.status() == Some(200),
        "no page before"
    );
    lab.sh("xenstore-ls -f / >/tmp/before")?;
    for _ in 0..3 {
        lab.sh(
            "pid=$(cat /run/xen/xenstored.pid); kill -9 $pid; while kill -0 $pid 2>/dev/null; do sleep 0.1; done; \
             xenstored --pid-file /run/xen/xenstored.pid --trace-file /tmp/xenstored.log",
        )?;
    }
    let said = lab.sh(
        "xenstore-ls -f / >/tmp/after && diff /tmp/before /tmp/after && xl list && \
         xenstore-control check && cat /tmp/xenstored.log",
    )?;
    ensure!(
        said.contains("website") && said.matches(" is served again").count() == 3,
        "{said}"
    );
    ensure!(
        lab.http_get(port, "/")?.status() == Some(200),
        "no page after"
    );
    // Programs of dom0 that had a connection have lost it: the console daemon, and xl's that waits for the guest's end.
    lab.sh(
        "kill $(pidof xenconsoled) 2>/dev/null; while pidof xenconsoled; do sleep 0.1; done; rm -f /run/xen/xenconsoled.pid; \
         xenconsoled --pid-file=/run/xen/xenconsoled.pid --log=all --log-dir=/var/log/xen/console",
    )?;
    // Its own watches, and those of dom0's kernel, are known to the new daemon.
    devices(lab)?;
    website.shut_down(lab, Duration::from_secs(30))?;
    lab.sh("xl destroy website; while xl domid website >/dev/null 2>&1; do sleep 0.2; done")?;
    guests(lab)
}

/// Guests come and go, and devices of one that runs.
pub(super) fn guests(lab: &Lab<'_>) -> Result<()> {
    // A guest that ends by itself, one that is asked to, and one that is not.
    lab.hear_goodbye()?;
    let website = lab.guest("website", ADDRESS_WORDS)?;
    let port = lab.forward_to(80)?;
    website.create(lab)?;
    let page = lab.http_get(port, "/")?;
    ensure!(page.status() == Some(200), "{}", page.head);
    devices(lab)?;
    website.shut_down(lab, Duration::from_secs(30))?;
    // xl's monitor still has to take the domain away.
    lab.sh("while xl domid website >/dev/null 2>&1; do sleep 0.2; done")?;
    website.create(lab)?;
    website.destroy(lab)?;
    // Nobody is left, and nothing of theirs.
    let left = lab.sh("xl list; xenstore-ls -f /local/domain | grep -v '^/local/domain/0/' || true; xenstore-ls -f /vm; xenstore-ls -f /libxl; xenstore-control check")?;
    ensure!(!left.contains("website") && left.contains("OK"), "{left}");
    Ok(())
}

/// Devices of a guest that runs. Nobody there answers for the disk, so it stays until the guest goes.
fn devices(lab: &Lab<'_>) -> Result<()> {
    lab.put_bytes(SCRIPT.as_bytes(), "/etc/xen/scripts/block", 0o755)?;
    lab.sh("modprobe brd rd_nr=1 rd_size=4096")?;
    let vifs = "xl network-list website | grep -c '^[01] '";
    lab.sh(&format!(
        "timeout 40 xl network-attach website bridge=xenbr0 && [ $({vifs}) = 2 ] && \
         timeout 40 xl network-detach website 1 && [ $({vifs}) = 1 ]"
    ))?;
    lab.sh(
        "timeout 40 xl block-attach website vdev=xvda,format=raw,access=rw,target=/dev/ram0 && \
         xl block-list website | grep '^51712 ' && \
         state=/local/domain/0/backend/vbd/$(xl domid website)/51712/state && \
         timeout 40 sh -c \"until [ \\$(xenstore-read $state) = 2 ]; do sleep 0.2; done\"",
    )
    .map(drop)
}

/// There is no daemon in dom0, and so no files.
fn tools_of_stub_domain(lab: &Lab<'_>) -> Result<()> {
    rows(lab)?;
    let said =
        lab.sh("xenstore-control quota 0 && xenstore-control memreport && xenstore-control check")?;
    for part in ["watches          :", "bytes of nodes   :", "OK"] {
        ensure!(said.contains(part), "no {part:?} in:\n{said}");
    }
    Ok(())
}

fn toolstack_of_stub_domain(lab: &Lab<'_>) -> Result<()> {
    let serving = lab.sh(
        "xl list; xenstore-read /tool/xenstored/domid; ps w | grep '[x]enstored' || echo no daemon",
    )?;
    ensure!(
        serving.contains("Xenstore") && serving.contains("no daemon"),
        "{serving}"
    );
    guests(lab)
}
