//! Queries for names by UDP from dom0, with dnsperf: queries a second and the guest's CPU time for each, with a zone of 1,000 names and one of 100,000.
//! The peers are NSD and Knot in a Linux PV domain, with the same zones. And how small the image and its memory are.

mod dnsperf;
mod zone;

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};

use super::serving;
use super::{Record, Report};
use crate::build::{Changes, Image};
use crate::run::{ADDRESS, ADDRESS_WORDS};
use crate::testbed::{Guest, Node, Server, Servers, Testbed, Xenstored};
use crate::workspace::Workspace;

use dnsperf::Run;
use zone::Zone;

const BENCH: &str = "dns";
const APP: &str = "dns";
/// How many times each side runs.
const RUNS: usize = 3;
/// How long dnsperf runs, in seconds, and before that.
const SECONDS: u32 = 6;
const WARM_UP_SECONDS: u32 = 2;
/// How many answers are compared with the zone first.
const SAMPLE: usize = 50;
const PEERS: [Server; 2] = [Server::Nsd, Server::Knot];

/// A zone that is served and asked for.
struct Load {
    /// The name of its file.
    file: &'static str,
    zone: Zone,
    /// Of ours, in MiB.
    memory: u32,
}

const LOADS: [Load; 2] = [
    Load {
        file: "1k",
        zone: Zone { names: 1000 },
        memory: 8,
    },
    Load {
        file: "100k",
        zone: Zone { names: 100_000 },
        memory: 128,
    },
];

/// The least that xl gives a PV domain, in MiB, and where we stop looking for more.
const MEMORY: std::ops::RangeInclusive<u32> = 4..=64;

/// By name of a case, what each run has found out.
type Figures = BTreeMap<String, Vec<f64>>;

/// By which xl gives a disk to Linux's back end.
const HOTPLUG: &str = include_str!("../testbed/dom0/block");

/// Runs all cases.
pub(super) fn run(workspace: &Workspace, report: &mut Report<'_>) -> Result<()> {
    let images = Image::build(workspace, &[workspace.app(APP)?])?;
    let image = images.first().context("nothing was built")?;
    let bytes = image.kernel.metadata().context("cannot read the image")?;
    // No zone is in it: they come on a disk.
    report(&Record::alone(
        BENCH,
        "image-bytes",
        "B",
        bytes.len() as f64,
    ))?;
    let testbed = Testbed::start(Xenstored::C)?;
    serving::prepare(&testbed, &["dnsperf"])?;
    testbed.put_bytes(HOTPLUG.as_bytes(), "/etc/xen/scripts/block", 0o755)?;
    let servers = zones(&testbed)?;
    let mut ours = Figures::new();
    let mut theirs = PEERS.map(|_| Figures::new());
    for _ in 0..RUNS {
        for load in &LOADS {
            let guest = guest(&testbed, workspace, image, load, load.memory)?;
            measure(&testbed, &guest, load.file, &mut ours)?;
            for (server, figures) in PEERS.into_iter().zip(&mut theirs) {
                let guest = servers.guest(server, &format!("zone={}", load.file))?;
                measure(&testbed, &guest, load.file, figures)?;
            }
        }
    }
    for (server, theirs) in PEERS.into_iter().zip(&theirs) {
        let peer = server.name();
        for Load { file, .. } in &LOADS {
            let of = |case: &str| {
                let name = format!("{case}-{file}");
                (format!("{name}-{peer}"), &ours[&name], &theirs[&name])
            };
            let (case, ours, theirs) = of("qps");
            let rate = Record::rates(BENCH, &case, "1/s", ours, peer, theirs);
            report(&rate.context("nothing was measured")?)?;
            let (case, ours, theirs) = of("cpu");
            let cpu = Record::times(BENCH, &case, ours, peer, theirs);
            report(&cpu.context("nothing was measured")?)?;
        }
    }
    let least = least_memory(&testbed, workspace, image)?;
    report(&Record::alone(
        BENCH,
        "min-memory-1k",
        "MiB",
        f64::from(least),
    ))
}

