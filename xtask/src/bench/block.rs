//! How fast a disk is, and what it costs the guest. The peer is a Linux PV domain; both have the same disk, in dom0's memory, from the same back end.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::{Record, Report};
use crate::build::{Changes, Image, program_for_linux};
use crate::testbed::{Guest, Testbed, Xenstored, with_program};
use crate::workspace::Workspace;

const BENCH: &str = "block";
const APP: &str = "guest-disk";
/// The program that does the same in a Linux domain.
const LOAD: &str = "disk-load";
const PEER: &str = "linux-pv";
/// How many times each side runs.
const RUNS: usize = 3;
/// How long one run may take.
const LIMIT: Duration = Duration::from_secs(300);

const SCRIPT: &str = include_str!("block.py");
/// By which xl gives a disk to Linux's back end.
const HOTPLUG: &str = include_str!("../testbed/dom0/block");
/// A disk of 64 MiB in dom0's memory.
const DEVICE: &str = "modprobe brd rd_nr=1 rd_size=65536 && dd if=/dev/zero of=/dev/ram0 bs=1M 2>/dev/null || test -b /dev/ram0";
const DISK: &str = "vdev=xvda,format=raw,access=rw,target=/dev/ram0";

/// A case: its name, that of what it costs, and how its figure is told.
struct Case {
    name: &'static str,
    cpu: &'static str,
    unit: &'static str,
    /// What one access counts for in this unit.
    each: f64,
}

const fn random(name: &'static str, cpu: &'static str) -> Case {
    let (unit, each) = ("1/s", 1.0);
    Case {
        name,
        cpu,
        unit,
        each,
    }
}

const fn sequential(name: &'static str, cpu: &'static str) -> Case {
    let (unit, each) = ("MB/s", 0.131_072);
    Case {
        name,
        cpu,
        unit,
        each,
    }
}

/// As in guest-disk.
const CASES: [Case; 6] = [
    random("read-qd1", "read-qd1-cpu"),
    random("write-qd1", "write-qd1-cpu"),
    random("read-qd32", "read-qd32-cpu"),
    random("write-qd32", "write-qd32-cpu"),
    sequential("seq-read", "seq-read-cpu"),
    sequential("seq-write", "seq-write-cpu"),
];

/// What one run has found out of a case.
#[derive(Clone, Copy, Debug)]
struct Figure {
    /// Accesses a second.
    rate: f64,
    /// Seconds of the guest's processor for an access.
    cpu: f64,
}

/// Runs all cases.
pub(super) fn run(workspace: &Workspace, report: &mut Report<'_>) -> Result<()> {
    let images = Image::build(workspace, &[workspace.app(APP)?])?;
    let image = images.first().context("nothing was built")?;
    let load = program_for_linux(workspace, LOAD)?;
    let testbed = Testbed::start(Xenstored::C)?;
    // The smallest Python; Xen's own module for it is in dom0.
    testbed.add_packages(&["python3-minimal".to_owned()])?;
    testbed.put_bytes(SCRIPT.as_bytes(), "/bench/block.py", 0o644)?;
    testbed.put_bytes(HOTPLUG.as_bytes(), "/etc/xen/scripts/block", 0o755)?;
    testbed.sh_within(DEVICE, LIMIT)?;

    let changes = Changes {
        disks: Some(vec![DISK.to_owned()]),
        extra: "do=load pool=512".to_owned(),
        ..Changes::default()
    };
    let ours = Guest::install_as(&testbed, workspace, image, &changes)?;
    let files = testbed.files();
    testbed.put(&files.folder.join("vmlinux"), "/bench/vmlinux")?;
    let initramfs = with_program(&files.peer_initramfs(), &load)?;
    testbed.put_bytes(&initramfs, "/bench/peer.cpio", 0o644)?;
    let config = format!(
        "name = \"{PEER}\"\ntype = \"pv\"\nkernel = \"/bench/vmlinux\"\nramdisk = \"/bench/peer.cpio\"\nmemory = 256\nvcpus = 1\n\
         disk = ['{DISK}']\nextra = \"console=hvc0 quiet rdinit=/init-disk do=load\"\n"
    );
    testbed.put_bytes(config.as_bytes(), "/bench/peer.cfg", 0o644)?;

    let mut figures: BTreeMap<(&str, &str), Vec<Figure>> = BTreeMap::new();
    for _ in 0..RUNS {
        for (side, config, name) in [
            ("ours", ours.config(), ours.name()),
            ("theirs", "/bench/peer.cfg", PEER),
        ] {
            let told = measure(&testbed, config, name)?;
            for case in &CASES {
                let figure = figure(&told, case.name)?;
                eprintln!("{} {side}: {figure:.6?}", case.name);
                figures.entry((side, case.name)).or_default().push(figure);
            }
        }
    }
    for case in &CASES {
        let of = |side, take: fn(&Figure) -> f64| -> Vec<f64> {
            figures[&(side, case.name)].iter().map(take).collect()
        };
        let rates = |side| of(side, |figure| figure.rate).into_iter();
        let (ours, theirs) = (rates("ours"), rates("theirs"));
        let (ours, theirs): (Vec<f64>, Vec<f64>) = (
            ours.map(|rate| rate * case.each).collect(),
            theirs.map(|rate| rate * case.each).collect(),
        );
        let rate = Record::rates(BENCH, case.name, case.unit, &ours, PEER, &theirs);
        report(&rate.context("nothing was measured")?)?;
        let cost = |side| of(side, |figure| figure.cpu);
        let cpu = Record::times(BENCH, case.cpu, &cost("ours"), PEER, &cost("theirs"));
        report(&cpu.context("nothing was measured")?)?;
    }
    Ok(())
}

/// Runs the script; once more if that fails, since the testbed has rare faults, and says so.
fn measure(testbed: &Testbed, config: &str, name: &str) -> Result<String> {
    let script = format!("cd /guests && python3 /bench/block.py {config} {name}");
    testbed.sh_within(&script, LIMIT).or_else(|error| {
        eprintln!("again: {error:#}");
        testbed.sh_within(&script, LIMIT)
    })
}

/// A line is: name, accesses, nanoseconds, nanoseconds of the processor.
fn figure(told: &str, case: &str) -> Result<Figure> {
    let line = told
        .lines()
        .find_map(|line| line.strip_prefix(case)?.strip_prefix(' '))
        .with_context(|| format!("nothing of {case} in:\n{told}"))?;
    let numbers: Vec<f64> = line
        .split_whitespace()
        .map(str::parse)
        .collect::<Result<_, _>>()
        .with_context(|| format!("block.py says {line}"))?;
    ensure!(
        numbers.len() == 3 && numbers[1] > 0.0,
        "block.py says {line}"
    );
    Ok(Figure {
        rate: numbers[0] * 1e9 / numbers[1],
        cpu: numbers[2] / numbers[0] / 1e9,
    })
}

#[cfg(test)]
mod tests {
    use super::figure;

    #[test]
    fn reads_what_the_script_says() {
        let told = "read-qd1 600 1200000000 60000000\nread-qd32 6000 1000000000 600000000\n";
        let figure_1 = figure(told, "read-qd1").unwrap();
        assert_eq!((figure_1.rate, figure_1.cpu), (500.0, 0.0001));
        assert_eq!(figure(told, "read-qd32").unwrap().rate, 6000.0);
        assert!(figure(told, "seq-read").is_err());
    }
}
