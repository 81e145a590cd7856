//! Guests' consoles by our xenconsoled and by Xen's, in turn in one dom0: bytes through one console and through twenty, round trips at a
//! quiet one, with and without a guest that floods its own, and the daemon's CPU time for the bytes.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::{Record, Report};
use crate::build::{Changes, Make, Workshop};
use crate::cli::XenconsoledChoice;
use crate::dom0;
use crate::testbed::{Guest, Testbed, Xenstored};
use crate::workspace::Workspace;

const BENCH: &str = "console";
const PEER: &str = "xen-xenconsoled";
const APP: &str = "guest-console";
const PROGRAM: &str = "perf-console";
/// How many times each daemon runs all cases.
const RUNS: usize = 3;
/// Guests.
const GUESTS: usize = 20;
/// Bytes through one console.
const BYTES: u64 = 2 << 20;
/// Bytes through each of twenty.
const SHARE: u64 = 128 << 10;
/// Round trips.
const PINGS: usize = 100;
/// How long one case may take.
const LIMIT: Duration = Duration::from_secs(300);

/// Figures by case.
type Figures = BTreeMap<&'static str, Vec<f64>>;

/// What is measured as a rate, in bytes a second, with the daemon's CPU time for each MiB.
const STREAMS: [(&str, &str); 3] = [
    ("one-out", "one-out-cpu"),
    ("one-in", "one-in-cpu"),
    ("twenty-both", "twenty-both-cpu"),
];
/// Round trips at a quiet guest: while nobody else does anything, and while another guest writes all the time.
const CALM: &str = "round-trip";
const FLOODED: &str = "round-trip-flooded";

/// Runs all cases on both daemons.
pub(super) fn run(workspace: &Workspace, report: &mut Report<'_>) -> Result<()> {
    let workshop = Workshop::new(workspace, Make::Shipped);
    let image = workshop.image(APP)?;
    let program = workshop.program(PROGRAM)?;
    let testbed = Testbed::start(Xenstored::C)?;
    testbed.put(&program, "/bench/perf-console")?;
    for number in 0..GUESTS {
        let changes = Changes {
            name: Some(name(number)),
            extra: format!("log=off seed={number}"),
            ..Changes::default()
        };
        Guest::install_as(&testbed, workspace, &image, &changes)?.create(&testbed)?;
    }
    let mut figures = [Figures::new(), Figures::new()];
    for _ in 0..RUNS {
        for (choice, figures) in [XenconsoledChoice::Ours, XenconsoledChoice::C]
            .into_iter()
            .zip(&mut figures)
        {
            forget_terminals(&testbed)?;
            dom0::change_xenconsoled(&workshop, &testbed, choice)?;
            measure(&testbed, figures)?;
        }
    }
    let [ours, theirs] = &figures;
    let of = |side: &Figures, case| side.get(case).cloned().unwrap_or_default();
    for (case, cpu) in STREAMS {
        let (us, them) = (of(ours, case), of(theirs, case));
        eprintln!("{case}: ours {us:.0?}, {PEER} {them:.0?} B/s");
        let rates = Record::rates(BENCH, case, "B/s", &us, PEER, &them);
        report(&rates.context("nothing was measured")?)?;
        let costs = Record::costs(BENCH, cpu, "s/MiB", &of(ours, cpu), PEER, &of(theirs, cpu));
        report(&costs.context("nothing was measured")?)?;
    }
    for case in [CALM, FLOODED] {
        let (us, them) = (of(ours, case), of(theirs, case));
        eprintln!("{case}: ours {us:.6?}, {PEER} {them:.6?} s");
        let times = Record::times(BENCH, case, &us, PEER, &them);
        report(&times.context("nothing was measured")?)?;
    }
    Ok(())
}

fn name(number: usize) -> String {
    format!("{APP}-{number}")
}

/// Runs all cases on the daemon that serves.
fn measure(testbed: &Testbed, figures: &mut Figures) -> Result<()> {
    let terminals = terminals(testbed)?;
    let all = terminals.join(" ");
    for ((case, cpu), (way, bytes, on, moved)) in STREAMS.into_iter().zip([
        ("send", BYTES, terminals[0].as_str(), BYTES),
        ("take", BYTES, terminals[0].as_str(), BYTES),
        ("both", SHARE, all.as_str(), 2 * SHARE * GUESTS as u64),
    ]) {
        let told = testbed.sh_within(
            &format!(
                "cpu() {{ awk '{{ printf \"%.0f\", $1 }}' /proc/$(cat {ID})/schedstat; }}; \
                 before=$(cpu); /bench/perf-console {way} {bytes} {on} && echo $(($(cpu) - before))",
                ID = dom0::XENCONSOLED_ID
            ),
            LIMIT,
        )?;
        let mut told = told.split_whitespace().map(str::parse::<f64>);
        let mut next = || told.next().context("perf-console says too little");
        let (seconds, nanoseconds) = (next()??, next()??);
        let mebibytes = moved as f64 / f64::from(1 << 20);
        push(figures, case, moved as f64 / seconds);
        push(figures, cpu, nanoseconds / 1e9 / mebibytes);
    }
    let (quiet, loud) = (&terminals[1], &terminals[0]);
    let calm = format!("/bench/perf-console ping {PINGS} {quiet}");
    push(figures, CALM, middle(&testbed.sh_within(&calm, LIMIT)?)?);
    let flooded = format!("/bench/perf-console ping {PINGS} {quiet} {BYTES} {loud}");
    push(
        figures,
        FLOODED,
        middle(&testbed.sh_within(&flooded, LIMIT)?)?,
    );
    Ok(())
}

fn push(figures: &mut Figures, case: &'static str, figure: f64) {
    figures.entry(case).or_default().push(figure);
}

/// The middle of microseconds that stand in order, in seconds.
fn middle(told: &str) -> Result<f64> {
    let times: Vec<&str> = told.split_whitespace().collect();
    ensure!(times.len() == PINGS, "perf-console says {told:?}");
    Ok(times[PINGS / 2].parse::<f64>()? / 1e6)
}

/// Takes away what the daemon that goes has said of terminals: the next one gives their names to other guests.
fn forget_terminals(testbed: &Testbed) -> Result<()> {
    for number in 0..GUESTS {
        let key = terminal_key(number);
        testbed.sh(&format!("! xenstore-exists {key} || xenstore-rm {key}"))?;
    }
    Ok(())
}

fn terminal_key(number: usize) -> String {
    format!("/local/domain/$(xl domid {})/console/tty", name(number))
}

/// The guests' terminals, as perf-console wants to hear of them.
fn terminals(testbed: &Testbed) -> Result<Vec<String>> {
    (0..GUESTS)
        .map(|number| {
            let key = terminal_key(number);
            let wait = format!(
                "timeout 60 sh -c 'until tty=$(xenstore-read {key}) && [ -c $tty ] && echo $tty; do sleep 0.1; done'"
            );
            Ok(format!("{number}:{}", testbed.sh(&wait)?.trim()))
        })
        .collect()
}
