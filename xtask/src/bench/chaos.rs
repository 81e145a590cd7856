//! How long the self-scaling service is away when a part of it is killed, and whether a job is lost meanwhile. `MORGANA_SECONDS` (600) and `MORGANA_SEED` (1) say for how long, and in which order; `MORGANA_KINDS` (all) which parts, as in `balancer,queue`.

use anyhow::Result;

use super::{Record, Report};
use crate::autoscale::{Chaos, Fleet, Kill, Ledger, Plan, Service};
use crate::build::{Make, Workshop};
use crate::testbed::{Testbed, Xenstored};
use crate::workspace::Workspace;

const BENCH: &str = "chaos";

/// What was away for a time after a kill, and for how long.
type Outage = (&'static str, fn(&Kill) -> f64);

/// Kills, and tells.
pub(super) fn run(workspace: &Workspace, report: &mut Report<'_>) -> Result<()> {
    let plan = Plan {
        web: Fleet { least: 3, most: 6 },
        workers: Fleet { least: 2, most: 4 },
        ledger: Ledger::Dom0,
        ..Plan::default()
    };
    let workshop = Workshop::new(workspace, Make::Shipped);
    let testbed = Testbed::start(Xenstored::C)?;
    testbed.add_packages(&["python3".to_owned()])?;
    let service = Service::start(&workshop, &testbed, &plan)?;
    service.wait_for(plan.web.least)?;
    let (seed, seconds) = (number("MORGANA_SEED", 1), number("MORGANA_SECONDS", 600));
    let chaos = Chaos::let_loose(&service, seed, seconds)?;
    eprintln!("{chaos:?}");
    let pages: Outage = ("outage", |kill| kill.outage);
    let orders: Outage = ("outage-of-orders", |kill| kill.orders);
    for (away, of) in [pages, orders] {
        for (kind, mut outages) in chaos.outages(of) {
            outages.sort_by(f64::total_cmp);
            let (median, longest) = (outages[outages.len() / 2], outages[outages.len() - 1]);
            for (what, value) in [("median", median), ("longest", longest)] {
                let case = format!("{away}-{kind}-{what}");
                report(&Record::alone(BENCH, &case, "s", value))?;
            }
        }
    }
    let mut took: Vec<f64> = chaos.kills.iter().map(|kill| kill.took).collect();
    took.sort_by(f64::total_cmp);
    let median = took.get(took.len() / 2).copied().unwrap_or_default();
    report(&Record::alone(BENCH, "kill-took-median", "s", median))?;
    for (case, value) in [
        ("kills", chaos.kills.len() as u64),
        ("requests", chaos.probes),
        ("requests-failed", chaos.probes_failed),
        ("jobs-acknowledged", chaos.acknowledged),
        ("jobs-lost", chaos.lost.len() as u64),
        (
            "jobs-repeated",
            chaos.reports.saturating_sub(chaos.jobs_done),
        ),
    ] {
        report(&Record::alone(BENCH, case, "", value as f64))?;
    }
    chaos.check_jobs()
}

/// A number of the environment.
fn number(name: &str, default: u64) -> u64 {
    let chosen = std::env::var(name).ok();
    chosen.and_then(|text| text.parse().ok()).unwrap_or(default)
}
