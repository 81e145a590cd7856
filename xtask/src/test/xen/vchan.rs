//! vchans between our end, as a guest and as a process of dom0, and ends of Xen's own libxenvchan: its vchan-socket-proxy, and a program that uses all
//! of the library.

use anyhow::{Result, ensure};

use super::{Lab, XenTest};
use crate::build::Changes;
use crate::testbed::Guest;

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
    XenTest {
        name: "vchan/libxenvchan-guest",
        run: library_and_guest,
    },
    XenTest {
        name: "vchan/libxenvchan-process",
        run: library_and_process,
    },
    XenTest {
        name: "vchan/killed",
        run: killed,
    },
];

const APP: &str = "guest-vchan";
/// Where the program of libxenvchan is in dom0.
const PEER: &str = "/programs/vchan-peer";
/// What that does, and what ours does then. Messages end with the other end closing, coming again, and going for good.
const EXERCISES: [(&str, &str); 2] = [("stream", "echo"), ("messages", "messages")];
/// Rings inside the page, of pages of their own, and large ones.
const SIZES: [u32; 3] = [1024, 8192, 262_144];
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

/// A guest of ours that serves dom0, with rings of this size.
fn serving(lab: &Lab<'_>, size: u32) -> Result<Guest> {
    let changes = Changes {
        extra: format!("end=server peer=0 size={size}"),
        ..Changes::default()
    };
    let guest = lab.guest_with(APP, &changes)?;
    guest.create(lab)?;
    lab.expect_line(&guest, "ready")?;
    Ok(guest)
}

/// Ours in a guest is the server: rings inside the page, and large ones. Clients come one after the other.
fn server(lab: &Lab<'_>) -> Result<()> {
    for size in [1024, 65_536] {
        let guest = serving(lab, size)?;
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

/// Ours in a guest is the server, and then the client, of a program that uses libxenvchan.
fn library_and_guest(lab: &Lab<'_>) -> Result<()> {
    lab.put(&lab.workshop().vchan_peer()?, PEER)?;
    for (size, (theirs, ours)) in SIZES.into_iter().zip(EXERCISES.into_iter().cycle()) {
        for end in ["server", "client"] {
            let path = format!("/local/domain/0/data/vchan-{size}");
            let path_of_ours = match end {
                "server" => "data/vchan",
                _ => &path,
            };
            let changes = Changes {
                extra: format!("end={end} peer=0 path={path_of_ours} size={size} do={ours}"),
                ..Changes::default()
            };
            let guest = lab.guest_with(APP, &changes)?;
            guest.create(lab)?;
            let arguments = match end {
                "server" => {
                    "end=client path=/local/domain/$(xl domid guest-vchan)/data/vchan".to_owned()
                }
                _ => format!("end=server size={size} path={path}"),
            };
            let said = lab.sh(&format!(
                "timeout 100 {PEER} peer=$(xl domid {APP}) do={theirs} {arguments} 2>&1"
            ));
            match said {
                Ok(said) => ensure!(said == "same\n", "{theirs} at our {end}, {size}: {said}"),
                Err(error) => {
                    let console = guest.console(lab).unwrap_or_default();
                    return Err(error.context(format!("{theirs} at our {end}, {size}:\n{console}")));
                }
            }
            // One that was told to go is going by itself.
            lab.sh(&format!(
                "xl destroy {APP} 2>/dev/null\n\
                 timeout 60 sh -c 'while xl domid {APP} 2>/dev/null; do sleep 0.2; done' >/dev/null"
            ))?;
        }
    }
    Ok(())
}

/// The same where ours is a process of dom0.
fn library_and_process(lab: &Lab<'_>) -> Result<()> {
    let program = lab.program(APP)?;
    lab.put(&lab.workshop().vchan_peer()?, PEER)?;
    for size in SIZES {
        for (theirs, ours) in EXERCISES {
            for (end, other) in [("server", "client"), ("client", "server")] {
                let place =
                    format!("peer=0 size={size} path=/local/domain/0/data/{end}-{size}-{theirs}");
                let said = lab.sh(&format!(
                    "{program} --xen end={end} do={ours} {place} >/tmp/ours 2>&1 </dev/null & ours=$!\n\
                     timeout 100 {PEER} end={other} do={theirs} {place} 2>&1 || cat /tmp/ours\n\
                     [ {ours} = messages ] || kill $ours; wait $ours; true"
                ))?;
                ensure!(said == "same\n", "{theirs} at our {end}, {size}: {said}");
            }
        }
    }
    Ok(())
}

/// Waits until a file has some words.
const HEARD: &str = r#"
heard() {
    tries=0
    until grep -q "$2" "$1"; do
        tries=$((tries + 1)); [ $tries -lt 300 ] || { cat "$1"; exit 1; }
        sleep 0.2
    done
}
"#;

/// Ours is a process of dom0 that is killed, as a server and as a client. The other end finds that out, be it another process or a guest.
fn killed(lab: &Lab<'_>) -> Result<()> {
    let program = lab.program(APP)?;
    for (victim, other) in [("server", "client"), ("client", "server")] {
        let place = format!("peer=0 path=/local/domain/0/data/killed-{victim}");
        lab.sh(&format!(
            "{HEARD}\n\
             {program} --xen end=server {place} >/tmp/server 2>&1 </dev/null & server=$!\n\
             heard /tmp/server ready\n\
             {program} --xen end=client {place} >/tmp/client 2>&1 </dev/null & client=$!\n\
             heard /tmp/client ready\n\
             kill -9 ${victim}\n\
             heard /tmp/{other} 'sent back'\n\
             kill ${other}; wait; true"
        ))?;
    }
    for size in SIZES {
        let guest = serving(lab, size)?;
        lab.sh(&format!(
            "{HEARD}\n\
             id=$(xl domid {APP})\n\
             {program} --xen end=client peer=$id path=/local/domain/$id/data/vchan >/tmp/client 2>&1 </dev/null & client=$!\n\
             heard /tmp/client ready\n\
             kill -9 $client; wait; true"
        ))?;
        lab.expect_line(&guest, "sent back")?;
        guest.destroy(lab)?;
        lab.sh(&format!(
            "rm /var/log/xen/console/guest-{APP}.log; kill -HUP $(cat /run/xen/xenconsoled.pid)"
        ))?;
    }
    Ok(())
}
