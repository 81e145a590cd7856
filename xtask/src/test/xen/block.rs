//! Disks: every front end with every back end. Whatever moves is compared by checksum: what one front end has written, the others read.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::{Lab, XenTest};
use crate::build::Changes;
use crate::testbed::End;

pub(super) const TESTS: &[XenTest] = &[
    XenTest {
        name: "block/linux-back",
        run: linux_back,
    },
    XenTest {
        name: "block/driver-domain",
        run: driver_domain,
    },
    XenTest {
        name: "block/process-back",
        run: process_back,
    },
    XenTest {
        name: "block/read-only",
        run: read_only,
    },
    XenTest {
        name: "block/hotplug",
        run: hotplug,
    },
    XenTest {
        name: "block/back-end-restarts",
        run: back_end_restarts,
    },
];

/// By which xl gives a disk to Linux's back end.
const SCRIPT: &str = include_str!("../../testbed/dom0/block");
/// By which xl leaves all to our process.
const NOTHING: &str = "#!/bin/sh\n";
/// A disk in dom0's memory.
pub(super) const DEVICE: &str = "/dev/ram0";
/// How long a Linux domain may take to boot, to do its work and to end.
const LINUX_PATIENCE: Duration = Duration::from_secs(180);

/// The back end of Linux in dom0, with every front end.
fn linux_back(lab: &Lab<'_>) -> Result<()> {
    ram_disks(lab)?;
    let words = format!("format=raw,access=rw,target={DEVICE}");
    let checksum = cells(lab, &words)?;
    let theirs = lab.sh(&format!("crc32 {DEVICE}"))?;
    ensure!(
        theirs.starts_with(&checksum),
        "the front ends have {checksum}, dom0 has {theirs}"
    );
    // With as little memory and as small requests as there can be, and with more than there is by default.
    let disks = Some(vec![format!("vdev=xvda,{words}")]);
    for more in [
        "pool=16 segments=11",
        "pool=1024 segments=256 queues=4 order=2",
    ] {
        let again = run(lab, &format!("do=read {more}"), &disks)?;
        ensure!(word_after(&again, "crc ")? == checksum, "{more}: {again}");
    }
    run(lab, "do=check", &disks).map(drop)
}

/// Our back end in a domain of its own, and disks in its memory.
fn driver_domain(lab: &Lab<'_>) -> Result<()> {
    let driver = lab.guest("blkback", "size=8 log=debug")?;
    driver.create(lab)?;
    lab.expect_line(&driver, "ready for disks")?;
    let words = "format=raw,access=rw,backendtype=phy,backend=blkback,target=scratch";
    cells(lab, words)
        .and_then(|_| {
            let disks = Some(vec![format!("vdev=xvda,{words}")]);
            run(lab, "do=check", &disks)
        })
        .and_then(|_| pages_stayed(&driver.console(lab)?))
        .with_context(|| {
            let console = driver.console(lab).unwrap_or_default();
            format!("the driver domain's console:\n{console}")
        })
}

/// Whether every front end that our back end has served had its pages mapped once, and used again and again: `log` has its counters.
fn pages_stayed(log: &str) -> Result<()> {
    let mut served = 0;
    for line in log.lines().filter(|line| line.contains(": ended: ")) {
        let number = |key| -> Result<u64> { Ok(word_after(line, key)?.trim_matches(',').parse()?) };
        let pages = (number("read_bytes: ")? + number("written_bytes: ")?) / 4096;
        let mapped = number("persistent_maps: ")?;
        ensure!(0 < mapped && 3 * mapped < pages, "{line}");
        ensure!(number("persistent_pages: ")? == 0, "still mapped: {line}");
        served += 1;
    }
    ensure!(served >= 6, "only {served} front ends were served");
    Ok(())
}

/// Our back end as a process in dom0, over a block device.
fn process_back(lab: &Lab<'_>) -> Result<()> {
    ram_disks(lab)?;
    start_process(lab)?;
    let words = process_disk(DEVICE);
    let checksum = cells(lab, &words).with_context(|| process_log(lab))?;
    let theirs = lab.sh(&format!("sync; crc32 {DEVICE}"))?;
    ensure!(
        theirs.starts_with(&checksum),
        "the front ends have {checksum}, dom0 has {theirs}"
    );
    // A file, too.
    lab.sh("dd if=/dev/zero of=/disk.img bs=1M count=8")?;
    let disks = Some(vec![format!("vdev=xvda,{}", process_disk("/disk.img"))]);
    run(lab, "do=check", &disks)
        .map(drop)
        .with_context(|| process_log(lab))
}

