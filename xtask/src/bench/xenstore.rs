//! The rows of Xen's own test-xenstore in dom0, on our xenstored, on the C one and on oxenstored: the time that a turn takes, and the daemon's CPU
//! time for it, which has a part of what test-xenstore makes and removes around each row. And the daemons on plain Linux.

mod native;

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use super::{Record, Report};
use crate::build::{Make, Workshop};
use crate::cli::XenstoredChoice;
use crate::dom0;
use crate::workspace::Workspace;

const BENCH: &str = "xenstore";
/// How many times each daemon runs all rows, in turn.
const RUNS: usize = 3;
/// Turns of each row in a run.
const TURNS: u32 = 100;
/// How long one run may take.
const LIMIT: Duration = Duration::from_secs(300);

/// Whom we are compared with.
const PEERS: [(&str, XenstoredChoice); 2] = [
    ("c-xenstored", XenstoredChoice::C),
    ("oxenstored", XenstoredChoice::Ocaml),
];

/// A row as test-xenstore calls it, and our names for its time and its CPU time.
const ROWS: [(&str, &str, &str); 12] = [
    ("read 1", "read-1", "read-1-cpu"),
    ("read 2000", "read-2000", "read-2000-cpu"),
    ("write 1", "write-1", "write-1-cpu"),
    ("write 2000", "write-2000", "write-2000-cpu"),
    ("dir", "directory", "directory-cpu"),
    ("rm node", "remove-node", "remove-node-cpu"),
    ("rm dir", "remove-tree", "remove-tree-cpu"),
    ("ta empty", "transaction-empty", "transaction-empty-cpu"),
    (
        "ta empty x",
        "transaction-empty-abort",
        "transaction-empty-abort-cpu",
    ),
    ("ta rmw", "transaction", "transaction-cpu"),
    ("ta rmw x", "transaction-abort", "transaction-abort-cpu"),
    ("ta err", "transaction-conflict", "transaction-conflict-cpu"),
];

/// Prints a line for each row: its name, the mean time of a turn and the daemon's CPU time for it, in nanoseconds.
const SCRIPT: &str = r#"
test=/usr/lib/xen-4.17/bin/test-xenstore
pid=$(cat /run/xen/xenstored.pid)
cpu() { cat /proc/$pid/task/*/schedstat | awk '{ sum += $1 } END { printf "%.0f", sum }'; }
$test -l | while IFS= read -r row; do
    row=$(echo "${row%%:*}" | sed 's/ *$//')
    before=$(cpu)
    said=$($test -t "$row" -i TURNS </dev/null) || exit 1
    after=$(cpu)
    echo "$row;$(echo "$said" | sed 's/.*avg: *\([0-9]*\) ns.*/\1/');$(((after - before) / TURNS))"
done
"#;

/// What a daemon took, in seconds: by row the times and the CPU times of its runs.
type Taken = BTreeMap<&'static str, [Vec<f64>; 2]>;

/// Runs all rows on all daemons.
pub(super) fn run(workspace: &Workspace, report: &mut Report<'_>) -> Result<()> {
    native::run(workspace, report)?;
    let workshop = Workshop::new(workspace, Make::Shipped);
    let mut ours = Taken::new();
    let mut theirs = PEERS.map(|_| Taken::new());
    for _ in 0..RUNS {
        once(&workshop, XenstoredChoice::Ours, &mut ours)?;
        for ((_, daemon), taken) in PEERS.iter().zip(&mut theirs) {
            once(&workshop, *daemon, taken)?;
        }
    }
    for (row, time, cpu) in ROWS {
        for ((peer, _), taken) in PEERS.iter().zip(&theirs) {
            let (us, them) = (of(&ours, row)?, of(taken, row)?);
            for (case, us, them) in [(time, &us[0], &them[0]), (cpu, &us[1], &them[1])] {
                let record = Record::times(BENCH, case, us, peer, them);
                report(&record.context("nothing was measured")?)?;
            }
        }
    }
    Ok(())
}

fn of<'a>(taken: &'a Taken, row: &str) -> Result<&'a [Vec<f64>; 2]> {
    taken
        .get(row)
        .with_context(|| format!("test-xenstore has no row {row:?}"))
}

/// All rows once, in a dom0 that has just started with this daemon.
fn once(workshop: &Workshop<'_>, daemon: XenstoredChoice, taken: &mut Taken) -> Result<()> {
    let testbed = dom0::start(workshop, daemon)?;
    let said = testbed.sh_within(&SCRIPT.replace("TURNS", &TURNS.to_string()), LIMIT)?;
    let mut rows = 0;
    for line in said.lines() {
        let [row, time, cpu] = line.split(';').collect::<Vec<_>>()[..] else {
            bail!("test-xenstore says {line:?}");
        };
        let known = ROWS.iter().find(|(name, ..)| *name == row);
        let (name, ..) = known.with_context(|| format!("{row:?} is no row that is known"))?;
        let figures = taken.entry(name).or_default();
        for (figures, text) in figures.iter_mut().zip([time, cpu]) {
            let nanoseconds: f64 = text.parse().with_context(|| format!("in {line:?}"))?;
            figures.push(nanoseconds / 1e9);
        }
        rows += 1;
    }
    ensure!(
        rows == ROWS.len(),
        "test-xenstore has {rows} rows, not {}",
        ROWS.len()
    );
    Ok(())
}
