//! The name server with its zones on a disk, as clients in dom0 see it: ldns's `drill`, and a client of ours that counts.

use std::fmt::Write;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::archives::{ArchiveDisk, reload};
use super::{Lab, XenTest};
use crate::build::Changes;

pub(super) const TESTS: &[XenTest] = &[XenTest {
    name: "dns/zones-on-a-disk",
    run: zones_on_a_disk,
}];

const FOLLOW: &str = include_str!("dns/follow.py");
const ADDRESS: &str = "10.0.2.50";
/// dom0's own address, from which zones may be transferred, and another one, from which they may not.
const FRIEND: &str = "10.0.2.15";
const STRANGER: &str = "10.0.2.16";
/// Names in a zone, besides those that are asked for: more than the server reads in one go.
const NAMES: u32 = 2000;
/// How long what follows a reload may take.
const PATIENCE: Duration = Duration::from_secs(120);

fn zones_on_a_disk(lab: &Lab<'_>) -> Result<()> {
    lab.add_packages(&["ldnsutils".to_owned(), "python3-minimal".to_owned()])?;
    lab.sh(&format!("ip address add {STRANGER}/24 dev xenbr0"))?;
    let disk = ArchiveDisk::new(lab, 0)?;
    disk.write(&[("example.test.zone", zone(1).as_bytes())])?;
    let changes = Changes {
        disks: Some(vec![disk.words("xvda")]),
        extra: format!("zones=xvda ip={ADDRESS}/24 transfer={FRIEND} rate=0"),
        ..Changes::default()
    };
    let guest = lab.guest_with("dns", &changes)?;
    guest.create(lab)?;
    lab.expect_line(&guest, "serving 1 zones on port 53")?;
    answers(lab).context("answers")?;
    truncated(lab).context("a long answer")?;
    transfers(lab).context("transfers")?;
    followed(lab, disk, || reload(lab, &guest)).context("a new zone")?;

    // A broken file is refused, with its line and why. The old zones stay, also those of which the files are whole.
    let broken = zone(3) + "fault IN A 192.0.2.300\n";
    let line = broken.lines().count();
    disk.write(&[
        ("example.test.zone", broken.as_bytes()),
        (
            "other.test.zone",
            b"@ 60 IN SOA ns.example.test. root 1 1 1 1 1\n@ 60 IN NS ns.example.test.\n",
        ),
    ])?;
    reload(lab, &guest)?;
    let refused = lab.expect_line(&guest, "refused: ")?;
    ensure!(
        refused.contains(&format!("example.test.zone:{line}:")) && refused.contains("address"),
        "{refused}"
    );
    lab.expect_line(&guest, "the zones stay as they were")?;
    ensure!(serial(lab)? == 2, "the broken zone is served");
    let other = drill(lab, "other.test SOA")?;
    ensure!(other.contains("rcode: REFUSED"), "{other}");
    guest.shut_down(lab, Duration::from_secs(30))
}

/// A zone with that serial number.
fn zone(serial: u32) -> String {
    let mut text = format!(
        "$TTL 1h\n@ IN SOA ns hostmaster {serial} 2h 1h 2w 5m\n@ IN NS ns\nns IN A {ADDRESS}\nwww IN A 192.0.2.80\n"
    );
    for number in 0..12 {
        let _ = writeln!(text, "long IN TXT \"{number} {}\"", "x".repeat(200));
    }
    for number in 0..NAMES {
        let _ = writeln!(text, "n{number} IN A 198.51.100.{}", number % 250);
    }
    text
}

/// Asks, and once more where a busy machine has not answered in drill's time.
fn drill(lab: &Lab<'_>, words: &str) -> Result<String> {
    let (name, kind) = words.rsplit_once(' ').context("no type")?;
    let ask = format!("drill {name} @{ADDRESS} {kind}");
    lab.sh(&format!("{ask} || {ask}"))
}

fn serial(lab: &Lab<'_>) -> Result<u32> {
    let told = drill(lab, "example.test SOA")?;
    let mut words = told
        .split_whitespace()
        .skip_while(|&word| word != "hostmaster.example.test.");
    let serial = words.nth(1).with_context(|| told.clone())?;
    serial.parse().with_context(|| told.clone())
}

/// Both ways give the same.
fn answers(lab: &Lab<'_>) -> Result<()> {
    for way in ["-u", "-t"] {
        let told = drill(lab, &format!("{way} www.example.test A"))?;
        ensure!(
            told.contains("rcode: NOERROR")
                && told.contains("\t192.0.2.80\n")
                && told.contains(" aa "),
            "{way}: {told}"
        );
        let told = drill(lab, &format!("{way} nobody.example.test A"))?;
        ensure!(
            told.contains("rcode: NXDOMAIN") && told.contains("SOA"),
            "{way}: {told}"
        );
        let told = drill(lab, &format!("{way} example.org A"))?;
        ensure!(told.contains("rcode: REFUSED"), "{way}: {told}");
    }
    ensure!(serial(lab)? == 1, "another serial number");
    Ok(())
}

/// What is too long for a datagram is cut off there, and whole by TCP, to which a client turns by itself.
fn truncated(lab: &Lab<'_>) -> Result<()> {
    let records = |told: &str| {
        told.lines()
            .filter(|line| line.contains("IN\tTXT\t\""))
            .count()
    };
    let told = drill(lab, "-u long.example.test TXT")?;
    ensure!(told.contains(" tc ") && records(&told) < 12, "{told}");
    let told = drill(lab, "-a long.example.test TXT")?;
    ensure!(!told.contains(" tc ") && records(&told) == 12, "{told}");
    Ok(())
}

/// The zone as a whole, to whom it is for.
fn transfers(lab: &Lab<'_>) -> Result<()> {
    let transfer = |from: &str| {
        lab.sh(&format!(
            "drill -I {from} example.test @{ADDRESS} AXFR 2>&1 || true"
        ))
    };
    let told = transfer(FRIEND)?;
    let count = |kind: &str| told.lines().filter(|line| line.contains(kind)).count();
    ensure!(
        count("IN\tSOA\t") == 2
            && count("IN\tA\t") == NAMES as usize + 2
            && count("IN\tTXT\t") == 12,
        "{told}"
    );
    let told = transfer(STRANGER)?;
    ensure!(
        told.contains("REFUSED") && !told.contains("IN\tA\t"),
        "{told}"
    );
    Ok(())
}

/// Replaces the zone while a client asks without a pause.
fn followed(lab: &Lab<'_>, disk: ArchiveDisk<'_>, reload: impl Fn() -> Result<()>) -> Result<()> {
    lab.put_bytes(FOLLOW.as_bytes(), "/follow.py", 0o755)?;
    let arguments = format!("{ADDRESS} example.test 1 2");
    lab.start_program("/follow.py", &arguments, "following")?;
    disk.write(&[("example.test.zone", zone(2).as_bytes())])?;
    reload()?;
    // Its last line says how it has ended.
    let told = lab.sh_within(
        "until [ $(wc -l </follow.py.log) -gt 1 ]; do sleep 0.1; done; cat /follow.py.log",
        PATIENCE,
    )?;
    ensure!(told.contains("nothing lost"), "{told}");
    ensure!(serial(lab)? == 2, "another serial number");
    Ok(())
}