/// A disk that may only be read, and that Linux says so of.
fn read_only(lab: &Lab<'_>) -> Result<()> {
    ram_disks(lab)?;
    let disk = format!("vdev=xvdb,format=raw,access=ro,target={DEVICE}");
    let told = run(lab, "do=refused disk=xvdb", &Some(vec![disk]))?;
    let theirs = lab.sh(&format!("crc32 {DEVICE}"))?;
    ensure!(theirs.starts_with(word_after(&told, "crc ")?), "{told}");
    Ok(())
}

/// Disks come and go while others work, with both of our back ends.
fn hotplug(lab: &Lab<'_>) -> Result<()> {
    let driver = lab.guest("blkback", "size=8")?;
    driver.create(lab)?;
    lab.expect_line(&driver, "ready for disks")?;
    lab.sh("dd if=/dev/zero of=/a.img bs=1M count=4; cp /a.img /b.img")?;
    start_process(lab)?;
    let first = "format=raw,access=rw,backendtype=phy,backend=blkback,target=first";
    let changes = Changes {
        name: Some("busy".to_owned()),
        disks: Some(vec![format!("vdev=xvda,{first}")]),
        extra: "do=keep".to_owned(),
        ..Changes::default()
    };
    let busy = lab.guest_with("guest-disk", &changes)?;
    busy.create(lab)?;
    lab.expect_line(&busy, "the first round is done")?;
    let second = first.replace("first", "second");
    for (vdev, words) in [("xvdb", second), ("xvdc", process_disk("/a.img"))] {
        let back_end = if vdev == "xvdb" {
            "blkback"
        } else {
            "Domain-0"
        };
        let served = format!(
            "xl block-attach busy 'vdev={vdev},{words}' && \
             xenstore-ls -f /local/domain/$(xl domid {back_end})/backend/vbd | grep '/state = \"2\"' && \
             xl block-detach busy {vdev} && ! xl block-list busy | grep -q ' {vdev} '"
        );
        lab.sh(&served)
            .with_context(|| format!("{vdev}: {}", process_log(lab)))?;
    }
    enough(lab)?;
    lab.expect_line(&busy, "SUCCESS").map(drop)
}

/// Our process dies in the midst of its work, and another takes its place: the front end goes on, and nothing that was acknowledged is lost.
fn back_end_restarts(lab: &Lab<'_>) -> Result<()> {
    lab.sh("dd if=/dev/zero of=/disk.img bs=1M count=4")?;
    start_process(lab)?;
    let changes = Changes {
        name: Some("busy".to_owned()),
        disks: Some(vec![format!("vdev=xvda,{}", process_disk("/disk.img"))]),
        extra: "do=keep".to_owned(),
        ..Changes::default()
    };
    let busy = lab.guest_with("guest-disk", &changes)?;
    busy.create(lab)?;
    lab.expect_line(&busy, "the first round is done")?;
    lab.sh("kill -9 $(pidof blkback)")?;
    start_process(lab)?;
    lab.expect_line(&busy, "disconnected")
        .with_context(|| process_log(lab))?;
    enough(lab)?;
    lab.expect_line(&busy, "SUCCESS")
        .map(drop)
        .with_context(|| process_log(lab))
}

/// Ends the work of the guest that is `busy`.
fn enough(lab: &Lab<'_>) -> Result<()> {
    lab.sh("xenstore-write /local/domain/$(xl domid busy)/data/enough ''")
        .map(drop)
}

/// Each front end with the disk that `words` describe; returns the checksum of what they all have found in it.
fn cells(lab: &Lab<'_>, words: &str) -> Result<String> {
    let disks = Some(vec![format!("vdev=xvda,{words}")]);
    let ours = run(lab, "do=write seed=11", &disks).context("our unikernel")?;
    let ours = word_after(&ours, "crc ")?;
    // One boot for both: that is what takes long.
    let [found, theirs] = linux(lab, words)?;
    ensure!(found == ours, "we wrote {ours}, Linux reads {found}");
    let found = run(lab, "do=read", &disks)?;
    let found = word_after(&found, "crc ")?;
    ensure!(found == theirs, "Linux wrote {theirs}, we read {found}");
    let found = process_front(lab, words, "do=read").context("our process as front end")?;
    ensure!(
        found == theirs,
        "Linux wrote {theirs}, our process reads {found}"
    );
    let process = process_front(lab, words, "do=write seed=12").context("our process")?;
    let found = run(lab, "do=read", &disks)?;
    let found = word_after(&found, "crc ")?;
    ensure!(
        found == process,
        "our process wrote {process}, we read {found}"
    );
    Ok(process)
}

/// Makes disks in dom0's memory, and the script by which xl gives them to Linux's back end.
pub(super) fn ram_disks(lab: &Lab<'_>) -> Result<()> {
    lab.put_bytes(SCRIPT.as_bytes(), "/etc/xen/scripts/block", 0o755)?;
    lab.sh("modprobe brd rd_nr=4 rd_size=8192").map(drop)
}

