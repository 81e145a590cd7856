//! Who has an interface that is served. All answer a POST to /cgi-bin/echo with what was posted.

use anyhow::{Context, Result};

use super::super::Lab;
use crate::build::Changes;
use crate::run::ADDRESS_WORDS;

/// The address of all, at which one at a time is.
pub(super) const ADDRESS: &str = "10.0.2.50";
/// Their Ethernet address.
pub(super) const MAC: &str = "00:16:3e:00:00:50";
/// The domain's name, where it is one of its own.
pub(super) const NAME: &str = "front";

/// A kind of front end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Front {
    /// A Linux PV domain with xen-netfront, and two processors: it wants several queues.
    Linux,
    /// Our guest.
    Unikernel,
    /// Our process in dom0.
    Process,
}

impl Front {
    /// Starts it with an interface that is configured so.
    pub(super) fn start(self, lab: &Lab<'_>, vif: &str) -> Result<()> {
        match self {
            Front::Linux => linux(lab, vif).context("the Linux domain does not start"),
            Front::Unikernel => {
                let changes = Changes {
                    name: Some(NAME.to_owned()),
                    vifs: Some(vec![format!("{vif},mac={MAC}")]),
                    extra: ADDRESS_WORDS.to_owned(),
                    ..Changes::default()
                };
                let guest = lab.guest_with("guest-echo", &changes)?;
                guest.create(lab)?;
                lab.expect_line(&guest, "serving").map(drop)
            }
            Front::Process => {
                let program = lab.program("guest-echo")?;
                lab.sh(&format!("timeout 60 xl network-attach 0 {vif} mac={MAC}"))?;
                lab.start_program(&program, &format!("--xen {ADDRESS_WORDS}"), "serving")
            }
        }
    }
}

/// The echo of the Linux domain: busybox's httpd runs it for each request.
const ECHO: &str = r#"#!/usr/bin/busybox sh
echo "Content-Type: application/octet-stream"
echo
exec /usr/bin/busybox head -c "$CONTENT_LENGTH"
"#;

/// The domain that ours is measured against, with an echo added: what a later archive of an initramfs has comes on top.
fn linux(lab: &Lab<'_>, vif: &str) -> Result<()> {
    let files = lab.files();
    lab.put(&files.folder.join("vmlinux"), "/peer/vmlinux")?;
    lab.put(&files.peer_initramfs(), "/peer/peer.cpio")?;
    lab.put_bytes(ECHO.as_bytes(), "/peer/more/www/cgi-bin/echo", 0o755)?;
    let config = format!(
        "name = \"{NAME}\"\ntype = \"pv\"\nkernel = \"/peer/vmlinux\"\nramdisk = \"/peer/both.cpio\"\nmemory = 256\nvcpus = 2\n\
         vif = ['{vif},mac={MAC}']\nextra = \"console=hvc0 quiet rdinit=/init\"\n"
    );
    lab.put_bytes(config.as_bytes(), "/peer/front.cfg", 0o644)?;
    lab.sh(
        "cd /peer/more && find . | cpio -o -H newc >/peer/more.cpio && cat /peer/peer.cpio /peer/more.cpio >/peer/both.cpio \
         && rm /peer/peer.cpio && timeout 100 xl create /peer/front.cfg",
    )
    .map(drop)
}
