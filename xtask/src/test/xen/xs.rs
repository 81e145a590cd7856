//! The command line tool `xs`, against each daemon: over the socket where there is one, over the kernel's device, and in a guest.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::{Lab, XenTest};

/// On Xen's C daemon.
pub(super) const TESTS: &[XenTest] = &[
    XenTest {
        name: "xs/c",
        run: socket_and_device,
    },
    XenTest {
        name: "xs/guest",
        run: guest,
    },
];

/// On oxenstored.
pub(super) const OCAML_TESTS: &[XenTest] = &[XenTest {
    name: "xs/ocaml",
    run: socket_and_device,
}];

/// On our daemon in dom0.
pub(super) const OUR_TESTS: &[XenTest] = &[XenTest {
    name: "xs/ours",
    run: socket_and_device,
}];

/// On our stub-domain.
pub(super) const STUB_DOMAIN_TESTS: &[XenTest] = &[XenTest {
    name: "xs/stubdom",
    run: device,
}];

/// What is done in dom0, by either way.
const SCRIPT: &str = include_str!("xs.sh");
/// The first process of a Linux domain, in which the same is done from outside the control domain.
const INIT: &str = include_str!("xs-init.sh");
/// How long it may take, on a slow machine with many at work.
const PATIENCE: Duration = Duration::from_secs(180);

const SOCKET: &str = "/run/xenstored/socket";
const DEVICE: &str = "/dev/xen/xenbus";

fn install(lab: &Lab<'_>) -> Result<()> {
    lab.put(&lab.workshop().program("xs")?, "/xs")?;
    lab.sh("chmod 755 /xs").map(drop)
}

fn by(lab: &Lab<'_>, way: &str) -> Result<()> {
    lab.put_bytes(SCRIPT.as_bytes(), "/xs.sh", 0o755)?;
    let told = lab.sh_within(&format!("sh /xs.sh '{way}' 2>&1"), PATIENCE)?;
    ensure!(told.contains("SUCCESS"), "by {way}:\n{told}");
    Ok(())
}

fn socket_and_device(lab: &Lab<'_>) -> Result<()> {
    install(lab)?;
    for way in [SOCKET, DEVICE, "/proc/xen/xenbus"] {
        by(lab, way)?;
    }
    Ok(())
}

/// There is no socket in dom0: it finds the device itself.
fn device(lab: &Lab<'_>) -> Result<()> {
    install(lab)?;
    lab.sh(&format!("! [ -e {SOCKET} ] && /xs domains"))?;
    by(lab, DEVICE)
}

fn guest(lab: &Lab<'_>) -> Result<()> {
    install(lab)?;
    let files = lab.files();
    lab.put(&files.folder.join("vmlinux"), "/guests/vmlinux")?;
    lab.put(&files.peer_initramfs(), "/guests/peer.cpio")?;
    lab.put_bytes(INIT.as_bytes(), "/init-xs", 0o755)?;
    let config = "name = \"linux\"\ntype = \"pv\"\nkernel = \"/guests/vmlinux\"\nramdisk = \"/guests/both.cpio\"\nmemory = 192\n\
         extra = \"console=hvc0 quiet rdinit=/init-xs\"\n";
    lab.put_bytes(config.as_bytes(), "/guests/linux.cfg", 0o644)?;
    // Linux unpacks several archives one after the other.
    let script = "cd / && printf '%s\\n' xs init-xs | cpio -o -H newc > /more.cpio && \
         cat /guests/peer.cpio /more.cpio > /guests/both.cpio && xl create /guests/linux.cfg && \
         data=/local/domain/$(xl domid linux)/data && /xs wait --timeout 120 --value ready $data/xs && /xs write $data/flag go && \
         for i in $(seq 800); do xl domid linux >/dev/null 2>&1 || break; sleep 0.2; done; \
         cat /var/log/xen/console/guest-linux.log";
    let told = lab
        .sh_within(script, PATIENCE)
        .context("a Linux domain with xs in it")?;
    ensure!(told.contains("SUCCESS"), "its console:\n{told}");
    Ok(())
}
