//! Our own xenconsoled in place of Xen's: logs, terminals, streams of many guests at once.

use std::time::Duration;

use anyhow::{Result, ensure};

use super::{Lab, XenTest, apps, streams, xenstored};
use crate::build::Changes;
use crate::cli::XenconsoledChoice;
use crate::testbed::Guest;

pub(super) const TESTS: &[XenTest] = &[
    XenTest {
        name: "xenconsoled/toolstack",
        run: toolstack,
    },
    XenTest {
        name: "xenconsoled/stub-domain",
        run: toolstack_of_stub_domain,
    },
    XenTest {
        name: "xenconsoled/lossless",
        run: streams::lossless,
    },
    XenTest {
        name: "xenconsoled/crowd",
        run: streams::crowd,
    },
];

/// In a dom0 whose xenstored is a stub-domain, too.
pub(super) const STUB_DOMAIN_TESTS: &[XenTest] = &[XenTest {
    name: "stubdom/consoles",
    run: no_daemon_in_dom0,
}];

/// On a stub-domain with a helper in dom0.
fn toolstack_of_stub_domain(lab: &Lab<'_>) -> Result<()> {
    lab.change_xenconsoled(XenconsoledChoice::Stubdom)?;
    consoles(lab)
}

/// Both of Xen's daemons are domains of their own.
fn no_daemon_in_dom0(lab: &Lab<'_>) -> Result<()> {
    lab.change_xenconsoled(XenconsoledChoice::Stubdom)?;
    let domains = lab.sh(
        "xl list; ps w | grep '[x]enstored' || echo no xenstored; ps w | grep '[b]in/xenconsoled'",
    )?;
    for part in [
        "Xenstore",
        "xenconsoled ",
        "no xenstored",
        "--for xenconsoled",
    ] {
        ensure!(domains.contains(part), "no {part:?} in:\n{domains}");
    }
    consoles(lab)?;
    xenstored::guests(lab)?;
    apps::toolstack(lab)?;
    linux(lab)
}

/// A Linux PV domain: its kernel's messages are logged, and it has the network.
fn linux(lab: &Lab<'_>) -> Result<()> {
    let files = lab.files();
    lab.put(&files.folder.join("vmlinux"), "/guests/vmlinux")?;
    lab.put(&files.peer_initramfs(), "/guests/peer.cpio")?;
    let config = "name = \"linux\"\ntype = \"pv\"\nkernel = \"/guests/vmlinux\"\nramdisk = \"/guests/peer.cpio\"\nmemory = 192\n\
         vif = [\"bridge=xenbr0\"]\nextra = \"console=hvc0 rdinit=/init\"\n";
    lab.put_bytes(config.as_bytes(), "/guests/linux.cfg", 0o644)?;
    let page = lab.sh_within(
        "xl create /guests/linux.cfg && curl -sf --retry 100 --retry-all-errors --retry-delay 1 --max-time 150 http://10.0.2.50/",
        LINUX_PATIENCE,
    )?;
    ensure!(page.contains("A page"), "{page}");
    let log = lab.sh("cat /var/log/xen/console/guest-linux.log && xl destroy linux")?;
    for part in ["Linux version", "Run /init as init process"] {
        ensure!(log.contains(part), "no {part:?} in:\n{log}");
    }
    Ok(())
}

/// What xl and xenconsole see of the daemon: logs, `xl create -c`, `xl console`, SIGHUP, last words.
fn toolstack(lab: &Lab<'_>) -> Result<()> {
    lab.change_xenconsoled(XenconsoledChoice::Ours)?;
    let running = lab.sh("readlink /proc/$(cat /run/xen/xenconsoled.pid)/exe; head -1 /var/log/xen/console/hypervisor.log")?;
    ensure!(
        running.contains("/usr/local/bin/xenconsoled") && running.contains("Xen version"),
        "{running}"
    );
    consoles(lab)?;
    let left = "until [ $(ls /dev/pts | wc -l) -le 1 ]; do sleep 0.2; done";
    lab.sh(&format!("timeout 30 sh -c '{left}'")).map(drop)
}

/// Logs and terminals of guests.
fn consoles(lab: &Lab<'_>) -> Result<()> {
    // Written and ended at once.
    lab.hear_goodbye()?;
    let shown = lab.sh("cd /guests && timeout 30 xl create -c hello.cfg </dev/null")?;
    ensure!(shown.contains("Hello from a domain"), "{shown}");
    talk(lab)
}

/// Types at a guest's terminal (`xl console` reads what is typed at terminals only), looks with `xl console`, and moves the log away meanwhile.
fn talk(lab: &Lab<'_>) -> Result<()> {
    let guest = talker(lab, 0)?;
    guest.create(lab)?;
    let terminal = terminal(lab, &guest)?;
    // It would stay until there is more to show.
    let look = "timeout 20 xl console guest-console-0 | { head -n 1; kill $(pidof xenconsole) 2>/dev/null; true; }";
    let said = lab.sh(&format!("echo ping >{terminal}; {look}"))?;
    ensure!(said == "ping\n", "{said:?}");
    let log = "/var/log/xen/console/guest-guest-console-0.log";
    let logs = lab.sh(&format!(
        "mv {log} {log}.old && kill -HUP $(cat /run/xen/xenconsoled.pid) && \
         timeout 20 sh -c 'until [ -e {log} ]; do sleep 0.1; done' && echo nonsense >{terminal} && {look} && cat {log}.old {log}"
    ))?;
    ensure!(logs == "what?\nping\nwhat?\n", "{logs:?}");
    guest.destroy(lab)
}

/// Where a guest's terminal is.
pub(super) fn terminal(lab: &Lab<'_>, guest: &Guest) -> Result<String> {
    let path = format!("/local/domain/$(xl domid {})/console/tty", guest.name());
    let wait = format!("until xenstore-read {path} 2>/dev/null; do sleep 0.1; done");
    Ok(lab.sh(&wait)?.trim().to_owned())
}

/// How long Linux may take to boot in a domain.
const LINUX_PATIENCE: Duration = Duration::from_secs(180);

/// A guest that does what its console says, and sends the bytes of the seed `number`.
pub(super) fn talker(lab: &Lab<'_>, number: usize) -> Result<Guest> {
    let changes = Changes {
        name: Some(format!("guest-console-{number}")),
        extra: format!("log=off seed={number}"),
        ..Changes::default()
    };
    lab.guest_with("guest-console", &changes)
}
