//! How fast a guest is there, how large it is, how little memory it needs. The peer is a Linux PV domain with busybox's httpd.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};
use object::{Object, ObjectSymbol};

use super::{Record, Report};
use crate::build::{Changes, Image};
use crate::run::{ADDRESS, ADDRESS_WORDS};
use crate::testbed::{Guest, Testbed, Xenstored};
use crate::workspace::Workspace;

const BENCH: &str = "boot";
const APP: &str = "website";
const PEER: &str = "linux-pv";
/// How many times each side runs.
const RUNS: usize = 3;
/// How long one run may take.
const LIMIT: Duration = Duration::from_secs(300);
/// The statics that are the website's pages: their bytes, and the table of them.
const PAGES: [&str; 2] = ["PAGES_BYTES", "PAGES_TABLE"];
/// The least that xl gives a PV domain, in MiB, and where we stop looking for more.
const MEMORY: std::ops::RangeInclusive<u32> = 4..=64;

const SCRIPT: &str = include_str!("boot.py");

/// The kernels of the peer.
const BZIMAGE: &str = "vmlinuz";
const VMLINUX: &str = "vmlinux";

/// Runs all cases.
pub(super) fn run(workspace: &Workspace, report: &mut Report<'_>) -> Result<()> {
    let images = Image::build(workspace, &[workspace.app(APP)?])?;
    let image = images.first().context("nothing was built")?;
    sizes(image, report)?;
    let testbed = Testbed::start(Xenstored::C)?;
    // The smallest Python that knows sockets; Xen's own module for it is in dom0.
    testbed.add_packages(&["python3-minimal".to_owned()])?;
    testbed.put_bytes(SCRIPT.as_bytes(), "/bench/boot.py", 0o644)?;
    let ours = Guest::install(&testbed, workspace, image, ADDRESS_WORDS)?;
    let (bzimage, vmlinux) = (peer(&testbed, BZIMAGE)?, peer(&testbed, VMLINUX)?);
    let ours = ours.config();

    let mut byte = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..RUNS {
        byte.0.push(first_byte(&testbed, ours, APP)?);
        byte.1.push(first_byte(&testbed, &bzimage, BZIMAGE)?);
        byte.2.push(first_byte(&testbed, &vmlinux, VMLINUX)?);
    }
    report_times(report, "first-byte", &byte.0, &byte.1)?;
    report_times(report, "first-byte-vmlinux", &byte.0, &byte.2)?;

    let mut packet = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        packet.0.push(first_packet(&testbed, ours, APP)?);
        packet.1.push(first_packet(&testbed, &vmlinux, VMLINUX)?);
    }
    report_times(report, "guest-boot", &packet.0, &packet.1)?;
    let least = least_memory(&testbed, workspace, image)?;
    report(&Record::alone(BENCH, "min-memory", "MiB", f64::from(least)))
}

fn report_times(
    report: &mut Report<'_>,
    case: &'static str,
    ours: &[f64],
    theirs: &[f64],
) -> Result<()> {
    eprintln!("{case}: ours {ours:.3?} s, {PEER} {theirs:.3?} s");
    report(&Record::times(BENCH, case, ours, PEER, theirs).context("nothing was measured")?)
}

fn sizes(image: &Image, report: &mut Report<'_>) -> Result<()> {
    let total = image
        .kernel
        .metadata()
        .context("cannot read the image")?
        .len();
    report(&Record::alone(BENCH, "image-bytes", "B", total as f64))?;
    let data = fs::read(&image.symbols).context("cannot read the symbol file")?;
    let file = object::File::parse(&*data).context("the symbol file is no ELF file")?;
    let mut pages = 0;
    for part in PAGES {
        let symbol = file
            .symbols()
            .find(|symbol| symbol.name().is_ok_and(|name| name.contains(part)));
        pages += symbol
            .with_context(|| format!("the image has no symbol {part}"))?
            .size();
    }
    report(&Record::alone(
        BENCH,
        "image-bytes-without-pages",
        "B",
        total.saturating_sub(pages) as f64,
    ))
}

/// Copies a peer to dom0; returns its configuration.
fn peer(testbed: &Testbed, kernel: &str) -> Result<String> {
    let files = testbed.files();
    testbed.put(&files.folder.join(kernel), &format!("/bench/{kernel}"))?;
    testbed.put(&files.peer_initramfs(), "/bench/peer.cpio")?;
    let text = format!(
        "name = \"{kernel}\"\ntype = \"pv\"\nkernel = \"/bench/{kernel}\"\nramdisk = \"/bench/peer.cpio\"\n\
         memory = 256\nvcpus = 1\nvif = ['bridge=xenbr0']\nextra = \"console=hvc0 quiet rdinit=/init\"\n"
    );
    let config = format!("/bench/{kernel}.cfg");
    testbed.put_bytes(text.as_bytes(), &config, 0o644)?;
    Ok(config)
}

fn first_byte(testbed: &Testbed, config: &str, name: &str) -> Result<f64> {
    measure(testbed, &format!("first-byte {config} {name} {ADDRESS}"))
}

fn first_packet(testbed: &Testbed, config: &str, name: &str) -> Result<f64> {
    measure(testbed, &format!("first-packet {config} {name}"))
}

/// Runs the script; once more if that fails, since the testbed has rare faults, and says so.
fn measure(testbed: &Testbed, arguments: &str) -> Result<f64> {
    let script = format!("cd /guests && python3 /bench/boot.py {arguments}");
    let told = testbed.sh_within(&script, LIMIT).or_else(|error| {
        eprintln!("again: {error:#}");
        testbed.sh_within(&script, LIMIT)
    })?;
    told.trim()
        .parse()
        .with_context(|| format!("boot.py says {told}"))
}

/// The smallest `memory=` with which the page is served.
fn least_memory(testbed: &Testbed, workspace: &Workspace, image: &Image) -> Result<u32> {
    for memory in MEMORY {
        let name = format!("{APP}-{memory}");
        let changes = Changes {
            name: Some(name.clone()),
            memory: Some(memory),
            extra: ADDRESS_WORDS.to_owned(),
            ..Changes::default()
        };
        let guest = Guest::install_as(testbed, workspace, image, &changes)?;
        if measure_once(testbed, guest.config(), &name) {
            return Ok(memory);
        }
        let _ = guest.destroy(testbed);
    }
    anyhow::bail!("the page is not served with {} MiB either", MEMORY.end())
}

fn measure_once(testbed: &Testbed, config: &str, name: &str) -> bool {
    let script = format!(
        "cd /guests && timeout 40 python3 /bench/boot.py first-byte {config} {name} {ADDRESS}"
    );
    testbed.sh_within(&script, LIMIT).is_ok()
}