/// Brings the zones to dom0: as archives for ours, in the initramfs of the peers, and as lists of what to ask.
fn zones(testbed: &Testbed) -> Result<Servers<'_>> {
    let masters = LOADS
        .each_ref()
        .map(|load| (format!("zones/{}", load.file), load.zone.master_file()));
    let mut files = vec![("zones", Node::Folder)];
    for (path, master) in &masters {
        files.push((path, Node::File(0o644, master.as_bytes())));
    }
    let servers = Servers::install(testbed, &files)?;
    for (load, (_, master)) in LOADS.iter().zip(&masters) {
        let Load { file, zone, .. } = load;
        let folder = format!("/bench/zones-{file}");
        let path = format!("{folder}/{}.zone", zone::NAME);
        testbed.put_bytes(master.as_bytes(), &path, 0o644)?;
        let disk = disk(file);
        testbed.sh(&format!(
            "modprobe loop && tar -cf {folder}.tar -C {folder} . && rm -r {folder} && losetup {disk} {folder}.tar"
        ))?;
        for (kind, text) in [("queries", zone.queries()), ("sample", zone.sample(SAMPLE))] {
            testbed.put_bytes(text.as_bytes(), &format!("/bench/{kind}-{file}"), 0o644)?;
        }
    }
    Ok(servers)
}

/// The loop device with a zone's archive.
fn disk(file: &str) -> String {
    let number = LOADS.iter().position(|load| load.file == file);
    format!("/dev/loop{}", number.unwrap_or_default())
}

/// Our guest with a zone.
fn guest(
    testbed: &Testbed,
    workspace: &Workspace,
    image: &Image,
    load: &Load,
    memory: u32,
) -> Result<Guest> {
    let changes = Changes {
        name: Some(format!("{APP}-{}-{memory}", load.file)),
        memory: Some(memory),
        disks: Some(vec![format!(
            "vdev=xvda,format=raw,access=ro,target={}",
            disk(load.file)
        )]),
        // As the peers, it answers one client as often as it asks.
        extra: format!("zones=xvda rate=0 {ADDRESS_WORDS}"),
        ..Changes::default()
    };
    Guest::install_as(testbed, workspace, image, &changes)
}

/// One zone once, with a guest that is started for it.
fn measure(testbed: &Testbed, guest: &Guest, file: &str, figures: &mut Figures) -> Result<()> {
    let load = |seconds: u32| -> Result<(Run, f64)> {
        let command = format!("dnsperf -s {ADDRESS} -d /bench/queries-{file} -l {seconds}");
        let told = serving::run(testbed, guest, None, &command)?;
        Ok((Run::parse(&told.text)?, told.cpu))
    };
    let (Run { queries, seconds }, cpu) = serving::with_guest(testbed, guest, || {
        serving::ask(testbed, &format!("/bench/sample-{file}"))?;
        load(WARM_UP_SECONDS)?;
        load(SECONDS)
    })?;
    let (rate, cpu) = (queries / seconds, cpu / queries);
    let name = guest.name();
    eprintln!("{file} {name}: {rate:.1} /s, {:.4} ms each", cpu * 1e3);
    for (case, figure) in [("qps", rate), ("cpu", cpu)] {
        figures
            .entry(format!("{case}-{file}"))
            .or_default()
            .push(figure);
    }
    Ok(())
}

/// The smallest `memory=` with which the zone of 1,000 names is served.
fn least_memory(testbed: &Testbed, workspace: &Workspace, image: &Image) -> Result<u32> {
    let load = &LOADS[0];
    for memory in MEMORY {
        let guest = guest(testbed, workspace, image, load, memory)?;
        let script = format!(
            "timeout 40 python3 /bench/serving.py ask {ADDRESS} /bench/sample-{}",
            load.file
        );
        testbed.sh("ip neigh flush dev xenbr0 >/dev/null 2>&1; true")?;
        let served = guest.create(testbed).and_then(|()| testbed.sh(&script));
        let _ = guest.destroy(testbed);
        if served.is_ok() {
            return Ok(memory);
        }
    }
    bail!("the zone is not served with {} MiB either", MEMORY.end())
}
