//! TCP between dom0 and a guest: streams in both directions, round trips, and the guest's CPU time for them, against a Linux PV domain; and a
//! stream at native speed between two emulated domains, against two network namespaces.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::{Record, Report, build_native};
use crate::build::Image;
use crate::process;
use crate::run::{ADDRESS, ADDRESS_WORDS};
use crate::testbed::{Guest, Testbed, Xenstored};
use crate::workspace::Workspace;

const BENCH: &str = "net";
const APP: &str = "guest-iperf";
const PEER: &str = "linux-pv";
/// How many times each side runs.
const RUNS: usize = 3;
/// How long one run may take.
const LIMIT: Duration = Duration::from_secs(300);
/// The bytes of a stream.
const BYTES: u64 = 64 << 20;
/// Round trips of one byte.
const ROUNDS: u32 = 2000;

/// The program at native speed, and the bytes of its stream.
const PROGRAM: &str = "perf-net";
const NATIVE_BYTES: u64 = 2_000_000_000;

const SCRIPT: &str = include_str!("net.py");
const VETH: &str = include_str!("veth.sh");

/// The cases, in the order in which the script runs them: its name, and that of the CPU time, with their units.
const CASES: [[(&str, &str); 2]; 3] = [
    [("stream-in", "Mb/s"), ("stream-in-cpu", "s/MB")],
    [("stream-out", "Mb/s"), ("stream-out-cpu", "s/MB")],
    [("round-trip", "1/s"), ("round-trip-cpu", "s")],
];

/// Runs all cases.
pub(super) fn run(workspace: &Workspace, report: &mut Report<'_>) -> Result<()> {
    let images = Image::build(workspace, &[workspace.app(APP)?])?;
    let image = images.first().context("nothing was built")?;
    let testbed = Testbed::start(Xenstored::C)?;
    testbed.add_packages(&["python3".to_owned(), "iperf3".to_owned()])?;
    testbed.put_bytes(SCRIPT.as_bytes(), "/bench/net.py", 0o644)?;
    let ours = Guest::install(&testbed, workspace, image, ADDRESS_WORDS)?;
    let theirs = peer(&testbed)?;
    let mut figures = [BTreeMap::new(), BTreeMap::new()];
    for _ in 0..RUNS {
        measure(&testbed, ours.config(), ours.name(), &mut figures[0])?;
        measure(&testbed, &theirs, PEER, &mut figures[1])?;
    }
    for [rate, time] in CASES {
        for (case, unit) in [rate, time] {
            let side = |side: usize| figures[side].get(case).map_or(&[][..], Vec::as_slice);
            let (ours, theirs) = (side(0), side(1));
            eprintln!("{case}: ours {ours:.4?} {unit}, {PEER} {theirs:.4?} {unit}");
            let record = if case == time.0 {
                Record::costs(BENCH, case, unit, ours, PEER, theirs)
            } else {
                Record::rates(BENCH, case, unit, ours, PEER, theirs)
            };
            report(&record.context("nothing was measured")?)?;
        }
    }
    native(workspace, report)
}

/// Two emulated domains, against two network namespaces.
fn native(workspace: &Workspace, report: &mut Report<'_>) -> Result<()> {
    let program = build_native(workspace, PROGRAM)?;
    let bytes = NATIVE_BYTES.to_string();
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let emulated = process::stdout(Command::new(&program).args(["emulated", &bytes]))?;
        ours.push(number(&emulated)?);
        // A user namespace of their own makes network namespaces possible without root, where the host allows it.
        let mut veth = Command::new("unshare");
        veth.args(["--map-root-user", "--net", "sh", "-c", VETH, "veth.sh"])
            .arg(&program)
            .arg(&bytes);
        match process::stdout(&mut veth) {
            Ok(told) => theirs.push(number(&told)?),
            Err(error) => {
                eprintln!(
                    "emul-stream: no peer, since this host allows no network namespaces: {error:#}"
                );
                return report(&Record::alone(BENCH, "emul-stream", "Mb/s", ours[0]));
            }
        }
    }
    eprintln!("emul-stream: ours {ours:.0?} Mb/s, veth {theirs:.0?} Mb/s");
    let record = Record::rates(BENCH, "emul-stream", "Mb/s", &ours, "veth", &theirs);
    report(&record.context("nothing was measured")?)
}

fn number(told: &str) -> Result<f64> {
    told.trim()
        .parse()
        .with_context(|| format!("{PROGRAM} says {told}"))
}

/// Copies the peer to dom0; returns its configuration.
fn peer(testbed: &Testbed) -> Result<String> {
    let files = testbed.files();
    testbed.put(&files.folder.join("vmlinux"), "/bench/vmlinux")?;
    testbed.put(&files.peer_initramfs(), "/bench/peer.cpio")?;
    testbed.sh("python3 /bench/net.py pack /bench/peer.cpio")?;
    let text = format!(
        "name = \"{PEER}\"\ntype = \"pv\"\nkernel = \"/bench/vmlinux\"\nramdisk = \"/bench/peer.cpio\"\n\
         memory = 256\nvcpus = 1\nvif = ['bridge=xenbr0']\nextra = \"console=hvc0 quiet rdinit=/init\"\n"
    );
    let config = format!("/bench/{PEER}.cfg");
    testbed.put_bytes(text.as_bytes(), &config, 0o644)?;
    Ok(config)
}

/// Runs the script; once more if that fails, since the testbed has rare faults, and says so.
fn measure(
    testbed: &Testbed,
    config: &str,
    name: &str,
    figures: &mut BTreeMap<&'static str, Vec<f64>>,
) -> Result<()> {
    let script = format!(
        "cd /guests && python3 /bench/net.py run {config} {name} {ADDRESS} {BYTES} {ROUNDS}"
    );
    let told = testbed.sh_within(&script, LIMIT).or_else(|error| {
        eprintln!("again: {error:#}");
        testbed.sh_within(&script, LIMIT)
    })?;
    for (line, [rate, time]) in told.lines().zip(CASES) {
        let words: Vec<&str> = line.split(' ').collect();
        let [case, measured, spent] = words[..] else {
            bail!("net.py says {line}");
        };
        if case != rate.0 {
            bail!("net.py says {line} instead of {}", rate.0);
        }
        for (name, word) in [(rate.0, measured), (time.0, spent)] {
            let figure = word
                .parse()
                .with_context(|| format!("net.py says {line}"))?;
            figures.entry(name).or_default().push(figure);
        }
    }
    Ok(())
}
