//! The self-scaling service under a load that rises tenfold and falls, against a fleet of the full size that stands all the time. What happened second by second goes into a table, which is in the documentation.

use std::fmt::Write as _;
use std::fs;

use anyhow::{Context, Result};

use super::{Record, Report};
use crate::autoscale::{Fleet, Load, Plan, Run, Service};
use crate::build::{Make, Workshop};
use crate::testbed::{Testbed, Xenstored};
use crate::workspace::Workspace;

const BENCH: &str = "autoscale";
const PEER: &str = "fixed fleet";
/// Seconds that a row of the table stands for.
const ROW: u32 = 5;

/// Runs both.
pub(super) fn run(workspace: &Workspace, report: &mut Report<'_>) -> Result<()> {
    let workshop = Workshop::new(workspace, Make::Shipped);
    let load = Load::of(&workshop, &[])?;
    let scaled = Plan::default();
    let most = scaled.web.most;
    let fixed = Plan {
        web: Fleet { least: most, most },
        ..scaled.clone()
    };
    let ours = measure(&workshop, &load, &scaled)?;
    let theirs = measure(&workshop, &load, &fixed)?;
    for (case, pick) in [
        ("p50", (|run: &Run| run.total.p50_ms) as fn(&Run) -> f64),
        ("p99", |run: &Run| run.total.p99_ms),
    ] {
        let record = Record::costs(BENCH, case, "ms", &[pick(&ours)], PEER, &[pick(&theirs)]);
        report(&record.context("nothing was measured")?)?;
    }
    let machines = |run: &Run| run.machine_seconds() / run.seconds().max(1.0);
    let (few, many) = (machines(&ours), machines(&theirs));
    let record = Record::costs(BENCH, "machines-mean", "", &[few], PEER, &[many]);
    report(&record.context("nothing was measured")?)?;
    let failed = |run: &Run| run.total.failed() as f64;
    let record = Record::counts(
        BENCH,
        "failed",
        "",
        &[failed(&ours)],
        PEER,
        &[failed(&theirs)],
    );
    report(&record.context("nothing was measured")?)?;
    let path = workspace.target.join("autoscale.md");
    fs::write(&path, table(&ours)?).with_context(|| format!("cannot write {}", path.display()))?;
    eprintln!("the table of the run: {}", path.display());
    Ok(())
}

fn measure(workshop: &Workshop<'_>, load: &Load, plan: &Plan) -> Result<Run> {
    let testbed = Testbed::start(Xenstored::C)?;
    let service = Service::start(workshop, &testbed, plan)?;
    service.wait_for(plan.web.least)?;
    load.measure(&service)
}

/// The run as a table in Markdown.
fn table(run: &Run) -> Result<String> {
    let mut text = String::from(
        "| second | requests a second | failed | median, ms | 99th percentile, ms | web machines wanted | serving | jobs waiting | workers |\n\
         |---|---|---|---|---|---|---|---|---|\n",
    );
    for row in run.rows(ROW) {
        writeln!(
            text,
            "| {} | {:.0} | {} | {:.0} | {:.0} | {} | {} | {} | {} |",
            row.second,
            row.rate,
            row.failed,
            row.p50_ms,
            row.p99_ms,
            row.wanted,
            row.serving,
            row.jobs,
            row.workers
        )?;
    }
    Ok(text)
}
