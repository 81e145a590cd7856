//! vchans between two processes of dom0: ours at both ends, and libxenvchan at both ends, in turn. And between a guest and a process, both ours.

use std::time::Duration;

use anyhow::{Context, Result};

use super::{Record, Report};
use crate::build::{self, Changes, Image};
use crate::testbed::{Guest, Testbed, Xenstored};
use crate::workspace::Workspace;

const BENCH: &str = "vchan";
const PEER: &str = "libxenvchan";
const APP: &str = "guest-vchan";
/// The programs in dom0.
const OURS: &str = "/bench/guest-vchan --xen";
const THEIRS: &str = "/bench/vchan-peer";
/// How many times each side runs a case.
const RUNS: usize = 5;
/// How long a run may take.
const LIMIT: Duration = Duration::from_secs(120);

/// What is measured: the end that waits does `server`, the one that measures does `client`.
struct Case {
    name: &'static str,
    server: &'static str,
    client: &'static str,
    /// How many bytes go through; a round trip if it is none.
    bytes: Option<u64>,
}

const CASES: [Case; 4] = [
    Case {
        name: "stream",
        server: "do=sink size=65536 bytes=8388608 piece=4096",
        client: "do=source bytes=8388608 piece=4096",
        bytes: Some(8 << 20),
    },
    Case {
        name: "stream-large",
        server: "do=sink size=1048576 bytes=33554432 piece=65536",
        client: "do=source bytes=33554432 piece=65536",
        bytes: Some(32 << 20),
    },
    Case {
        name: "stream-small",
        server: "do=sink size=1024 bytes=524288 piece=512",
        client: "do=source bytes=524288 piece=512",
        bytes: Some(512 << 10),
    },
    Case {
        name: "round-trip",
        server: "do=echo size=1024",
        client: "do=ping count=500",
        bytes: None,
    },
];

/// Runs all cases.
pub(super) fn run(workspace: &Workspace, report: &mut Report<'_>) -> Result<()> {
    let images = Image::build(workspace, &[workspace.app(APP)?])?;
    let image = images.first().context("nothing was built")?;
    let ours = build::program_for_linux(workspace, APP)?;
    let theirs = build::vchan_peer(workspace)?;
    let testbed = Testbed::start(Xenstored::C)?;
    testbed.put(&ours, "/bench/guest-vchan")?;
    testbed.put(&theirs, "/bench/vchan-peer")?;
    for case in &CASES {
        let (mut us, mut them) = (Vec::new(), Vec::new());
        for _ in 0..RUNS {
            us.push(between_processes(&testbed, OURS, case)?);
            them.push(between_processes(&testbed, THEIRS, case)?);
        }
        eprintln!("{}: ours {us:.0?}, {PEER} {them:.0?} ns", case.name);
        let record = match case.bytes {
            Some(bytes) => {
                let rates = |times: &[f64]| -> Vec<f64> {
                    times.iter().map(|time| bytes as f64 * 1e9 / time).collect()
                };
                Record::rates(BENCH, case.name, "B/s", &rates(&us), PEER, &rates(&them))
            }
            None => {
                let times =
                    |times: &[f64]| -> Vec<f64> { times.iter().map(|time| time / 1e9).collect() };
                Record::times(BENCH, case.name, &times(&us), PEER, &times(&them))
            }
        };
        report(&record.context("nothing was measured")?)?;
    }
    for (name, case) in [("guest-stream", &CASES[0]), ("guest-round-trip", &CASES[3])] {
        let mut times = Vec::new();
        for _ in 0..RUNS {
            times.push(with_guest(&testbed, workspace, image, case)?);
        }
        times.sort_by(f64::total_cmp);
        let middle = times[RUNS / 2];
        let record = match case.bytes {
            Some(bytes) => Record::alone(BENCH, name, "B/s", (bytes as f64 * 1e9 / middle).round()),
            None => Record::alone(BENCH, name, "s", middle / 1e9),
        };
        report(&record)?;
    }
    Ok(())
}

/// The nanoseconds of one run between two processes.
fn between_processes(testbed: &Testbed, program: &str, case: &Case) -> Result<f64> {
    let place = "peer=0 path=/local/domain/0/data/vchan";
    // Keys that the run before has left lead nowhere. Whoever echoes ends with the other end, or is ended.
    let told = testbed.sh_within(
        &format!(
            "xenstore-rm /local/domain/0/data/vchan 2>/dev/null\n\
             {program} end=server {place} {} >/dev/null 2>&1 </dev/null & server=$!\n\
             {program} end=client {place} {} 2>&1; status=$?\n\
             kill $server 2>/dev/null; wait $server; exit $status",
            case.server, case.client
        ),
        LIMIT,
    )?;
    nanoseconds(&told)
}

/// The nanoseconds of one run between a guest, which waits, and a process, which measures.
fn with_guest(testbed: &Testbed, workspace: &Workspace, image: &Image, case: &Case) -> Result<f64> {
    let changes = Changes {
        extra: format!("end=server peer=0 path=data/vchan {}", case.server),
        ..Changes::default()
    };
    let guest = Guest::install_as(testbed, workspace, image, &changes)?;
    guest.create(testbed)?;
    let told = testbed.sh_within(
        &format!(
            "id=$(xl domid {APP})\n\
             {OURS} end=client peer=$id path=/local/domain/$id/data/vchan {} 2>&1; status=$?\n\
             xl destroy {APP} 2>/dev/null; exit $status",
            case.client
        ),
        LIMIT,
    )?;
    nanoseconds(&told)
}

/// Either program's last number.
fn nanoseconds(told: &str) -> Result<f64> {
    let mut words = told.split_whitespace().rev();
    let number = words.find_map(|word| word.parse().ok());
    number.with_context(|| format!("no time was told: {told}"))
}