/// What xl is told of a disk that our process serves.
fn process_disk(target: &str) -> String {
    format!("format=raw,access=rw,backendtype=phy,script=block-nothing,target={target}")
}

/// Starts our back end as a process in dom0, in place of Linux's.
fn start_process(lab: &Lab<'_>) -> Result<()> {
    lab.put(&lab.workshop().program("blkback")?, "/blkback.new")?;
    lab.put_bytes(NOTHING.as_bytes(), "/etc/xen/scripts/block-nothing", 0o755)?;
    lab.sh(
        "mv /blkback.new /blkback; chmod 755 /blkback; rmmod xen-blkback 2>/dev/null; rm -f /blkback.log; \
         setsid /blkback --xen log=debug >/blkback.log 2>&1 </dev/null & \
         for i in $(seq 200); do grep -q 'ready for disks' /blkback.log 2>/dev/null && exit 0; sleep 0.1; done; \
         cat /blkback.log; exit 1",
    )
    .map(drop)
}

fn process_log(lab: &Lab<'_>) -> String {
    let log = lab.sh("tail -n 40 /blkback.log").unwrap_or_default();
    format!("our process in dom0 wrote:\n{log}")
}

/// Our front end as a process in dom0: guest-disk, as a Linux program.
fn process_front(lab: &Lab<'_>, words: &str, work: &str) -> Result<String> {
    lab.put(&lab.workshop().program("guest-disk")?, "/guest-disk")?;
    let script = format!(
        "chmod 755 /guest-disk; xl block-attach 0 'vdev=xvdz,{words}' || exit 1; \
         timeout 60 /guest-disk --xen {work} disk=xvdz 2>&1; status=$?; xl block-detach 0 xvdz; exit $status"
    );
    let told = lab.sh_within(&script, Duration::from_secs(100))?;
    let success = told.lines().find(|line| line.contains("SUCCESS"));
    let success = success.with_context(|| format!("no success in:\n{told}"))?;
    word_after(success, "crc ").map(str::to_owned)
}

/// Runs a Linux domain with the disk until it ends; returns the checksums of what it has found there, and of what it has written then.
fn linux(lab: &Lab<'_>, words: &str) -> Result<[String; 2]> {
    let name = "linux";
    let files = lab.files();
    lab.put(&files.folder.join("vmlinux"), "/guests/vmlinux")?;
    lab.put(&files.peer_initramfs(), "/guests/peer.cpio")?;
    let config = format!(
        "name = \"{name}\"\ntype = \"pv\"\nkernel = \"/guests/vmlinux\"\nramdisk = \"/guests/peer.cpio\"\nmemory = 192\nvcpus = 1\n\
         disk = ['vdev=xvda,{words}']\nextra = \"console=hvc0 quiet rdinit=/init-disk do=read do=write\"\n"
    );
    let path = format!("/guests/{name}.cfg");
    lab.put_bytes(config.as_bytes(), &path, 0o644)?;
    let script = format!(
        "xl create {path} || exit 1; for i in $(seq 800); do xl domid {name} >/dev/null 2>&1 || break; sleep 0.2; done; \
         cat /var/log/xen/console/guest-{name}.log; xl destroy {name} 2>/dev/null || true"
    );
    let told = lab
        .sh_within(&script, LINUX_PATIENCE)
        .with_context(|| format!("{name} with {words}"))?;
    let successes = told.lines().filter(|line| line.contains("SUCCESS"));
    let checksums = successes.map(|line| word_after(line, "crc ").map(str::to_owned));
    let checksums = checksums.collect::<Result<Vec<_>>>()?;
    <[String; 2]>::try_from(checksums)
        .ok()
        .with_context(|| format!("{name} does not succeed twice:\n{told}"))
}

/// Runs guest-disk, which must succeed; returns the line in which it says so.
fn run(lab: &Lab<'_>, extra: &str, disks: &Option<Vec<String>>) -> Result<String> {
    let changes = Changes {
        name: Some("disk".to_owned()),
        disks: disks.clone(),
        extra: extra.to_owned(),
        ..Changes::default()
    };
    let (end, console) = lab.run_guest("guest-disk", &changes)?;
    let success = console.lines().find(|line| line.contains("SUCCESS"));
    ensure!(
        end == End::PowerOff,
        "with {extra} it ends with {end:?}; its console:\n{console}"
    );
    success
        .map(str::to_owned)
        .with_context(|| format!("with {extra} it does not succeed; its console:\n{console}"))
}

/// The word behind `key`.
fn word_after<'a>(text: &'a str, key: &str) -> Result<&'a str> {
    let (_, rest) = text
        .split_once(key)
        .with_context(|| format!("no {key:?} in {text}"))?;
    rest.split_whitespace()
        .next()
        .with_context(|| format!("nothing after {key:?} in {text}"))
}
