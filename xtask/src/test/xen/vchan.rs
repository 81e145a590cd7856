//! vchans between our end, as a guest and as a process of dom0, and Xen's own vchan-socket-proxy.

use anyhow::{Result, ensure};

use super::{Lab, XenTest};
use crate::build::Changes;

pub(super) const TESTS: &[XenTest] = &[
    XenTest {
        name: "vchan/server",
        run: server,
    },
    XenTest {
        name: "vchan/client",
        run: client,
    },
    XenTest {
        name: "vchan/process",
        run: process,
    },
];

const APP: &str = "guest-vchan";
/// Bytes that go through.
const BYTES: u32 = 1_000_000;

/// Sends bytes through Xen's proxy, whose arguments are `$proxy`, and compares what comes back. The proxy's input stays open meanwhile.
const EXCHANGE: &str = r#"
proxy() { /usr/lib/xen-4.17/bin/vchan-socket-proxy "$@"; }
head -c BYTES /dev/urandom >/tmp/sent
rm -f /tmp/in /tmp/back; mkfifo /tmp/in
proxy ARGUMENTS - </tmp/in >/tmp/back 2>/tmp/said &
exec 3>/tmp/in
cat /tmp/sent >&3 &
tries=0
until [ "$(stat -c %s /tmp/back)" = BYTES ]; do
    tries=$((tries + 1)); [ $tries -lt 300 ] || { cat /tmp/said; stat -c %s /tmp/back; exit 1; }
    sleep 0.2
done
cmp /tmp/sent /tmp/back && kill %1 && echo same
"#;

fn exchange(lab: &Lab<'_>, arguments: &str) -> Result<()> {
    let script = EXCHANGE
        .replace("BYTES", &BYTES.to_string())
        .replace("ARGUMENTS", arguments);
    let said = lab.sh(&script)?;
    ensure!(said.ends_with("same\n"), "{said}");
    Ok(())
}

/// Ours in a guest is the server: rings inside the page, and large ones. Clients come one after the other.
fn server(lab: &Lab<'_>) -> Result<()> {
    for size in ["1024", "65536"] {
        let changes = Changes {
            extra: format!("end=server peer=0 size={size}"),
            ..Changes::default()
        };
        let guest = lab.guest_with(APP, &changes)?;
        guest.create(lab)?;
        lab.expect_line(&guest, "ready")?;
        let arguments = format!("$(xl domid {APP}) /local/domain/$(xl domid {APP})/data/vchan");
        exchange(lab, &arguments)?;
        lab.expect_line(&guest, "sent back")?;
        exchange(lab, &arguments)?;
        guest.destroy(lab)?;
        lab.sh(&format!(
            "rm /var/log/xen/console/guest-{APP}.log; kill -HUP $(cat /run/xen/xenconsoled.pid)"
        ))?;
    }
    Ok(())
}

/// Ours in a guest is the client of Xen's.
fn client(lab: &Lab<'_>) -> Result<()> {
    let changes = Changes {
        extra: "end=client peer=0 path=/local/domain/0/data/vchan".to_owned(),
        ..Changes::default()
    };
    let guest = lab.guest_with(APP, &changes)?;
    guest.create(lab)?;
    exchange(
        lab,
        &format!("--mode=server $(xl domid {APP}) /local/domain/0/data/vchan"),
    )?;
    guest.destroy(lab)
}

/// Ours is a process of dom0, and so is Xen's.
fn process(lab: &Lab<'_>) -> Result<()> {
    let program = lab.program(APP)?;
    let path = "/local/domain/0/data/vchan";
    lab.start_program(
        &program,
        &format!("--xen end=server peer=0 path={path}"),
        "ready",
    )?;
    exchange(lab, &format!("0 {path}"))
}
